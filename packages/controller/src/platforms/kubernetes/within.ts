/** What goes on with a pod while it runs: connections to its ports and out of its links, programs run in it, files put into it. */
import type { V1Secret } from '@kubernetes/client-node'
import type { Handle, Platform } from '../platform.ts'
import { type Api, isGone } from './api.ts'
import { openDisplay } from './display.ts'
import { forward } from './forward.ts'
import { placed, SCREEN_KEY } from './given.ts'
import { NOTES, paths } from './names.ts'
import { observationOf } from './observation.ts'
import { type Pods, whereOf } from './pods.ts'
import { wayTo } from './ports.ts'
import { relayDatagrams, relayListeners, relayUnix } from './relay.ts'
import { runInside } from './run-inside.ts'

type Within = Required<
  Pick<Platform, 'dial' | 'dialDatagrams' | 'addresses' | 'listenInside' | 'place' | 'exec'>
>

export function createWithin(parts: { api: Api; pods: Pods }): Within & { forget(handle: Handle): void } {
  const { api, pods } = parts
  /** By pod; they never change while it lives. */
  const screens = new Map<string, string>()

  async function whileItRuns<T>(handle: Handle, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      // Asked only now: the usual way costs nothing.
      const pod = await pods.read(whereOf(handle))
      if (!pod || observationOf(pod).state !== 'running')
        throw new Error('it is not running', { cause: error })
      throw error
    }
  }

  const secretPath = (handle: Handle) => paths.secret(whereOf(handle).namespace, whereOf(handle).name)
  async function screenSecret(handle: Handle): Promise<string> {
    const known = screens.get(whereOf(handle).name)
    if (known) return known
    const { data } = await api.get<V1Secret>(secretPath(handle))
    const found = Buffer.from(data?.[SCREEN_KEY] ?? '', 'base64').toString('latin1')
    if (!found) throw new Error('the secret of its screen is gone')
    screens.set(whereOf(handle).name, found)
    return found
  }

  return {
    forget: (handle) => void screens.delete(whereOf(handle).name),
    async dial(handle, portName, signal) {
      const way = wayTo(handle, portName)
      return whileItRuns(handle, async () => {
        if ('unix' in way) return relayUnix(api, handle, way.unix, signal)
        if ('tcp' in way) return forward(api, handle, way.tcp, signal)
        if (!('display' in way)) throw new Error(`${portName} is no port for connections`)
        const secret = await screenSecret(handle)
        return openDisplay(await forward(api, handle, way.display, signal), secret, signal)
      })
    },
    async dialDatagrams(handle, portName, signal) {
      const way = wayTo(handle, portName)
      if (!('udp' in way)) throw new Error(`${portName} is no port for datagrams`)
      return whileItRuns(handle, () => relayDatagrams(api, handle, way.udp, signal))
    },
    // Its address is the cluster's own, and its walls let nobody come by it.
    addresses: async () => ({}),
    listenInside: (handle, places, take, signal, broken) =>
      whileItRuns(handle, () => relayListeners(api, handle, places, take, signal, broken)),
    exec: (handle, command, signal, timeoutMs) =>
      whileItRuns(handle, () => runInside(api, handle, command, signal, timeoutMs)),
    async place(handle, folder, files) {
      const pod = await pods.read(whereOf(handle))
      if (!pod || observationOf(pod).state !== 'running') throw new Error('it is not running')
      if (!pod.spec?.volumes?.some((it) => it.name === `given-${folder}`))
        throw new Error(`it has no folder ${folder}`)
      const there = await api.get<V1Secret>(secretPath(handle)).catch((error) => {
        if (isGone(error)) return null
        throw error
      })
      if (there) await api.patch(secretPath(handle), placed(there, folder, files))
      else throw new Error(`it has no folder ${folder}`)
      // A machine looks at a pod's Secrets once a minute; at once when the pod itself changes.
      const changed = { metadata: { annotations: { [NOTES.changed]: new Date().toISOString() } } }
      await api.patch(paths.pod(whereOf(handle).namespace, whereOf(handle).name), changed)
    },
  }
}
