/** Traefik 3: the production ingress, built once from its own modules; each start has a configuration and ports of its own. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Peer, peerCache } from '@kalnet/cli/suite/peers'
import { must } from '@kalnet/io/spawn'

const VERSION = '3.6.12'
/** Raised when the way of building changes. */
const STAMP = `${VERSION}-1`
const MODULE = 'github.com/traefik/traefik/v3'
const BUILD_MS = 20 * 60_000

const folderIn = (cache: string) => join(cache, 'traefik', VERSION)
export const traefikProgram = (cache = peerCache(process.env)): string => join(folderIn(cache), 'traefik')
const isBuilt = async (cache: string) =>
  existsSync(traefikProgram(cache)) &&
  (await readFile(join(folderIn(cache), 'stamp'), 'utf8').catch(() => '')) === STAMP

export const hasTraefik = (): Promise<boolean> => isBuilt(peerCache(process.env))

export const peer: Peer = {
  name: `Traefik ${VERSION}`,
  proves: 'that a real Traefik routes by what we render for it, as our own gateway does',
  async ensure({ env, cache, signal, say }) {
    if (await isBuilt(cache)) return
    const beside = `${folderIn(cache)}.${process.pid}`
    const source = join(beside, 'source')
    await rm(beside, { recursive: true, force: true })
    await mkdir(source, { recursive: true })
    const options = {
      cwd: source,
      // Only modules; a failed look-up must not try version control.
      env: { ...env, CGO_ENABLED: '0', GOVCS: '*:off', GOFLAGS: '-mod=mod -trimpath' },
      signal,
      timeoutMs: BUILD_MS,
    }
    say('downloading')
    const { stdout } = await must('go', ['mod', 'download', '-json', `${MODULE}@v${VERSION}`], {
      ...options,
      cwd: beside,
    })
    const { Dir: module } = JSON.parse(stdout) as { Dir: string }
    const lines = (await readFile(join(module, 'go.mod'), 'utf8')).replace(/^module .*/m, 'module peer')
    await writeFile(join(source, 'go.mod'), `${lines}\nrequire ${MODULE} v${VERSION}\n`)
    await writeFile(join(source, 'go.sum'), await readFile(join(module, 'go.sum')))
    say('building')
    await must(
      'go',
      ['build', '-ldflags', '-s -w', '-o', join(beside, 'traefik'), `${MODULE}/cmd/traefik`],
      options,
    )
    await rm(source, { recursive: true, force: true })
    await writeFile(join(beside, 'stamp'), STAMP)
    await rm(folderIn(cache), { recursive: true, force: true })
    await rename(beside, folderIn(cache))
  },
}
