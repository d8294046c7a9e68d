/** What a cluster says of a quota, in words for people: `exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2`. */

const WORDS: Record<string, string> = {
  'limits.cpu': 'CPUs',
  'requests.cpu': 'CPUs',
  cpu: 'CPUs',
  'limits.memory': 'memory',
  'requests.memory': 'memory',
  memory: 'memory',
  'requests.storage': 'room for volumes',
  persistentvolumeclaims: 'volumes',
}

function amounts(text: string, what: string): Map<string, string> {
  const [, list = ''] = new RegExp(`\\b${what}: ([^ ]+)`).exec(text) ?? []
  return new Map(
    list
      .split(',')
      .filter(Boolean)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
}

/** The cluster's own words where they are not these. */
export function quotaInWords(text: string): string {
  const [asked, used, most] = [amounts(text, 'requested'), amounts(text, 'used'), amounts(text, 'limited')]
  const told = [...asked].map(([name, amount]) => {
    if (name === 'pods' || name === 'count/pods')
      return `${amount} more ${amount === '1' ? 'instance was' : 'instances were'} asked for, and ${used.get(name)} of ${most.get(name)} are there`
    return `${amount} more ${WORDS[name] ?? name} were asked for, and ${used.get(name)} of ${most.get(name)} are used`
  })
  const isWhole = [...asked.keys()].every((name) => used.has(name) && most.has(name))
  return told.length > 0 && isWhole ? told.join('; ') : text
}
