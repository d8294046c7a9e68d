/** Images are brought to the machines of a cluster before anybody waits for them: what is used, or what is named. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { V1Node } from '@kubernetes/client-node'
import { createLimit } from '../../limit.ts'
import { problemInWords } from '../reasons.ts'
import type { Api } from './api.ts'
import { LABELS, paths } from './names.ts'
import { type Pods, whereOfPod } from './pods.ts'
import type { KubernetesSettings } from './settings.ts'
import { nameOf, type PodStore } from './store.ts'
import { has, isBrought, isOpen, type WarmAround, type WarmImage, warmPodOf } from './warm-pod.ts'

/** A registry carries this many machines at once beside what people start. */
const AT_ONCE = 4
const BRING_MS = 900_000
/** A machine tells of a new image a moment after it has it. */
const TOLD_MS = 600_000
/** What failed is tried again, and what was used since is found. */
const AGAIN_MS = 300_000
/** From memory: it costs no question. */
const LOOK_MS = 5_000

/** Brings one image to one machine; there already is done already. Answers how long it took. */
export async function bring(
  it: { api: Api; pods: Pods; clock: Clock },
  image: WarmImage,
  machine: string,
  around: WarmAround,
  signal: AbortSignal,
): Promise<number> {
  const startedAt = it.clock.now().getTime()
  const pod = warmPodOf(image, machine, around)
  const at = whereOfPod(pod)
  try {
    await it.api.apply(paths.pod(at.namespace, at.name), pod)
    let last = 'its machine does not begin with it'
    await it.pods.until(
      at,
      (found) => {
        last = found?.status?.conditions?.find((one) => one.status === 'False')?.message ?? last
        return isBrought(found)
      },
      {
        signal,
        limitMs: BRING_MS,
        late: () => new Error(`The image is not there after ${BRING_MS / 60_000} minutes: ${last}`),
      },
    )
    return it.clock.now().getTime() - startedAt
  } finally {
    // Also when nobody waits any more: the next round would find it and remove it, too.
    await it.pods.remove(at).catch(() => undefined)
  }
}

/** Of several under one name the one that came last: recipes change. */
export function wantedOf(
  choice: KubernetesSettings['warm'],
  known: readonly (WarmImage & { pushedAt: string })[],
): WarmImage[] {
  const newest = new Map<string, WarmImage & { pushedAt: string }>()
  for (const one of known) {
    const there = newest.get(one.name)
    if (!there || there.pushedAt < one.pushedAt) newest.set(one.name, one)
  }
  const isWanted = (name: string) => choice.includes('used') || choice.includes(name)
  return [...newest.values()]
    .filter((it) => isWanted(it.name))
    .map(({ name, reference }) => ({ name, reference }))
    .sort((one, other) => one.name.localeCompare(other.name))
}

export interface WarmState {
  name: string
  /** Machines that have it, of those that take instances. */
  there: number
  machines: number
  /** Why one does not get it; null: all is well. */
  problem: string | null
}

export interface WarmingParts {
  api: Api
  pods: Pods
  store: Pick<PodStore, 'all'>
  /** As they were told last; null: we may not look. */
  machines(): V1Node[] | null
  /** What was brought to the registry, or found there. */
  known(): Promise<(WarmImage & { pushedAt: string })[]>
  settings: KubernetesSettings
  installation: string
  changed(): void
  clock: Clock
  log: Log
}

export function createWarming(parts: WarmingParts) {
  const { api, pods, store, settings, installation, changed, clock, log } = parts
  const around = { installation, namespace: settings.namespace, pullSecret: settings.pullSecret }
  /** `machine reference` → until when it counts as there, or as not to be tried. */
  const believed = new Map<string, number>()
  const problems = new Map<string, string>()
  const active = new Set<string>()
  let wanted: WarmImage[] = []
  let isDue = true
  const key = (image: WarmImage, machine: string) => `${machine} ${image.reference}`
  const named = (node: V1Node) => node.metadata?.name ?? ''
  const open = () => (parts.machines() ?? []).filter(isOpen)
  const isThere = (image: WarmImage, node: V1Node) =>
    has(node, image) ||
    ((believed.get(key(image, named(node))) ?? 0) > clock.now().getTime() &&
      !problems.has(key(image, named(node))))

  async function bringOne(image: WarmImage, machine: string, signal: AbortSignal) {
    const its = key(image, machine)
    const { name = '' } = warmPodOf(image, machine, around).metadata ?? {}
    active.add(name)
    try {
      const ms = await bring({ api, pods, clock }, image, machine, around, signal)
      problems.delete(its)
      believed.set(its, clock.now().getTime() + TOLD_MS)
      log.info({ image: image.name, machine, ms }, 'an image was brought to a machine')
    } catch (error) {
      if (signal.aborted) return
      problems.set(its, problemInWords(error))
      believed.set(its, clock.now().getTime() + AGAIN_MS)
      log.warn({ image: image.name, machine, problem: problemInWords(error) }, 'an image was not brought')
    } finally {
      active.delete(name)
      changed()
    }
  }

  /** What a controller that was killed has left. */
  async function clear() {
    for (const pod of store.all() ?? [])
      if (pod.metadata?.labels?.[LABELS.brings] && !active.has(nameOf(pod)))
        await pods.remove(whereOfPod(pod)).catch(() => undefined)
  }

  async function round(signal: AbortSignal) {
    wanted = wantedOf(settings.warm, await parts.known())
    changed()
    await clear()
    const now = clock.now().getTime()
    const limit = createLimit(AT_ONCE)
    const missing = wanted.flatMap((image) =>
      open()
        .filter((node) => !has(node, image) && (believed.get(key(image, named(node))) ?? 0) <= now)
        .map((node) => limit(() => bringOne(image, named(node), signal), signal).catch(() => undefined)),
    )
    await Promise.all(missing)
  }

  return {
    /** Something was used that was not known before. */
    poke() {
      isDue = true
    },
    state: (): WarmState[] =>
      wanted.map((image) => {
        const machines = open()
        const problem = machines
          .map((node) => problems.get(key(image, named(node))))
          .find((it) => it !== undefined)
        const there = machines.filter((node) => isThere(image, node)).length
        return { name: image.name, there, machines: machines.length, problem: problem?.slice(0, 500) ?? null }
      }),
    /** Until the signal. Nothing is asked while nothing is due. */
    async run(signal: AbortSignal) {
      if (settings.warm.length === 0 || !settings.registry) return
      let seen = ''
      let lookedAt = 0
      while (!signal.aborted) {
        const names = open().map(named).sort().join()
        const now = clock.now().getTime()
        if (names && (isDue || names !== seen || now - lookedAt >= AGAIN_MS)) {
          isDue = false
          seen = names
          lookedAt = now
          await round(signal).catch((error: unknown) =>
            log.warn({ problem: problemInWords(error) }, 'images could not be brought to machines'),
          )
        }
        await clock.sleep(LOOK_MS, signal).catch(() => undefined)
      }
    },
  }
}
export type Warming = ReturnType<typeof createWarming>
