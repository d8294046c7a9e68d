/** Where instances are in a cluster: in the one namespace that was given, or each organisation's in one of its own that we make. */
import type { Clock } from '@kalnet/io/clock'
import type { V1Namespace, V1ObjectMeta, V1PersistentVolumeClaim } from '@kubernetes/client-node'
import { createKeyedMutex } from '../mutex.ts'
import { type Api, ApiProblem, isGone } from './api.ts'
import { LABELS, ownerLabels, paths, selector, spaceName, volumeName } from './names.ts'
import type { KubernetesSettings } from './settings.ts'
import { furnish, namespaceOf } from './space-objects.ts'

/** What somebody changed in a namespace of ours is changed back at the next start after that. */
const KEPT_MS = 600_000

export interface Spaces {
  /** Which namespace tells us of pods; null: all do. */
  watched: string | null
  /** False: somebody wrote our labels where we have not been. */
  isOurs(it: { metadata?: V1ObjectMeta }): boolean
  /** Where something of an organisation is to be, with all that must stand there before it. */
  ensure(organisationId: string, volumeIds: readonly string[], signal: AbortSignal): Promise<string>
  /** The next `ensure` looks at it again: something was refused there. */
  doubt(namespace: string): void
  /** Claims of a volume of ours, wherever they are. */
  claimsOf(volumeId: string): Promise<V1PersistentVolumeClaim[]>
}

async function ifThere<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (isGone(error)) return null
    throw error
  }
}

export interface SpacesParts {
  api: Api
  settings: KubernetesSettings
  installation: string
  clock: Clock
}

export function createSpaces(parts: SpacesParts): Spaces {
  const { api, settings, installation, clock } = parts
  const base = settings.namespace
  if (settings.namespaces === 'one')
    return {
      watched: base,
      isOurs: () => true,
      ensure: async () => base,
      doubt: () => undefined,
      async claimsOf(volumeId) {
        const claim = await ifThere(
          api.get<V1PersistentVolumeClaim>(paths.claim(base, volumeName(installation, volumeId))),
        )
        return claim ? [claim] : []
      },
    }

  const oneAtATime = createKeyedMutex()
  /** Namespace → until when it is taken as it was left. */
  const made = new Map<string, number>()
  const nameFor = (organisationId: string) => spaceName(base, installation, organisationId)

  const isOurs: Spaces['isOurs'] = ({ metadata = {} }) =>
    metadata.namespace === base ||
    metadata.namespace === nameFor(metadata.labels?.[LABELS.organisation] ?? '')
  async function claimsOf(volumeId: string) {
    const labelSelector = selector({ ...ownerLabels({ installation }), [LABELS.volume]: volumeId })
    const path = paths.claims(null)
    const { items } = await api.get<{ items: V1PersistentVolumeClaim[] }>(path, { labelSelector })
    return items.filter(isOurs)
  }

  const read = (name: string) => ifThere(api.get<V1Namespace>(paths.namespace(name)))
  async function create(wanted: V1Namespace, name: string): Promise<V1Namespace | null> {
    try {
      return await api.post<V1Namespace>(paths.namespaces, wanted)
    } catch (error) {
      // Somebody was faster: whose it is now is looked at.
      if (error instanceof ApiProblem && error.status === 409) return read(name)
      throw error
    }
  }

  /** Nothing is touched before it is known to be ours. */
  async function make(organisationId: string, name: string, signal: AbortSignal) {
    const wanted = namespaceOf(name, { installation, organisationId })
    const there = (await read(name)) ?? (await create(wanted, name))
    const labels = there?.metadata?.labels ?? {}
    const isIt = Object.entries(ownerLabels({ installation, organisationId })).every(
      ([label, value]) => labels[label] === value,
    )
    if (!isIt)
      throw new Error(
        `The namespace ${name} is there already and is not ours, so nothing in it is touched; take it away, or choose another kubernetes.namespace`,
      )
    if (there?.status?.phase === 'Terminating')
      throw new Error(`The namespace ${name} is being taken away; it is made anew when it is gone`)
    await api.apply(paths.namespace(name), wanted)
    await furnish({ api, settings, clock, signal, name, owner: { installation, organisationId } })
  }

  /** Volumes cannot move: what has some from before there were namespaces for organisations stays with them. */
  async function isHeldBack(name: string, volumeIds: readonly string[]): Promise<boolean> {
    const claims = (await Promise.all(volumeIds.map(claimsOf))).flat()
    const places = new Set(claims.map((it) => it.metadata?.namespace))
    if (places.has(base) && places.has(name))
      throw new Error(
        `Its volumes are in two namespaces, ${base} and ${name}, and it can be in one only; move those in ${base}`,
      )
    return places.has(base)
  }

  return {
    watched: null,
    isOurs,
    claimsOf,
    doubt: (namespace) => void made.delete(namespace),
    async ensure(organisationId, volumeIds, signal) {
      const name = nameFor(organisationId)
      if (await isHeldBack(name, volumeIds)) return base
      return oneAtATime(name, async () => {
        const now = clock.now().getTime()
        if ((made.get(name) ?? 0) > now) return name
        await make(organisationId, name, signal)
        made.set(name, now + KEPT_MS)
        return name
      })
    },
  }
}
