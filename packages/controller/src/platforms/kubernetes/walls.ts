/** Walls stay as they were made: whoever else changes or deletes the policy of a pod that lives finds it put back. What they were stands at the pod. */
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { V1NetworkPolicy, V1NetworkPolicySpec, V1Pod } from '@kubernetes/client-node'
import { problemInWords } from '../reasons.ts'
import type { Api } from './api.ts'
import { createFollowed } from './followed.ts'
import { NOTES, paths } from './names.ts'
import { hasBegun } from './observation.ts'
import { ownedBy } from './owner.ts'
import { nameOf, type PodStore } from './store.ts'

/** What is told of pods and of policies comes by two ways: one may be ahead. Whoever changes them again and again is answered more and more slowly. */
const PAUSE_MS = 1_000
const MOST_MS = 60_000

/** The same for the same walls: the API leaves out what is empty, and sorts as it likes. */
export function textOf(spec: unknown): string {
  const plain = (it: unknown): unknown => {
    if (Array.isArray(it)) return it.length > 0 ? it.map(plain) : undefined
    if (typeof it !== 'object' || it === null) return it
    const fields = Object.entries(it)
      .map(([name, value]) => [name, plain(value)] as const)
      .filter(([, value]) => value !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1))
    return Object.fromEntries(fields)
  }
  return JSON.stringify(plain(spec)) ?? ''
}

/** What is written at a pod of the policy that the cluster has. */
export const noteOf = ({ spec }: V1NetworkPolicy): Record<string, string> => ({
  [NOTES.walls]: JSON.stringify(spec ?? {}),
})

const isAlive = (pod: V1Pod) =>
  !pod.metadata?.deletionTimestamp && !['Failed', 'Succeeded'].includes(pod.status?.phase ?? '')
const keyOf = (pod: V1Pod) => `${pod.metadata?.namespace}/${nameOf(pod)}`

function wantedOf(pod: V1Pod): V1NetworkPolicySpec | null {
  const note = pod.metadata?.annotations?.[NOTES.walls]
  if (!note || !hasBegun(pod) || !isAlive(pod)) return null
  try {
    return JSON.parse(note) as V1NetworkPolicySpec
  } catch {
    // Somebody wrote there: what the walls were is not known any more.
    return null
  }
}

export function createWalls(parts: {
  api: Api
  store: Pick<PodStore, 'all'>
  /** Null: of all namespaces. */
  namespace: string | null
  labelSelector: string
  clock: Clock
  log: Log
}) {
  const { api, store, clock, log } = parts
  let poke: () => void = () => undefined
  let isPoked = false
  const followed = createFollowed<V1NetworkPolicy, { key: string; text: string }>({
    api,
    path: paths.policies(parts.namespace),
    query: { labelSelector: parts.labelSelector },
    keep: ({ metadata, spec }) => ({ key: `${metadata?.namespace}/${metadata?.name}`, text: textOf(spec) }),
    changed() {
      isPoked = true
      poke()
    },
    clock,
    log,
  })

  /** How many were not as they should be. */
  async function mend(): Promise<number> {
    const [told, pods] = [followed.all(), store.all()]
    if (!told || !pods) return 0
    const there = new Map(told.map(({ key, text }) => [key, text]))
    let broken = 0
    for (const pod of pods) {
      const spec = wantedOf(pod)
      if (!spec || there.get(keyOf(pod)) === textOf(spec)) continue
      broken += 1
      const { namespace = '', labels } = pod.metadata ?? {}
      log.warn({ pod: nameOf(pod) }, 'its walls were changed by somebody else and are put back')
      await api.apply(paths.policy(namespace, nameOf(pod)), {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: nameOf(pod), namespace, labels, ownerReferences: [ownedBy(pod)] },
        // Said also where there is none: what is not said stays as others made it.
        spec: { ...spec, ingress: spec.ingress ?? [], egress: spec.egress ?? [] },
      })
    }
    return broken
  }

  return {
    async run(signal: AbortSignal): Promise<void> {
      const following = followed.run(signal)
      for (let fights = 0; !signal.aborted; ) {
        if (!isPoked)
          await new Promise<void>((resolve) => {
            poke = resolve
            signal.addEventListener('abort', () => resolve(), { once: true })
          })
        await clock.sleep(backoff(fights, PAUSE_MS, MOST_MS), signal).catch(() => undefined)
        if (signal.aborted) break
        isPoked = false
        try {
          fights = (await mend()) > 0 ? fights + 1 : 0
        } catch (error) {
          log.warn({ problem: problemInWords(error) }, 'walls could not be put back yet')
          fights += 1
          isPoked = true
        }
      }
      await following
    },
  }
}
