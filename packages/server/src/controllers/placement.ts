/** Which controller runs a new instance, or in words why none can. */
import type { Controller, Labels } from '@kalnet/contracts/controller'
import { fail, KalnetError } from '@kalnet/contracts/errors'
import { type InstanceSpec, type PlatformName, platformName } from '@kalnet/contracts/instance'
import { CONSIDERED_MOST, type Placed, type Placing, type Points } from '@kalnet/contracts/placing'
import { imageParts } from '@kalnet/io/image-digest'
import { type Candidate, MEMORY_SHARE, memoryFree, score, total } from './scoring.ts'

export interface Placement {
  controllerId: string
  platform: PlatformName
  /** Why there. */
  placed: Placed
}
export interface PlacementRequest {
  spec: InstanceSpec
  /** What the template allows, in the order of preference; a person's wish narrows it to one. */
  platforms: readonly PlatformName[]
  /** Only controllers that carry all of these. */
  labels?: Labels
  placing?: Placing
  /** Controllers where something of the person is: a wish, never more. */
  near?: ReadonlySet<string>
}

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

function obstacle(controller: Candidate, platform: PlatformName, spec: InstanceSpec): string | null {
  const found = controller.fingerprints.find((item) => item.platform === platform)
  if (!found) return `${controller.name} has no ${platform}`
  if (!found.usable) return `${platform} on ${controller.name} is not usable: ${found.detail}`
  if (spec.network === 'internet' && !found.network && platform !== 'process')
    return `${platform} on ${controller.name} has no network`
  // Ports that nobody reaches and links that lead nowhere are no service: unlike a session it is not started without.
  if (spec.network === 'local' && found.localNetwork === false)
    return `${platform} on ${controller.name} has no networks of its own`
  // Of a cluster whose machines nobody may read nothing is known: what fits nowhere waits there and says why.
  if (platform === 'kubernetes') {
    const most = controller.capacity?.most
    return most ? unfit(controller.name, most, spec) : null
  }
  const free = memoryFree(controller)
  if (free === null || free >= spec.resources.memoryBytes * MEMORY_SHARE) return null
  const starting = controller.starting?.instances ?? 0
  const beside =
    starting > 0 ? ` beside the ${starting} that ${starting === 1 ? 'is' : 'are'} starting there` : ''
  return `${controller.name} has too little free memory${beside}`
}

/** Where something could be started at all, in the usual order. */
export const offeredBy = (controllers: readonly Controller[]): PlatformName[] =>
  platformName.options.filter((platform) =>
    controllers.some(
      ({ state, cordoned, fingerprints }) =>
        state === 'online' && !cordoned && fingerprints.some((it) => it.platform === platform && it.usable),
    ),
  )

interface Able {
  it: Candidate
  points: Points
}
/** More points first; among equals the one that runs less, packed the one that runs more. */
const byPoints =
  (placing: Placing) =>
  (one: Able, other: Able): number => {
    const difference = total(other.points) - total(one.points)
    if (Math.abs(difference) > 0.001) return difference
    const fewer = one.it.instances - other.it.instances
    return placing === 'pack' ? -fewer : fewer
  }

/** The platform order decides first, then what must be, then points (scoring.ts). Throws placement.none. */
export function place(candidates: readonly Candidate[], request: PlacementRequest): Placement {
  const { spec, platforms, labels = {}, placing = 'spread', near = new Set() } = request
  const wanted = { asked: spec.resources, placing, image: imageParts(spec.image), near }
  const problems = new Map<Candidate, string[]>()
  const note = (it: Candidate, problem: string | null) => {
    if (problem) problems.set(it, [...(problems.get(it) ?? []), problem])
    return problem === null
  }
  const online = candidates.filter((it) => it.state === 'online')
  const open = online.filter((it) => note(it, closed(it, labels)))
  for (const platform of platforms) {
    const able = open
      .filter((it) => note(it, obstacle(it, platform, spec)))
      .map((it) => ({ it, points: score(it, platform, wanted) }))
      .sort(byPoints(placing))
    const [best] = able
    if (best) return { controllerId: best.it.id, platform, placed: told(placing, able, candidates, problems) }
  }
  const problem =
    online.length === 0 ? 'no controller is connected' : [...problems.values()].flat().join('; ')
  throw fail('placement.none', { problem })
}

/** As `place`, first where the fewest of its replicas are. `replicas`: the controller of each. */
export function placeApart(
  candidates: readonly Candidate[],
  replicas: readonly string[],
  request: PlacementRequest,
): Placement {
  const countOf = ({ id }: Candidate) => replicas.filter((it) => it === id).length
  const counts = [...new Set(candidates.map(countOf))].sort((one, other) => one - other)
  for (const most of counts.slice(0, -1)) {
    const [fewer, more] = [true, false].map((is) => candidates.filter((it) => countOf(it) <= most === is))
    try {
      const placement = place(fewer ?? [], request)
      return {
        ...placement,
        placed: withOthers(placement.placed, more ?? [], (it) => `${it.name} runs a replica of it`),
      }
    } catch (error) {
      if (!(error instanceof KalnetError)) throw error
    }
  }
  return place(candidates, request)
}

/** The same, with more that were looked at and could not be chosen. */
function withOthers(
  placed: Placed,
  more: readonly Candidate[],
  problemOf: (it: Candidate) => string,
): Placed {
  const told = more
    .slice(0, CONSIDERED_MOST - placed.considered.length)
    .map((it) => ({ controllerId: it.id, name: it.name, points: null, problem: problemOf(it) }))
  const others = placed.others + more.length - told.length
  return { placing: placed.placing, considered: [...placed.considered, ...told], others }
}

function told(
  placing: Placing,
  able: readonly Able[],
  candidates: readonly Candidate[],
  problems: ReadonlyMap<Candidate, readonly string[]>,
): Placed {
  const chosen = new Set(able.map(({ it }) => it))
  const considered = able
    .slice(0, CONSIDERED_MOST)
    .map(({ it, points }) => ({ controllerId: it.id, name: it.name, points, problem: null }))
  return withOthers(
    { placing, considered, others: able.length - considered.length },
    candidates.filter((it) => !chosen.has(it)),
    (it) => problems.get(it)?.join('; ') ?? `${it.name} is not connected`,
  )
}
