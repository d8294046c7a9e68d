/** An image as an engine loads it: one layer per recipe, so that images of one chain share what they have in common. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { digestOf } from '@kalnet/io/image-digest'
import { must } from '@kalnet/io/spawn'
import { describe, referenceOf } from './described.ts'
import type { Images, Report } from './images.ts'
import { withLayer } from './pack.ts'
import { readTree, type Tree } from './tree.ts'

const LIMIT_MS = 10 * 60_000

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
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
      const target = join(folder, name)
      await withLayer({ root: itsRoot, below, tree, scratch }, (args) =>
        must('tar', [...args, `--file=${target}`], { signal, timeoutMs: LIMIT_MS }),
      )
      layers.push(name)
      sums.push(`sha256:${await sha256(target)}`)
      below = tree
    }
    const config = await describe({ chain, root, sums })
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
