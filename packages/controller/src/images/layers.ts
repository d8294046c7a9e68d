/** An image as an engine loads it: one layer per recipe, so that images of one chain share what they have in common. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { must } from '@kalnet/io/spawn'
import { digestOf } from './digest.ts'
import type { Images, Report } from './images.ts'
import { bytesOf, differences, readTree, type Tree } from './tree.ts'

const LIMIT_MS = 10 * 60_000
/** Nanoseconds, as the engine counts. */
const SECOND = 1_000_000_000

/** What an engine calls the image of a chain. */
export const referenceOf = (chain: RecipeChain): string =>
  `kalnet/${chain.at(-1)?.name}:${digestOf(chain).slice(0, 20)}`

const architecture = () => (process.arch === 'x64' ? 'amd64' : process.arch)

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** Names that tell the engine that something of the layer below is gone (OCI image layout: whiteouts). */
const whiteout = (path: string) => {
  const at = path.lastIndexOf('/') + 1
  return `${path.slice(0, at)}.wh.${path.slice(at)}`
}

async function packLayer(
  options: { root: string; below: Tree; tree: Tree; scratch: string; target: string },
  signal: AbortSignal,
): Promise<void> {
  const { root, below, tree, scratch, target } = options
  const { changed, removed } = differences(below, tree)
  const names = (paths: string[]) => Buffer.concat(paths.flatMap((path) => [bytesOf(path), Buffer.from([0])]))
  const list = `${scratch}.list`
  const gone = `${scratch}.gone`
  await writeFile(list, names(changed))
  const how = [
    '--format=pax',
    '--pax-option=delete=atime,delete=ctime',
    '--numeric-owner',
    '--owner=0',
    '--group=0',
  ]
  const from = ['--no-recursion', '--null', '--verbatim-files-from', `--files-from=${list}`]
  await must('tar', ['--create', `--file=${target}`, ...how, `--directory=${root}`, ...from], {
    signal,
    timeoutMs: LIMIT_MS,
  })
  if (removed.length > 0) {
    const marks = removed.map(whiteout)
    for (const mark of marks) {
      const whole = Buffer.concat([Buffer.from(`${gone}/`), bytesOf(mark)])
      const folder = whole.subarray(0, whole.lastIndexOf('/'))
      await mkdir(folder, { recursive: true })
      await writeFile(whole, '')
    }
    await writeFile(list, names(marks))
    await must(
      'tar',
      ['--append', `--file=${target}`, ...how, '--mtime=@0', `--directory=${gone}`, ...from],
      {
        signal,
        timeoutMs: LIMIT_MS,
      },
    )
  }
  await rm(list, { force: true })
  await rm(gone, { recursive: true, force: true })
}

export interface Exported {
  /** Holds manifest.json and what it names, in the form that `docker load` takes when packed. */
  folder: string
  reference: string
  drop(): Promise<void>
}

/** Builds the image where it is missing and lays it out for an engine. The caller drops the folder after use. */
export async function exportImage(
  images: Images,
  chain: RecipeChain,
  signal: AbortSignal,
  progress: Report,
): Promise<Exported> {
  const root = await images.ensureRoot(chain, signal, (it) =>
    progress({ text: it.text, share: it.share * 0.8 }),
  )
  const reference = referenceOf(chain)
  await mkdir(join(images.folder, 'stage'), { recursive: true })
  const folder = await mkdtemp(join(images.folder, 'stage', 'export-'))
  const drop = () => rm(folder, { recursive: true, force: true })
  try {
    const layers: string[] = []
    const sums: string[] = []
    let below: Tree = new Map()
    for (let depth = 1; depth <= chain.length; depth++) {
      const part = chain.slice(0, depth)
      progress({ text: `Packing ${part.at(-1)?.name}`, share: 0.8 + (0.15 * depth) / chain.length })
      const itsRoot = depth === chain.length ? root : await images.ensureRoot(part, signal, progress)
      const scratch = join(folder, `scratch-${depth}`)
      const tree = await readTree(itsRoot, `${scratch}.tree`, signal)
      const name = `${digestOf(part)}.tar`
      await packLayer({ root: itsRoot, below, tree, scratch, target: join(folder, name) }, signal)
      layers.push(name)
      sums.push(`sha256:${await sha256(join(folder, name))}`)
      below = tree
    }
    const isChecked = await stat(join(root, 'usr/lib/kalnet/healthy')).catch(() => null)
    const config = JSON.stringify({
      architecture: architecture(),
      os: 'linux',
      config: {
        User: '1000:1000',
        WorkingDir: '/home/user',
        Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/home/user', 'LANG=C.UTF-8'],
        Labels: { 'io.kalnet.image': digestOf(chain) },
        ...(isChecked && {
          Healthcheck: {
            Test: ['CMD', '/usr/lib/kalnet/healthy'],
            Interval: 30 * SECOND,
            Timeout: 5 * SECOND,
            StartPeriod: 10 * SECOND,
            Retries: 3,
          },
        }),
      },
      rootfs: { type: 'layers', diff_ids: sums },
    })
    const configName = `${createHash('sha256').update(config).digest('hex')}.json`
    await writeFile(join(folder, configName), config)
    const manifest = [{ Config: configName, RepoTags: [reference], Layers: layers }]
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest))
    return { folder, reference, drop }
  } catch (error) {
    await drop()
    throw error
  }
}
