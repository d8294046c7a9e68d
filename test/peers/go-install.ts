/** Programs of Go modules, built once into a folder of their own behind a stamp. */
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PeerContext } from '@kalnet/cli/suite/peers'
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

/** `what`: as `go install` takes it, with its version. */
export const goInstall = (context: Context, { what, ...place }: Place & { what: string }): Promise<void> =>
  into(context, place, (beside, go) => go(['install', what], beside))

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
