/** Programs of Go modules, built once into a folder of their own behind a stamp. */
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PeerContext, peerCache } from '@kalnet/cli/suite/peers'
import { must } from '@kalnet/io/spawn'

const LIMIT_MS = 900_000

export const hasStamp = async (folder: string, stamp: string): Promise<boolean> =>
  (await readFile(join(folder, 'stamp'), 'utf8').catch(() => '')) === stamp

type Context = Pick<PeerContext, 'env' | 'signal' | 'say'>
interface Place {
  folder: string
  stamp: string
}

/** Beside and renamed: a broken run leaves nothing that looks whole. */
async function into(
  { env, signal, say }: Context,
  { folder, stamp }: Place,
  make: (beside: string, go: (words: readonly string[], cwd: string) => Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  const beside = `${folder}.${process.pid}`
  await rm(beside, { recursive: true, force: true })
  await mkdir(beside, { recursive: true })
  say('building')
  await make(beside, (words, cwd) =>
    must('go', words, {
      // Only modules; a failed look-up must not try version control.
      env: { ...env, GOBIN: beside, CGO_ENABLED: '0', GOVCS: '*:off', GOFLAGS: '-trimpath' },
      cwd,
      signal,
      timeoutMs: LIMIT_MS,
    }),
  )
  await writeFile(join(beside, 'stamp'), stamp)
  await rm(folder, { recursive: true, force: true })
  await rename(beside, folder)
}

/** A program as `go install` gives it. `from`: its package, without a version; `stamp` is raised when the way of installing changes. */
export function goProgram(it: {
  name: string
  version: string
  from: string
  /** Where the package is not called as its program is. */
  program?: string
  stamp?: number
}) {
  const { name, version, from, stamp = 1, program = from.slice(from.lastIndexOf('/') + 1) } = it
  const place = (cache: string): Place => ({
    folder: join(cache, name, version),
    stamp: `${version}-${stamp}`,
  })
  const isInstalled = async (cache: string) => {
    const { folder, stamp: wanted } = place(cache)
    return existsSync(join(folder, program)) && (await hasStamp(folder, wanted))
  }
  return {
    /** Another one that comes with it, by its name. */
    path: (which = program) => join(place(peerCache(process.env)).folder, which),
    isHere: () => isInstalled(peerCache(process.env)),
    async ensure({ env, cache, signal, say }: PeerContext) {
      if (!(await isInstalled(cache)))
        await into({ env, signal, say }, place(cache), (beside, go) =>
          go(['install', `${from}@v${version}`], beside),
        )
    },
  }
}

/** `sources`: a folder with main.go, go.mod and go.sum, each with `.text` behind its name; `program`: what it becomes. */
export const goBuild = (
  context: Context,
  { sources, program, ...place }: Place & { sources: string; program: string },
): Promise<void> =>
  into(context, place, async (beside, go) => {
    const source = join(beside, 'source')
    await mkdir(source)
    for (const name of ['main.go', 'go.mod', 'go.sum'])
      await copyFile(join(sources, `${name}.text`), join(source, name))
    await go(['build', '-ldflags', '-s -w', '-o', join(beside, program), '.'], source)
    await rm(source, { recursive: true, force: true })
  })
