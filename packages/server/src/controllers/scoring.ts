/**
 * What speaks for a controller among those that could all run something. Pure: one small table of weights, and how much of each a
 * controller has earned. A part is between 0 and 1; memory and CPU are down to -1 where more is asked for than there is.
 */
import type { Controller } from '@kalnet/contracts/controller'
import type { PlatformName } from '@kalnet/contracts/instance'
import type { Placing, Points } from '@kalnet/contracts/placing'

/**
 * | part   | weight | why so much |
 * | image  | 3      | making or fetching one takes minutes: worth a controller that is half full, not one that is full |
 * | memory | 3      | what runs out first, and hurts most |
 * | cpu    | 2      | is shared, and comes back by itself |
 * | person | 1      | what is theirs is together, where nothing speaks against it |
 */
export const WEIGHTS: Readonly<Points> = { image: 3, memory: 3, cpu: 2, person: 1 }

/** What has begun on a controller and is not in its capacity yet, as the limits of its instances say. */
export interface Starting {
  instances: number
  memoryBytes: number
  cpus: number
}
/** A controller, with what is known here and it has not told. */
export interface Candidate extends Controller {
  /** On its own machine. */
  starting?: Starting
  /** On the machines of its cluster. */
  startingElsewhere?: Starting
  /** Platforms on which the image has run there. */
  ran?: readonly PlatformName[]
}

/** Leaves the machine itself this much memory. */
export const RESERVE_BYTES = 128 * 2 ** 20
/** The limit of memory is a ceiling, not a reservation: so much of it counts until it is known what is really used. */
export const MEMORY_SHARE = 1 / 4
const NOTHING: Starting = { instances: 0, memoryBytes: 0, cpus: 0 }

/** Of the machine itself, without what is about to be used of it. Null: it has not told. */
export function memoryFree({ capacity, starting = NOTHING }: Candidate): number | null {
  return capacity && capacity.memoryFreeBytes - RESERVE_BYTES - starting.memoryBytes * MEMORY_SHARE
}

interface Room {
  memory: number
  cpu: number
}
/** What would be left if it used all that it may, as shares of all there is. Null: it is not known. */
function left(
  it: Candidate,
  platform: PlatformName,
  asked: { memoryBytes: number; cpus: number },
): Room | null {
  const { capacity, starting = NOTHING, startingElsewhere = NOTHING } = it
  if (!capacity) return null
  const share = (free: number, all: number) => (all > 0 ? Math.max(-1, Math.min(1, free / all)) : 0)
  if (platform !== 'kubernetes')
    return {
      memory: share((memoryFree(it) ?? 0) - asked.memoryBytes, capacity.memoryBytes),
      cpu: share(capacity.cpus - capacity.load1 - starting.cpus - asked.cpus, capacity.cpus),
    }
  const { most } = capacity
  if (!most) return null
  // A cluster sets aside what is asked for. What begins there is somewhere in it: it counts in all of it, where that is what was told.
  const isCluster = it.fingerprints.every((one) => one.platform === 'kubernetes')
  const whole = isCluster ? capacity : most
  return {
    memory: share(
      whole.memoryFreeBytes - startingElsewhere.memoryBytes - asked.memoryBytes,
      whole.memoryBytes,
    ),
    cpu: share(most.cpusFree, most.cpus),
  }
}

/** Packed, the fullest is the best as long as it is enough; what is too much speaks against it either way. */
const earned = (free: number, placing: Placing) => (placing === 'pack' && free >= 0 ? 1 - free : free)

/** How much of an image is there: the layers it begins with are shared. `parts`: as `imageParts` of io/image-digest.ts says. */
function imageThere(it: Candidate, platform: PlatformName, parts: readonly string[]): number {
  if (parts.length === 0) return 0
  if (it.ran?.includes(platform)) return 1
  const has = it.fingerprints.find((one) => one.platform === platform)?.images ?? []
  return (parts.findLastIndex((part) => has.includes(part)) + 1) / parts.length
}

export interface Wanted {
  asked: { memoryBytes: number; cpus: number }
  placing: Placing
  image: readonly string[]
  /** Controllers where something of the person is. */
  near: ReadonlySet<string>
}

export function score(it: Candidate, platform: PlatformName, wanted: Wanted): Points {
  const room = left(it, platform, wanted.asked)
  const of = (part: keyof Points, share: number) => Math.round(share * WEIGHTS[part] * 100) / 100
  return {
    image: of('image', imageThere(it, platform, wanted.image)),
    memory: of('memory', room ? earned(room.memory, wanted.placing) : 0),
    cpu: of('cpu', room ? earned(room.cpu, wanted.placing) : 0),
    person: of('person', wanted.near.has(it.id) ? 1 : 0),
  }
}

export const total = ({ image, memory, cpu, person }: Points): number => image + memory + cpu + person
