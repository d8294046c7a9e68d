/** What goes on with a pod while it runs: connections to its ports and out of its links, programs run in it, files put into it. */
import type { Log } from '@kalnet/io/log'
import type { V1Secret } from '@kubernetes/client-node'
import type { Handle, Platform } from '../platform.ts'
import { type Api, isGone } from './api.ts'
import { createDialling, whileItRuns } from './dialling.ts'
import { placed } from './given.ts'
import { NOTES, paths } from './names.ts'
import { observationOf } from './observation.ts'
import { type Pods, whereOf } from './pods.ts'
import { relayListeners } from './relay.ts'
import { runInside } from './run-inside.ts'
import type { PodStore } from './store.ts'

type Within = Required<
  Pick<Platform, 'dial' | 'dialDatagrams' | 'addresses' | 'listenInside' | 'place' | 'exec'>
>

export function createWithin(parts: {
  api: Api
  pods: Pods
  store: PodStore
  log: Log
}): Within & { forget(handle: Handle): void } {
  const { api, pods } = parts
  const dialling = createDialling(parts)
  const secretPath = (handle: Handle) => paths.secret(whereOf(handle).namespace, whereOf(handle).name)

  return {
    ...dialling,
    listenInside: (handle, places, take, signal, broken) =>
      whileItRuns(pods, handle, () => relayListeners(api, handle, places, take, signal, broken)),
    exec: (handle, command, signal, timeoutMs) =>
      whileItRuns(pods, handle, () => runInside(api, handle, command, signal, timeoutMs)),
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
