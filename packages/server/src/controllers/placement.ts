/** Which controller runs a new instance, or in words why none can. */
import type { Controller, Labels } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import { type InstanceSpec, type PlatformName, platformName } from '@kalnet/contracts/instance'

export interface Placement {
  controllerId: string
  platform: PlatformName
}
export interface PlacementRequest {
  spec: InstanceSpec
  /** What the template allows, in the order of preference; a person's wish narrows it to one. */
  platforms: readonly PlatformName[]
  /** Only controllers that carry all of these. */
  labels?: Labels
}

/** Leaves the machine itself this much memory. */
const RESERVE_BYTES = 128 * 2 ** 20

function closed(controller: Controller, labels: Labels): string | null {
  if (controller.cordoned) return `${controller.name} takes nothing new`
  const missing = Object.entries(labels).filter(([key, value]) => controller.labels[key] !== value)
  if (missing.length === 0) return null
  return `${controller.name} is not labelled ${missing.map((pair) => pair.join('=')).join(', ')}`
}

type Most = NonNullable<NonNullable<Controller['capacity']>['most']>
/** What a cluster sets aside of the CPU that an instance may use at most. */
const CPU_SHARE = 0.1
const gigabytes = (bytes: number) => `${(Math.max(0, bytes) / 10 ** 9).toFixed(1)} GB`

/** An instance is on one machine of a cluster, which sets aside what it asks for: what is free in all of them together helps nothing. */
function unfit(name: string, most: Most, { resources }: InstanceSpec): string | null {
  const { memoryBytes, cpus } = resources
  const memory = `it asks for ${gigabytes(memoryBytes)} of memory`
  const cpu = `it asks for ${cpus} CPU`
  if (memoryBytes > most.memoryBytes)
    return `${memory}, and no machine of ${name} has more than ${gigabytes(most.memoryBytes)} for instances`
  if (cpus * CPU_SHARE > most.cpus) return `${cpu}, and no machine of ${name} has enough`
  if (memoryBytes > most.memoryFreeBytes)
    return `${memory}, and no machine of ${name} has more than ${gigabytes(most.memoryFreeBytes)} free`
  if (cpus * CPU_SHARE > most.cpusFree) return `${cpu}, and no machine of ${name} has enough of it free`
  return null
}

function obstacle(controller: Controller, platform: PlatformName, spec: InstanceSpec): string | null {
  const found = controller.fingerprints.find((item) => item.platform === platform)
  if (!found) return `${controller.name} has no ${platform}`
  if (!found.usable) return `${platform} on ${controller.name} is not usable: ${found.detail}`
  if (spec.network === 'internet' && !found.network && platform !== 'process')
    return `${platform} on ${controller.name} has no network`
  // Ports that nobody reaches and links that lead nowhere are no service: unlike a session it is not started without.
  if (spec.network === 'local' && found.localNetwork === false)
    return `${platform} on ${controller.name} has no networks of its own`
  const { most, memoryFreeBytes: free } = controller.capacity ?? {}
  // Of a cluster whose machines nobody may read nothing is known: what fits nowhere waits there and says why.
  if (platform === 'kubernetes') return most ? unfit(controller.name, most, spec) : null
  // The limit is a ceiling, not a reservation: a quarter of it must be free for a start that is worth trying.
  if (free !== undefined && free - RESERVE_BYTES < spec.resources.memoryBytes / 4)
    return `${controller.name} has too little free memory`
  return null
}

/** Where something could be started at all, in the usual order. */
export const offeredBy = (controllers: readonly Controller[]): PlatformName[] =>
  platformName.options.filter((platform) =>
    controllers.some(
      ({ state, cordoned, fingerprints }) =>
        state === 'online' && !cordoned && fingerprints.some((it) => it.platform === platform && it.usable),
    ),
  )

/** The platform order decides first; among equals the controller with the most free memory. Throws placement.none. */
export function place(
  controllers: readonly Controller[],
  { spec, platforms, labels = {} }: PlacementRequest,
): Placement {
  const online = controllers.filter((controller) => controller.state === 'online')
  const problems: string[] = []
  const open = online.filter((controller) => {
    const problem = closed(controller, labels)
    if (problem) problems.push(problem)
    return !problem
  })
  for (const platform of platforms) {
    const able = open.filter((controller) => {
      const problem = obstacle(controller, platform, spec)
      if (problem) problems.push(problem)
      return !problem
    })
    const best = able.sort(
      (a, b) => (b.capacity?.memoryFreeBytes ?? 0) - (a.capacity?.memoryFreeBytes ?? 0),
    )[0]
    if (best) return { controllerId: best.id, platform }
  }
  const problem = online.length === 0 ? 'no controller is connected' : problems.join('; ')
  throw fail('placement.none', { problem })
}
