/** How an instance comes to be in a cluster: everything that must stand before its program, then the program. Done twice, it is one. */
import type { Progress } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import type { V1NetworkPolicy, V1Pod } from '@kubernetes/client-node'
import { createLimit } from '../../limit.ts'
import { InstanceLost, PlatformAway, Refused } from '../away.ts'
import type { EnsureRequest, Handle } from '../platform.ts'
import { problemInWords } from '../reasons.ts'
import { type Api, ApiProblem, isBusy } from './api.ts'
import { ingressOf } from './callers.ts'
import { newSecret } from './display.ts'
import { secretOf } from './given.ts'
import { createKnocking } from './knocking.ts'
import { paths, podName, type Where } from './names.ts'
import { hasBegun, refusalInWords, waitingOf } from './observation.ts'
import { handleFrom, podOf } from './pod.ts'
import { type Pods, whereOfPod } from './pods.ts'
import { policyOf } from './policy.ts'
import { hasScreen, isDirect } from './ports.ts'
import { newCertificate } from './screen-certificate.ts'
import type { KubernetesSettings } from './settings.ts'
import type { Spaces } from './spaces.ts'
import { nameOf, type PodStore } from './store.ts'
import { ensureClaims } from './volumes.ts'
import { noteOf } from './walls.ts'

export interface MakingParts {
  api: Api
  pods: Pods
  store: PodStore
  spaces: Spaces
  installation: string
  settings: KubernetesSettings
  imageOf(request: EnsureRequest, signal: AbortSignal, say: (it: Progress) => void): Promise<string>
}

type Say = (it: Progress) => void
/** Those that came first are whole first; waiting for a machine is no work of ours and has no limit. */
const MADE_AT_ONCE = 16
const isGated = (pod: V1Pod) => (pod.spec?.schedulingGates ?? []).length > 0

/** The API's refusals as sentences. */
export async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error
    const words = refusalInWords(error.status, error.message)
    throw new (isBusy(error.status) ? PlatformAway : Error)(words, { cause: error })
  }
}

/** What cannot be looked at says nothing, whatever the reason is. */
export async function looked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await inWords(work)
  } catch (error) {
    if (error instanceof PlatformAway || error instanceof InstanceLost) throw error
    throw new PlatformAway(problemInWords(error), { cause: error })
  }
}

export function createMaking(parts: MakingParts) {
  const { api, pods, store, spaces, installation, settings } = parts
  const takeTurn = createLimit(MADE_AT_ONCE)
  const knocking = createKnocking({ api, clock: systemClock })

  /** The pod first, held back: what else there is hangs on it, so that nothing is left when it goes. */
  async function make(request: EnsureRequest, image: string, namespace: string): Promise<V1Pod> {
    const { spec, organisationId } = request
    await ensureClaims(api, spec.volumes, { installation, namespace, organisationId, settings })
    const direct = settings.direct.controllers.length > 0
    const around = { installation, namespace, image, pullSecret: settings.pullSecret, direct }
    const wanted = podOf(request, around)
    const path = paths.pod(namespace, nameOf(wanted))
    const pod = await api.apply<V1Pod>(path, wanted)
    const secret = secretOf(pod, request, {
      installation,
      screenSecret: newSecret(),
      screenTls: direct && hasScreen(spec) ? newCertificate() : null,
    })
    const policy = policyOf(pod, {
      ...request,
      installation,
      network: spec.network,
      closed: settings.closed,
      ingress: ingressOf(spec.ports, settings.direct),
    })
    const [kept] = await Promise.all([
      api.apply<V1NetworkPolicy>(paths.policy(namespace, nameOf(pod)), policy),
      Object.keys(secret.data ?? {}).length > 0 && api.apply(paths.secret(namespace, nameOf(pod)), secret),
    ])
    return api.apply<V1Pod>(path, {
      ...wanted,
      metadata: { ...wanted.metadata, annotations: { ...wanted.metadata?.annotations, ...noteOf(kept) } },
      spec: { ...wanted.spec, schedulingGates: undefined },
    })
  }

  async function waitForIt(at: Where, knocks: boolean, signal: AbortSignal, say: Say): Promise<Handle> {
    let last = ''
    const over = new AbortController()
    const ended = AbortSignal.any([signal, over.signal])
    const { promise: answered, resolve: answer } = Promise.withResolvers<Handle>()
    let isPlaced = false
    function place(handle: Handle) {
      isPlaced = true
      // A screen that is reached by its address alone is waited for until that is told.
      if (knocks && !isDirect(handle)) void knocking.until(handle, ended).then((it) => it && answer(handle))
    }
    const told = pods.until(
      at,
      (pod) => {
        if (!pod) throw new Error('It was removed from outside while it started')
        if (hasBegun(pod)) return handleFrom(pod)
        const waits = waitingOf(pod)
        if (waits?.isFinal) throw new (waits.isForGood ? Refused : Error)(waits.text)
        if (waits && waits.text !== last) {
          last = waits.text
          say({ step: 'create', text: last.slice(0, 200), share: null })
        }
        const handle = pod.spec?.nodeName && !isPlaced ? handleFrom(pod) : null
        if (handle) place(handle)
        return null
      },
      {
        signal: ended,
        limitMs: settings.patienceMs,
        late: () => new Error(last || 'No machine of the cluster began with it'),
      },
    )
    try {
      return await Promise.race([told, answered])
    } finally {
      over.abort()
      told.catch(() => undefined)
    }
  }

  return async function ensure(request: EnsureRequest, signal: AbortSignal, say: Say): Promise<Handle> {
    const { instanceId, generation } = request
    const knocks = hasScreen(request.spec)
    const present = (await pods.list(instanceId)).flatMap((pod) => {
      const handle = handleFrom(pod)
      return handle ? [{ pod, handle }] : []
    })
    const higher = present.find(({ handle }) => handle.generation > generation)
    if (higher) throw new Error(`generation ${higher.handle.generation} is already there`)
    for (const { pod, handle } of present)
      if (handle.generation < generation || pod.metadata?.deletionTimestamp)
        await pods.remove(whereOfPod(pod))
    const same = present.find(
      ({ pod, handle }) => handle.generation === generation && !pod.metadata?.deletionTimestamp,
    )
    if (same && !isGated(same.pod)) return waitForIt(whereOfPod(same.pod), knocks, signal, say)
    const image = await parts.imageOf(request, signal, say)
    signal.throwIfAborted()
    say({ step: 'create', text: 'Starting', share: null })
    const volumeIds = request.spec.volumes.map((it) => it.id)
    const namespace = await spaces.ensure(request.organisationId, volumeIds, signal)
    const at = { namespace, name: podName(installation, instanceId, generation) }
    try {
      store.take(await takeTurn(() => make(request, image, namespace), signal))
      return await waitForIt(at, knocks, signal, say)
    } catch (error) {
      spaces.doubt(namespace)
      // It may have come to be all the same: the next try finds it, and whatever is left in the end is found, too.
      const isUnknown = error instanceof PlatformAway || (error instanceof ApiProblem && isBusy(error.status))
      if (!isUnknown) await pods.remove(at).catch(() => undefined)
      throw error
    }
  }
}
