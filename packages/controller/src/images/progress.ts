/** What mmdebstrap prints, turned into words and a share for the waiting person. */

export interface BuildProgress {
  text: string
  /** 0 to 1. */
  share: number
}

/** Reads the lines of one layer's build; the share never goes back. */
export function followBuild(name: string, report: (it: BuildProgress) => void): (line: string) => void {
  let packages = 0
  let fetched = 0
  let unpacked = 0
  let configured = 0
  let share = 0
  let last = ''
  const say = (text: string, next: number) => {
    share = Math.max(share, Math.min(next, 1))
    const key = `${text} ${Math.round(share * 100)}`
    if (key === last) return
    last = key
    report({ text, share })
  }
  const part = (count: number) => (packages ? Math.min(count / packages, 1) : 0)
  return (line) => {
    const counted = /(\d+) newly installed/.exec(line)
    if (counted) packages = Math.max(packages, Number(counted[1]))
    else if (line.startsWith('I: running apt-get update')) say(`Asking Debian what ${name} needs`, 0.02)
    else if (packages > 0 && /^Get:\d+ .*\[[\d.,]+ k?M?B\]/.test(line))
      say(`Fetching packages for ${name}`, 0.05 + 0.35 * part(++fetched))
    else if (line.startsWith('I: extracting')) say(`Unpacking ${name}`, 0.4)
    else if (line.startsWith('Unpacking ')) say(`Unpacking ${name}`, 0.4 + 0.25 * part(++unpacked))
    else if (line.startsWith('Setting up ')) say(`Setting up ${name}`, 0.65 + 0.25 * part(++configured))
    else if (line.startsWith('I: cleaning')) say(`Finishing ${name}`, 0.92)
  }
}
