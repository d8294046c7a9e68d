/** What a card and a filter need to know of a service, from what it says of itself. */
import type { Service } from '@kalnet/contracts/service'

export type Kind = 'all' | 'up' | 'trouble' | 'down'

const TROUBLE = new Set<Service['state']>(['unhealthy', 'failed'])
/** Its own word, or an instance that is unwell, out of reach or waits to be started again. */
export const needsLook = (service: Pick<Service, 'state' | 'instances'>) =>
  TROUBLE.has(service.state) ||
  service.instances.some(
    (it) => it.state === 'unreachable' || it.nextStartAt !== null || it.health?.state === 'unhealthy',
  )

const FITS: Record<Kind, (service: Service) => boolean> = {
  all: () => true,
  up: ({ state }) => state === 'running',
  trouble: needsLook,
  down: ({ state }) => state === 'stopped' || state === 'stopping',
}
/** Every word stands in its title, name, template or tags. */
export function find(services: Service[], text: string, kind: Kind): Service[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return services.filter((it) => {
    const said = [it.title, it.name, it.templateName, ...it.metadata.tags].join(' ').toLowerCase()
    return FITS[kind](it) && words.every((word) => said.includes(word))
  })
}

/** What somebody sees who looks after nothing here: what opens to them. */
export const openable = (services: Service[]) => services.filter(({ url }) => url !== null)
/** Where it opens now; null: nowhere, not to this person, or it was stopped. */
export const opensAt = ({ url, desired, mayOpen }: Pick<Service, 'url' | 'desired' | 'mayOpen'>) =>
  desired === 'running' && mayOpen !== false ? url : null

export const restartsOf = ({ instances }: Pick<Service, 'instances'>) =>
  instances.reduce((sum, { restarts }) => sum + restarts, 0)

/** The worst health of its instances, and since when; null: none is checked. */
export function healthOf({ instances }: Pick<Service, 'instances'>) {
  const rank = { unhealthy: 0, starting: 1, healthy: 2 } as const
  const known = instances.flatMap(({ health }) => health ?? [])
  return (
    known.toSorted(
      (one, other) => rank[one.state] - rank[other.state] || other.changedAt.localeCompare(one.changedAt),
    )[0] ?? null
  )
}

/** Going on right now, so that words of progress are worth their place. */
export const isBusy = ({ state }: Pick<Service, 'state'>) =>
  state === 'waiting' || state === 'starting' || state === 'updating'

/** The one sentence about a start: the controller's own words where there are some. */
export const progressOf = ({ instances, reason }: Pick<Service, 'instances' | 'reason'>) =>
  instances.find(({ progress }) => progress)?.progress ??
  (reason === null ? null : { text: reason, share: null })

/** Every word, however it is written. */
export function matching(lines: string[], text: string): string[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return lines.filter((line) => words.every((word) => line.toLowerCase().includes(word)))
}
