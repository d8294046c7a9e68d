/** Takes away all that an installation has in the engine and in the machine's filter: for `kalnet down --purge`. Can be done twice. */
import { resolve } from 'node:path'
import type { Folders } from '@kalnet/io/folders'
import type Docker from 'dockerode'
import { createEngine, statusOf } from './engine.ts'
import { ownNames } from './image.ts'
import { containersOf } from './inventory.ts'
import { createDockerLayout } from './layout.ts'
import { createInstanceNetworks } from './network.ts'

export interface DockerRemains {
  containers: number
  networks: number
  images: number
}

/** What was removed; null when the engine does not answer, so that nothing is known of it. */
export async function purgeDocker(options: {
  folders: Folders
  socketPath?: string
  /** For tests: the next one need not hand the image to the engine again. */
  keepImages?: boolean
}): Promise<DockerRemains | null> {
  const { installation } = createDockerLayout({ ...options.folders, data: resolve(options.folders.data) })
  const engine = createEngine(options.socketPath)
  const networks = createInstanceNetworks(engine, installation)
  let client: Docker
  try {
    client = await engine.client()
  } catch (error) {
    if (statusOf(error) !== null) throw error
    return null
  }
  const containers = await containersOf(engine, { installation })
  for (const { Id } of containers) await client.getContainer(Id).remove({ force: true, v: true }).catch(gone)
  const count = await networks.removeAll()
  return {
    containers: containers.length,
    networks: count,
    images: await removeImages(client, installation, options.keepImages === true),
  }
}

const gone = (error: unknown) => {
  if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error
}

/** Our name goes from each image; the image with the last installation's name. */
async function removeImages(client: Docker, installation: string, keepImages: boolean): Promise<number> {
  const filters = JSON.stringify({ label: ['io.kalnet.image'] })
  let count = 0
  for (const { RepoTags } of await client.listImages({ filters })) {
    const names = RepoTags ?? []
    const own = names.filter((it) => it.startsWith(ownNames(installation)))
    if (own.length === 0) continue
    const others = names.filter((it) => !own.includes(it))
    const isShared = others.some((it) => !it.startsWith('kalnet/'))
    // 409: a container that is not ours runs from it, so it is somebody's.
    for (const name of [...own, ...(isShared || keepImages ? [] : others)])
      await client.getImage(name).remove().catch(gone)
    count += 1
  }
  return count
}
