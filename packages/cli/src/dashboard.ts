/** Builds the dashboard once for each state of its sources; the result is kept in packages/dashboard/dist. */
import { createHash } from 'node:crypto'
import { access, constants, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { must } from '@kalnet/io/spawn'
import type { Output } from './output.ts'
import { failed, refused } from './problem.ts'
import { ROOT } from './tree.ts'

const SOURCES = ['packages/dashboard', 'packages/contracts/src', 'package-lock.json']
const NOT_SOURCES = new Set(['node_modules', 'dist', 'generated'])

async function* files(path: string): AsyncGenerator<string> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOTDIR') return null
    throw error
  })
  if (!entries) return yield path
  for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    if (NOT_SOURCES.has(entry.name)) continue
    if (entry.isDirectory()) yield* files(join(path, entry.name))
    else if (entry.isFile() && !/\.test\.tsx?$/.test(entry.name)) yield join(path, entry.name)
  }
}

/** One digest over names and contents of everything the build reads. */
export async function sourcesDigest(root: string): Promise<string> {
  const hash = createHash('sha256')
  for (const source of SOURCES)
    for await (const file of files(join(root, source))) {
      hash.update(`${relative(root, file)}\0`)
      hash.update(await readFile(file))
    }
  return hash.digest('hex')
}

const mayWrite = (folder: string) =>
  access(folder, constants.W_OK).then(
    () => true,
    () => false,
  )

/** What was done beside it for less than this is not worth another word. */
const UNNOTICED_MS = 1_000

/**
 * `beside` is done meanwhile (fetching takes the network, building the processor); when it fails, so does this, and the build ends.
 */
export async function buildDashboard(
  output: Output,
  signal: AbortSignal,
  { root = ROOT, beside = async () => undefined }: { root?: string; beside?: () => Promise<void> } = {},
): Promise<void> {
  const home = join(root, 'packages/dashboard')
  const dist = join(home, 'dist')
  const digest = await sourcesDigest(root)
  if ((await readIfThere(join(dist, '.built-from'))) === digest) return beside()
  if (!(await mayWrite(home))) {
    await beside()
    // Somebody else's checkout: what its owner built serves, even when a source has changed since.
    if (await readIfThere(join(dist, 'index.html'))) return
    throw refused(
      `The dashboard is not built yet, and this user may not write in ${home}.`,
      'Ask the owner of the checkout to run `kalnet up` once, or make a checkout of your own.',
    )
  }
  const ending = new AbortController()
  let say: (line: string) => void = () => undefined
  const built = build({
    root,
    digest,
    signal: AbortSignal.any([signal, ending.signal]),
    onLine: (it) => say(it),
  })
  // Told below, or of no interest any more.
  built.catch(() => undefined)
  const began = performance.now()
  try {
    await beside()
  } catch (error) {
    ending.abort(error)
    await built.catch(() => undefined)
    throw error
  }
  const words =
    performance.now() - began < UNNOTICED_MS ? 'Building the dashboard' : 'Finishing the dashboard'
  await output.step(words, (told) => {
    say = told
    return built
  })
}

interface Build {
  root: string
  digest: string
  signal: AbortSignal
  onLine: (line: string) => void
}
async function build({ root, digest, signal, onLine }: Build): Promise<void> {
  const home = join(root, 'packages/dashboard')
  const dist = join(home, 'dist')
  // Beside it, on the same file system, and two at once do not meet.
  const fresh = join(root, '.kalnet', `dashboard-${process.pid}`)
  const old = `${fresh}.old`
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  try {
    await rm(fresh, { recursive: true, force: true })
    await must(process.execPath, [vite, 'build', '--logLevel', 'warn', '--outDir', fresh, '--emptyOutDir'], {
      cwd: home,
      env: { ...process.env, NODE_ENV: 'production' },
      timeoutMs: 300_000,
      signal,
      onLine,
    })
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    throw failed(
      'The dashboard could not be built.',
      error instanceof Error ? error.message : String(error),
      error,
    )
  }
  await writeWhole(join(fresh, '.built-from'), digest, 0o644)
  // Put in place whole: a server that runs never serves half of two builds.
  await rm(old, { recursive: true, force: true })
  await rename(dist, old).catch((error) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rename(fresh, dist)
  await rm(old, { recursive: true, force: true })
}
