/** Kwok: machines of a cluster that only say that they are there, by the hundred. Built once, by whoever measures with it: no usual run needs it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type PeerContext, peerCache } from '@kalnet/cli/suite/peers'
import { goInstall, hasStamp } from './go-install.ts'

const VERSION = '0.7.0'
/** Raised when the way of installing changes. */
const STAMP = `${VERSION}-1`

const folderIn = (cache: string) => join(cache, 'kwok', VERSION)
const isInstalled = async (cache: string) =>
  existsSync(join(folderIn(cache), 'kwok')) && (await hasStamp(folderIn(cache), STAMP))

export const kwokProgram = (): string => join(folderIn(peerCache(process.env)), 'kwok')

export async function ensureKwok({ env, cache, signal, say }: PeerContext): Promise<void> {
  if (await isInstalled(cache)) return
  const what = `sigs.k8s.io/kwok/cmd/kwok@v${VERSION}`
  await goInstall({ env, signal, say }, { folder: folderIn(cache), stamp: STAMP, what })
}
