/** Where the docker platform keeps what an instance writes, and what its things are called in the engine. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Folders } from '@kalnet/io/folders'

const shortened = (text: string, length: number) =>
  createHash('sha256').update(text).digest('hex').slice(0, length)

export interface DockerLayout {
  /** Tells this installation's things from another one's on the same engine. */
  installation: string
  of(instanceId: string): {
    folder: string
    home: string
    passwd: string
    group: string
    run: string
    /** What we put in: beside the shared folder, for the instance must not be able to replace it. */
    given: string
  }
}

export function createDockerLayout(folders: Folders): DockerLayout {
  const installation = shortened(folders.data, 8)
  return {
    installation,
    of(instanceId) {
      const folder = join(folders.data, 'docker', instanceId)
      return {
        folder,
        home: join(folder, 'home'),
        passwd: join(folder, 'passwd'),
        group: join(folder, 'group'),
        // Shared with the instance as /run/kalnet. Short, for it holds sockets.
        run: join(folders.runtime, 'd', shortened(instanceId, 8)),
        given: join(folders.runtime, 'h', shortened(instanceId, 8)),
      }
    },
  }
}
