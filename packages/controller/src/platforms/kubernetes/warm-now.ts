/** Images to the machines of a cluster, once and now: what `kalnet images warm` does, beside a controller or without one. */
import { type Clock, systemClock } from '@kalnet/io/clock'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import type { V1Node } from '@kubernetes/client-node'
import { createLimit } from '../../limit.ts'
import { createApi } from './api.ts'
import { installationIn } from './cluster-of.ts'
import { inWords } from './making.ts'
import { ownerLabels, selector } from './names.ts'
import { createPods } from './pods.ts'
import type { KubernetesSettings } from './settings.ts'
import { createSignIn } from './sign-in.ts'
import { createSpaces } from './spaces.ts'
import { createPodStore } from './store.ts'
import { has, isOpen, type WarmImage } from './warm-pod.ts'
import { bring } from './warming.ts'

const AT_ONCE = 4

export interface Machines {
  /** Those that take instances, by name. */
  names: string[]
  has(machine: string, image: WarmImage): boolean
  /** How long each took; those that had it are not among them. */
  bringTo(
    machines: readonly string[],
    image: WarmImage,
    said: (machine: string, ms: number) => void,
  ): Promise<void>
}

/** Throws a sentence for people where the cluster cannot be asked. */
export async function machinesOf(of: {
  settings: KubernetesSettings
  folders: Folders
  log: Log
  signal: AbortSignal
  clock?: Clock
}): Promise<Machines> {
  const { settings, log, signal, clock = systemClock } = of
  const api = createApi(createSignIn(settings))
  const installation = installationIn(of.folders)
  const spaces = createSpaces({ api, settings, installation, clock })
  const labelSelector = selector(ownerLabels({ installation }))
  const store = createPodStore({ api, spaces, labelSelector, clock, log })
  const pods = createPods({ api, store, installation, spaces, clock })
  const { items } = await inWords(() => api.get<{ items: V1Node[] }>('/api/v1/nodes'))
  const open = new Map(items.filter(isOpen).map((it) => [it.metadata?.name ?? '', it]))
  const around = { installation, namespace: settings.namespace, pullSecret: settings.pullSecret }
  const limit = createLimit(AT_ONCE)
  return {
    names: [...open.keys()].sort(),
    has(machine, image) {
      const node = open.get(machine)
      return node !== undefined && has(node, image)
    },
    async bringTo(machines, image, said) {
      const each = machines.map((machine) =>
        limit(async () => {
          const ms = await inWords(() => bring({ api, pods, clock }, image, machine, around, signal))
          said(machine, ms)
        }, signal),
      )
      // All are tried; the first that failed is what is told.
      const failed = (await Promise.allSettled(each)).find((it) => it.status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    },
  }
}
