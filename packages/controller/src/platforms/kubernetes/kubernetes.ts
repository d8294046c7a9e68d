/** The kubernetes platform: each instance is a pod of a cluster. The cluster holds the truth; we keep no state of our own. */
import type { ClusterReport } from '@kalnet/contracts/cluster'
import type { Progress } from '@kalnet/contracts/instance'
import { type Clock, systemClock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { V1PersistentVolumeClaim } from '@kubernetes/client-node'
import type { EnsurePushed } from '../../images/oci/pushed.ts'
import { createKeyedMutex, createMutex } from '../mutex.ts'
import type { EnsureRequest, Platform } from '../platform.ts'
import { type Api, ApiProblem, createApi, isGone } from './api.ts'
import { createLooking } from './looking.ts'
import { createMaking, inWords, looked } from './making.ts'
import { CONTAINER, LABELS, ownerLabels, paths, selector, volumeName } from './names.ts'
import { createNews } from './news.ts'
import { createOverview } from './overview.ts'
import { GRACE_SECONDS, handleFrom } from './pod.ts'
import { createPods, whereOf } from './pods.ts'
import { portsOf } from './ports.ts'
import type { KubernetesSettings } from './settings.ts'
import { createSignIn } from './sign-in.ts'
import { createSpaces } from './spaces.ts'
import { createPodStore } from './store.ts'
import { useOf } from './use.ts'
import { measuredClaim, usersOf } from './volumes.ts'
import { createWalls } from './walls.ts'
import { createWarming, type WarmingParts } from './warming.ts'
import { createWithin } from './within.ts'

const END_SLACK_MS = 30_000
const CLAIM_MS = 60_000
const CLAIM_PAUSE_MS = 200

export interface KubernetesPlatformOptions {
  settings: KubernetesSettings
  /** What tells our things in a shared namespace from another installation's. */
  installation: string
  /** Brings the image of a recipe to the registry of the settings. */
  ensurePushed: EnsurePushed
  /** What was brought there, or found there, so far. */
  known?: WarmingParts['known']
  log: Log
  clock?: Clock
  /** For tests. */
  api?: Api
}

export function createKubernetesPlatform(options: KubernetesPlatformOptions): Platform {
  const { settings, installation, ensurePushed, log, clock = systemClock } = options
  const api = options.api ?? createApi(createSignIn(settings))
  const labelSelector = selector(ownerLabels({ installation }))
  const spaces = createSpaces({ api, settings, installation, clock })
  const store = createPodStore({ api, spaces, labelSelector, clock, log })
  const pods = createPods({ api, store, installation, spaces, clock })
  const cluster = createOverview({ api, store, settings, installation, clock, log })
  const { known = async () => [] } = options
  const around = { api, pods, store, installation, settings, clock, log }
  const warming = createWarming({ ...around, known, machines: cluster.machines, changed: cluster.changed })
  const walls = createWalls({ ...around, namespace: spaces.watched, labelSelector })
  // All go on while anybody listens.
  const run = async (signal: AbortSignal) =>
    void (await Promise.all([cluster.run(signal), warming.run(signal), walls.run(signal)]))
  /** The same object while nothing changed, as it is told. */
  const shown = new WeakMap<ClusterReport, ClusterReport>()
  function report(): ClusterReport | null {
    const of = cluster.report()
    if (!of || settings.warm.length === 0) return of
    const its = shown.get(of) ?? { ...of, images: warming.state() }
    shown.set(of, its)
    return its
  }
  const overview = { ...cluster, run, report }
  const news = createNews({ api, store, overview, settings, clock, log })
  const { forget, ...ways } = createWithin({ api, pods, store, log })
  const observe = createLooking({ api, pods, store, installation })
  const ensure = createMaking({ api, pods, store, spaces, installation, settings, imageOf })
  const oneAtATime = createKeyedMutex()
  /** What is taken is not removed at the same moment. */
  const volumesOneAtATime = createMutex()

  async function imageOf({ spec }: EnsureRequest, signal: AbortSignal, say: (it: Progress) => void) {
    if ('reference' in spec.image) return spec.image.reference
    if (!settings.registry)
      throw new Error('No registry is set that the cluster gets images of ours from (kubernetes.registry)')
    const { registry } = settings
    const { reference } = await ensurePushed({ chain: spec.image.recipe, registry, signal, say })
    warming.poke()
    return reference
  }

  async function removeVolume(volumeId: string) {
    const claim = volumeName(installation, volumeId)
    const [user] = usersOf(await pods.list(), claim)
    if (user) throw new Error(`the instance ${user.metadata?.labels?.[LABELS.instance]} uses the volume`)
    const claims = await spaces.claimsOf(volumeId)
    await Promise.all(claims.map(({ metadata }) => removeClaim(metadata?.namespace ?? '', claim)))
  }
  async function removeClaim(namespace: string, claim: string) {
    const path = paths.claim(namespace, claim)
    await api.remove(path)
    // The cluster keeps it while a pod that ended still has it; the same name can be made anew only when it is gone.
    const deadline = clock.now().getTime() + CLAIM_MS
    while (await isThere(path)) {
      if (clock.now().getTime() > deadline) throw new Error('the cluster still keeps the volume')
      await clock.sleep(CLAIM_PAUSE_MS)
    }
  }
  const isThere = (path: string) =>
    api.get<V1PersistentVolumeClaim>(path).then(
      () => true,
      (error: unknown) => {
        if (isGone(error)) return false
        throw error
      },
    )

  async function told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await inWords(work)
    } catch (error) {
      const { cause } = error as Error
      if (cause instanceof ApiProblem && [401, 403].includes(cause.status)) news.doubt()
      throw error
    }
  }

  return {
    name: 'kubernetes',
    isElsewhere: true,
    room: news.room,
    cluster: news.cluster,
    fingerprint: news.fingerprint,
    changes: news.changes,
    ...ways,
    ensure: (request, signal, progress) =>
      oneAtATime(request.instanceId, async () => {
        signal.throwIfAborted()
        // Refused before anything is made.
        portsOf(request.spec)
        return told(() => ensure(request, signal, progress))
      }),
    observe: (handle) => looked(() => observe(handle)),
    stop: (handle, graceMs) =>
      told(() => pods.end(whereOf(handle), graceMs + GRACE_SECONDS * 1000 + END_SLACK_MS)),
    remove: (handle) =>
      oneAtATime(handle.instanceId, async () => {
        forget(handle)
        await told(() => pods.remove(whereOf(handle)))
      }),
    list: () => looked(async () => (await pods.list()).flatMap((pod) => handleFrom(pod) ?? [])),
    use: (handles) => useOf({ api, pods, installation }, handles),
    measureVolume: (volumeId) => told(async () => measuredClaim((await spaces.claimsOf(volumeId))[0])),
    removeVolume: (volumeId) => volumesOneAtATime(() => told(() => removeVolume(volumeId))),
    async logs(handle, lines) {
      const query = { container: CONTAINER, tailLines: lines }
      try {
        const { namespace, name } = whereOf(handle)
        const text = await api.text(`${paths.pod(namespace, name)}/log`, query)
        return text.split('\n').filter(Boolean).slice(-lines)
      } catch (error) {
        // 400: its container has not begun yet; 404: nothing is there any more.
        if (error instanceof ApiProblem && [400, 404].includes(error.status)) return []
        throw error
      }
    },
  }
}
