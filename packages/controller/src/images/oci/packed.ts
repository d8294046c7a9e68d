/** A layer as a registry takes it: packed, compressed and summed on the way to disk, never whole in memory; its sums are kept beside its root. */
import { createHash, type Hash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { start } from '@kalnet/io/spawn'
import { v7 as newId } from 'uuid'
import { z } from 'zod'
import type { ImageRecord, Images } from '../images.ts'
import { withLayer } from '../pack.ts'
import { readTree, type Tree } from '../tree.ts'

/** A third of the time of the usual level for a tenth more bytes. */
const LEVEL = 3
const PACK_LIMIT_MS = 15 * 60_000
const OLD_MS = 24 * 3_600_000
const PREFIX = 'packed-'

const layerRecord = z.object({
  /** Sum and size as it is sent. */
  digest: z.string(),
  size: z.number(),
  /** Its sum before it is compressed. */
  sum: z.string(),
  /** Of the root below: a layer is the difference of two. */
  below: z.string().nullable(),
})
export type LayerRecord = z.infer<typeof layerRecord>

/** One layer of a chain: its root, and the root that it is compared with. */
export interface LayerPlace {
  name: string
  root: string
  below: { root: string; builtAt: string } | null
}

/** Where the layers of a chain are; what is missing is built first. */
export async function placesOf(
  images: Images,
  chain: RecipeChain,
  signal: AbortSignal,
  progress: (text: string, share: number) => void,
): Promise<{ places: LayerPlace[]; record: ImageRecord }> {
  const places: LayerPlace[] = []
  await images.ensureRoot(chain, signal, ({ text, share }) => progress(text, share))
  let below: LayerPlace['below'] = null
  let record: ImageRecord | undefined
  for (let depth = 1; depth <= chain.length; depth++) {
    const part = chain.slice(0, depth)
    const root = await images.ensureRoot(part, signal, ({ text }) => progress(text, 1))
    record = (await images.list()).find((it) => it.digest === images.digest(part))
    if (!record) throw new Error('an image went away while it was looked at')
    places.push({ name: record.name, root, below })
    below = { root, builtAt: record.builtAt }
  }
  if (!record) throw new Error('a recipe chain has at least one layer')
  return { places, record }
}

/** Beside the root, so that it goes with it. */
const recordOf = ({ root }: LayerPlace) => join(dirname(root), 'layer.json')
const belowOf = ({ below }: LayerPlace) => below?.builtAt ?? null

/** What an earlier packing said, while both roots are the same. */
export async function knownLayer(place: LayerPlace): Promise<LayerRecord | null> {
  const text = await readIfThere(recordOf(place))
  const known = layerRecord.safeParse(text && JSON.parse(text)).data
  return known && known.below === belowOf(place) ? known : null
}

const summing = (hash: Hash, count: (bytes: number) => void = () => undefined) =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      count(chunk.length)
      done(null, chunk)
    },
  })

async function compress(args: string[], target: string, signal: AbortSignal) {
  const pack = start('tar', [...args, '--file=-'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    pack.once('error', reject)
    pack.once('close', resolve)
  })
  let said = ''
  pack.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-500)
  })
  const inner = createHash('sha256')
  const outer = createHash('sha256')
  let size = 0
  const count = (bytes: number) => {
    size += bytes
  }
  try {
    if (!pack.stdout) throw new Error('tar has no output')
    const steps = [summing(inner), createGzip({ level: LEVEL }), summing(outer, count)] as const
    const [code] = await Promise.all([
      ended,
      pipeline(pack.stdout, ...steps, createWriteStream(target, { mode: 0o600 }), { signal }),
    ])
    if (code !== 0)
      throw new Error(`the layer could not be packed: ${said.trim() || `tar ended with ${code}`}`)
  } finally {
    pack.kill('SIGKILL')
  }
  return { digest: `sha256:${outer.digest('hex')}`, sum: `sha256:${inner.digest('hex')}`, size }
}

/** Packs it into a file of the caller's own, who removes it after use. Two at the same time make the same. */
export async function packLayer(
  place: LayerPlace,
  stage: string,
  given: AbortSignal,
): Promise<LayerRecord & { path: string }> {
  const signal = AbortSignal.any([given, AbortSignal.timeout(PACK_LIMIT_MS)])
  const path = join(stage, `${PREFIX}${newId()}`)
  try {
    const read = (root: string) => readTree(root, `${path}.tree`, signal)
    const below: Tree = place.below ? await read(place.below.root) : new Map()
    const tree = await read(place.root)
    const made = await withLayer({ root: place.root, below, tree, scratch: path }, (args) =>
      compress(args, path, signal),
    )
    const record = { ...made, below: belowOf(place) }
    await writeWhole(recordOf(place), `${JSON.stringify(record)}\n`, 0o644)
    return { ...record, path }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

/** The folder for packed layers, without what killed processes left in it. */
export async function clearOld(stage: string): Promise<void> {
  await mkdir(stage, { recursive: true })
  for (const name of (await readdir(stage)).filter((it) => it.startsWith(PREFIX))) {
    const found = await stat(join(stage, name)).catch(() => null)
    if (found && Date.now() - found.mtimeMs > OLD_MS)
      await rm(join(stage, name), { force: true, recursive: true })
  }
}
