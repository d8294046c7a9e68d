/** The platforms this controller can drive: one line each. */
import { join } from 'node:path'
import type { PlatformName } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import type { Images } from '../images/images.ts'
import { createDockerPlatform } from './docker/docker.ts'
import { createFakePlatform } from './fake/fake.ts'
import { createFakeWorld } from './fake/world.ts'
import { clusterOf } from './kubernetes/cluster-of.ts'
import type { ClusterConfig } from './kubernetes/settings.ts'
import type { Platform } from './platform.ts'
import { createProcessPlatform } from './process/process.ts'

interface Parts {
  folders: Folders
  images: Images
  log: Log
  /** Where networks of containers are cut from. */
  networkRange?: string
  /** Which cluster `kubernetes` is. */
  cluster?: ClusterConfig
}

const PLATFORMS: Record<PlatformName, (parts: Parts) => Platform> = {
  fake: ({ folders }) => {
    const world = createFakeWorld({ clock: systemClock, file: join(folders.data, 'fake-world.json') })
    return createFakePlatform({ world, clock: systemClock })
  },
  process: (parts) => createProcessPlatform(parts),
  docker: (parts) => createDockerPlatform(parts),
  kubernetes: (parts) => clusterOf(parts),
}

/** What a machine offers unless told otherwise; the fake one only by name. */
const USUAL: PlatformName[] = ['process', 'docker']

export function createPlatforms({ which, ...parts }: Parts & { which?: PlatformName[] }): Platform[] {
  const usual: PlatformName[] = parts.cluster?.enabled ? [...USUAL, 'kubernetes'] : USUAL
  return (which ?? usual).map((name) => PLATFORMS[name](parts))
}
