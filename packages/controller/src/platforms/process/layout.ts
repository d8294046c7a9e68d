/** Where the process platform keeps what it has of an instance, and what its things are called on the machine. */
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Folders } from '@kalnet/io/folders'

const shortened = (text: string, length: number) =>
  createHash('sha256').update(text).digest('hex').slice(0, length)

export interface Layout {
  /** Four letters that tell this installation's things from another one's on the same machine. */
  installation: string
  instances: string
  of(instanceId: string): InstancePaths
}
export interface InstancePaths {
  short: string
  folder: string
  state: string
  log: string
  /** Written by bubblewrap itself, one JSON document a line: it outlives us. */
  status: string
  pid: string
  arguments: string
  resolver: string
  hosts: string
  /** Links to what launch.sh shows besides the root, the home and the shared folder. */
  shown: string
  home: string
  /** Shared with the instance as /run/kalnet. Short, for it holds sockets. */
  run: string
  /** What we put in: beside the shared folder, for the instance must not be able to replace it. */
  given: string
  /** Names for cgroups and network namespaces. */
  name: string
  /** At most 15 letters (IFNAMSIZ). */
  networkDevice: string
  /** The same for a network that leads nowhere: the filter tells them apart by the letter l, which no number has. */
  localDevice: string
}

export function createLayout(folders: Folders): Layout {
  const installation = shortened(resolve(folders.data), 4)
  const instances = join(resolve(folders.data), 'instances')
  return {
    installation,
    instances,
    of(instanceId) {
      const short = shortened(instanceId, 8)
      const folder = join(instances, instanceId)
      return {
        short,
        folder,
        state: join(folder, 'instance.json'),
        log: join(folder, 'log'),
        status: join(folder, 'status'),
        pid: join(folder, 'pid'),
        arguments: join(folder, 'arguments'),
        resolver: join(folder, 'resolv.conf'),
        hosts: join(folder, 'hosts'),
        shown: join(folder, 'shown'),
        home: join(folder, 'home'),
        run: join(resolve(folders.runtime), 'i', short),
        given: join(resolve(folders.runtime), 'g', short),
        name: `kalnet-${installation}-${short}`,
        networkDevice: `kn${installation}${short}`,
        localDevice: `kn${installation}l${short}`,
      }
    },
  }
}
