/** Helm: reads the chart as those do who install by it. Built once. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Peer, peerCache } from '@kalnet/cli/suite/peers'
import { goInstall, hasStamp } from './go-install.ts'

const VERSION = '3.19.0'
/** Raised when the way of installing changes. */
const STAMP = `${VERSION}-1`

const folderIn = (cache: string) => join(cache, 'helm', VERSION)
const isInstalled = async (cache: string) =>
  existsSync(join(folderIn(cache), 'helm')) && (await hasStamp(folderIn(cache), STAMP))

export const helmProgram = (): string => join(folderIn(peerCache(process.env)), 'helm')
export const hasHelm = (): Promise<boolean> => isInstalled(peerCache(process.env))

export const peer: Peer = {
  name: `helm ${VERSION}`,
  proves: 'that the chart is right, and gives what `kalnet render --kubernetes` gives',
  async ensure({ env, cache, signal, say }) {
    if (await isInstalled(cache)) return
    await goInstall(
      { env, signal, say },
      {
        folder: folderIn(cache),
        stamp: STAMP,
        what: `helm.sh/helm/v3/cmd/helm@v${VERSION}`,
      },
    )
  },
}
