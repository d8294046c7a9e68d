/**
 * The ways to the ports of a pod: by its address where its walls let us in, so that what is open lives on without the API of the cluster;
 * else through that API, which ends on the pod's loopback.
 */
import type { Address } from '@kalnet/contracts/instance'
import type { Log } from '@kalnet/io/log'
import type { V1Pod, V1Secret } from '@kubernetes/client-node'
import { datagramsAt } from '../dial-net.ts'
import type { Handle, Platform } from '../platform.ts'
import type { Api } from './api.ts'
import { dialPod, NobodyListens } from './direct.ts'
import { openDisplay, type Screen } from './display.ts'
import { forward } from './forward.ts'
import { SCREEN_CERTIFICATE, SCREEN_KEY } from './given.ts'
import { paths } from './names.ts'
import { observationOf } from './observation.ts'
import { type Pods, whereOf } from './pods.ts'
import { isDirect, waysOf, wayTo } from './ports.ts'
import { relayDatagrams, relayUnix } from './relay.ts'
import type { PodStore } from './store.ts'

type Dialling = Required<Pick<Platform, 'dial' | 'dialDatagrams' | 'addresses'>>

/** What fails because the pod does not run is said so. */
export async function whileItRuns<T>(pods: Pods, handle: Handle, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // Asked only now: the usual way costs nothing. Of a cluster that is away nothing is known, and the first error says more.
    const pod = await pods.read(whereOf(handle)).catch(() => undefined)
    if (pod === null || (pod && observationOf(pod).state !== 'running'))
      throw new Error('it is not running', { cause: error })
    throw error
  }
}

export function createDialling(parts: {
  api: Api
  pods: Pods
  store: Pick<PodStore, 'all'>
  log: Log
}): Dialling & { forget(handle: Handle): void } {
  const { api, pods, store, log } = parts
  /** By pod; they never change while it lives. */
  const screens = new Map<string, Screen>()
  const hosts = new Map<string, string>()

  async function screenOf(handle: Handle): Promise<Screen> {
    const known = screens.get(whereOf(handle).name)
    if (known) return known
    const { namespace, name } = whereOf(handle)
    const path = paths.secret(namespace, name)
    const { data } = await api.get<V1Secret>(path)
    const read = (key: string) => Buffer.from(data?.[key] ?? '', 'base64').toString('latin1')
    const found = { secret: read(SCREEN_KEY), certificate: read(SCREEN_CERTIFICATE) || null }
    // One that is reached by the network is never spoken to in the clear.
    if (!found.secret || (isDirect(handle) && !found.certificate))
      throw new Error('the secret of its screen is gone')
    screens.set(whereOf(handle).name, found)
    return found
  }

  const addressOf = (pod: V1Pod | null) =>
    pod && observationOf(pod).state === 'running' ? pod.status?.podIP : undefined

  /** While the cluster is away, what it said last: no pod begins without it that could have got the address since. */
  async function hostOf(handle: Handle): Promise<string> {
    const name = whereOf(handle).name
    const known = hosts.get(name)
    if (known && store.all() === null) return known
    const host = addressOf(await pods.read(whereOf(handle)))
    if (!host) {
      hosts.delete(name)
      throw new Error('it is not running')
    }
    hosts.set(name, host)
    return host
  }

  /** Whoever listens on the loopback alone is reached there: it is the same pod, and it said so itself. */
  async function connection(handle: Handle, port: number, signal: AbortSignal) {
    if (!isDirect(handle)) return forward(api, handle, port, signal)
    try {
      return await dialPod(await hostOf(handle), port, signal)
    } catch (error) {
      if (!(error instanceof NobodyListens)) throw error
      const stream = await forward(api, handle, port, signal)
      log.info({ pod: whereOf(handle).name, port }, 'a port is on the loopback alone: forwarded by the API')
      return stream
    }
  }

  return {
    forget(handle) {
      screens.delete(whereOf(handle).name)
      hosts.delete(whereOf(handle).name)
    },
    async dial(handle, portName, signal) {
      const way = wayTo(handle, portName)
      return whileItRuns(pods, handle, async () => {
        if ('unix' in way) return relayUnix(api, handle, way.unix, signal)
        if ('tcp' in way) return connection(handle, way.tcp, signal)
        if (!('display' in way)) throw new Error(`${portName} is no port for connections`)
        const screen = await screenOf(handle)
        return openDisplay(await connection(handle, way.display, signal), screen, signal)
      })
    },
    async dialDatagrams(handle, portName, signal) {
      const way = wayTo(handle, portName)
      if (!('udp' in way)) throw new Error(`${portName} is no port for datagrams`)
      return whileItRuns(pods, handle, async () =>
        isDirect(handle)
          ? datagramsAt({ host: await hostOf(handle), port: way.udp }, signal)
          : relayDatagrams(api, handle, way.udp, signal),
      )
    },
    /** Only what its walls let in; a screen is for its controller alone. */
    async addresses(handle) {
      if (!isDirect(handle)) return {}
      const host = addressOf(await pods.read(whereOf(handle)))
      if (!host) return {}
      const found = Object.entries(waysOf(handle)).flatMap(([name, way]): [string, Address][] => {
        if ('tcp' in way) return [[name, { host, port: way.tcp }]]
        return 'udp' in way ? [[name, { host, port: way.udp }]] : []
      })
      return Object.fromEntries(found)
    },
  }
}
