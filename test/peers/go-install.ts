/** Programs of Go modules, built once into a folder of their own behind a stamp. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PeerContext } from '@kalnet/cli/suite/peers'
import { must } from '@kalnet/io/spawn'

const LIMIT_MS = 900_000

export const hasStamp = async (folder: string, stamp: string): Promise<boolean> =>
  (await readFile(join(folder, 'stamp'), 'utf8').catch(() => '')) === stamp

/** `what`: as `go install` takes it, with its version. Beside and renamed: a broken run leaves nothing that looks whole. */
export async function goInstall(
  { env, signal, say }: Pick<PeerContext, 'env' | 'signal' | 'say'>,
  { folder, stamp, what }: { folder: string; stamp: string; what: string },
): Promise<void> {
  const beside = `${folder}.${process.pid}`
  await rm(beside, { recursive: true, force: true })
  await mkdir(beside, { recursive: true })
  say('building')
  await must('go', ['install', what], {
    // Only modules; a failed look-up must not try version control.
    env: { ...env, GOBIN: beside, CGO_ENABLED: '0', GOVCS: '*:off', GOFLAGS: '-trimpath' },
    cwd: beside,
    signal,
    timeoutMs: LIMIT_MS,
  })
  await writeFile(join(beside, 'stamp'), stamp)
  await rm(folder, { recursive: true, force: true })
  await rename(beside, folder)
}
