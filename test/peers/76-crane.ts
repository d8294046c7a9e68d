/** Crane: somebody else's program that reads images in a registry and says whether they are right. Built once. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Peer, peerCache } from '@kalnet/cli/suite/peers'
import { goInstall, hasStamp } from './go-install.ts'

const VERSION = '0.22.1'
/** Raised when the way of installing changes. */
const STAMP = `${VERSION}-1`

const folderIn = (cache: string) => join(cache, 'crane', VERSION)
const isInstalled = async (cache: string) =>
  existsSync(join(folderIn(cache), 'crane')) && (await hasStamp(folderIn(cache), STAMP))

export const craneProgram = (): string => join(folderIn(peerCache(process.env)), 'crane')
export const hasCrane = (): Promise<boolean> => isInstalled(peerCache(process.env))

export const peer: Peer = {
  name: `crane ${VERSION}`,
  proves: 'that images pushed to a registry are what they should be, by a program that is not ours',
  async ensure({ env, cache, signal, say }) {
    if (await isInstalled(cache)) return
    await goInstall(
      { env, signal, say },
      {
        folder: folderIn(cache),
        stamp: STAMP,
        what: `github.com/google/go-containerregistry/cmd/crane@v${VERSION}`,
      },
    )
  },
}
