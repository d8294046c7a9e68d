/** The cluster that this controller was told to drive, from its configuration. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import type { Images } from '../../images/images.ts'
import { createRegistryImages } from '../../images/oci/push.ts'
import type { Platform } from '../platform.ts'
import { createKubernetesPlatform } from './kubernetes.ts'
import { type ClusterConfig, settingsOf } from './settings.ts'

/** By this our things in a cluster are known again, also beside those of another installation. Made once. */
export function installationIn(folders: Folders): string {
  const file = join(folders.data, 'kubernetes', 'installation')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    // Only the first writes it.
    writeFileSync(file, randomBytes(16).toString('hex'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8').trim()
}

export function clusterOf(parts: {
  folders: Folders
  images: Images
  log: Log
  cluster?: ClusterConfig
}): Platform {
  const { folders, images, log, cluster } = parts
  const settings = settingsOf(cluster)
  const registry = createRegistryImages({ images })
  return createKubernetesPlatform({
    settings,
    installation: installationIn(folders),
    ensurePushed: registry.ensurePushed,
    known: () => registry.list(settings.registry),
    log,
  })
}
