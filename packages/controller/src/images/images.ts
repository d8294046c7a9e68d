/** The images of this machine: one unpacked root per recipe chain, built once, kept by content. */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { digestOf, digestsOf } from '@kalnet/io/image-digest'
import type { Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import { z } from 'zod'
import { buildLayer, type LayerBuild } from './build.ts'
import { takeLock } from './lock.ts'
import type { BuildProgress } from './progress.ts'
import { readTree, shareWithBelow, sizeOf } from './tree.ts'

/** Beside every root, as `image.json`; its presence says that the root is whole. */
export const imageRecord = z.object({
  digest: z.string(),
  name: z.string(),
  /** Digests from the base to this one. */
  layers: z.array(z.string()),
  sizeBytes: z.number(),
  /** What it takes on disk beyond the layers below. */
  ownBytes: z.number(),
  packages: z.number(),
  builtAt: z.string(),
  buildMs: z.number(),
})
export type ImageRecord = z.infer<typeof imageRecord>
export type Report = (it: BuildProgress) => void

export interface Images {
  digest(chain: RecipeChain): string
  /** The unpacked root, built first where it is missing. To be read only. */
  ensureRoot(chain: RecipeChain, signal: AbortSignal, progress: Report): Promise<string>
  list(): Promise<ImageRecord[]>
  /** Removes every root that is neither kept nor below a kept one; answers the digests removed. */
  prune(keep: ReadonlySet<string>, signal: AbortSignal): Promise<string[]>
  /** A private folder under the images' own, on their file system. */
  readonly folder: string
}

interface Building {
  done: Promise<string>
  listeners: Set<Report>
  waiting: number
  stop: AbortController
}

export interface ImagesOptions {
  folder: string
  log: Log
  /** Makes `<stage>/root`; another one only in tests. */
  makeLayer?: (it: LayerBuild) => Promise<void>
}

export function createImages({ folder, log, makeLayer = buildLayer }: ImagesOptions): Images {
  const roots = join(folder, 'roots')
  const stages = join(folder, 'stage')
  const building = new Map<string, Building>()

  const home = (digest: string) => join(roots, digest)
  async function readRecord(digest: string): Promise<ImageRecord | null> {
    const text = await readIfThere(join(home(digest), 'image.json'))
    return text === null ? null : imageRecord.parse(JSON.parse(text))
  }

  /** Under the image's lock: anything half that carries its name is left over from a builder that is gone. */
  async function clearStages(digest: string): Promise<void> {
    const names = await readdir(stages).catch(() => [])
    for (const name of names.filter((one) => one.startsWith(digest))) {
      await rm(join(stages, name), { recursive: true, force: true })
    }
  }

  async function build(chain: RecipeChain, signal: AbortSignal, report: Report): Promise<string> {
    const digest = digestOf(chain)
    const layer = chain.at(-1)
    if (!layer) throw new Error('a recipe chain has at least one layer')
    const depth = chain.length
    const below = depth > 1 ? chain.slice(0, -1) : null
    // Layers count by what they usually take: the first ones are small.
    const floor = (depth - 1) / depth
    const belowRoot = below
      ? await build(below, signal, (it) => report({ text: it.text, share: it.share * floor }))
      : null
    const final = join(home(digest), 'root')
    if (await readRecord(digest)) return final
    report({ text: `Preparing ${layer.name}`, share: floor })
    const release = await takeLock(join(folder, 'locks', digest), signal)
    try {
      if (await readRecord(digest)) return final
      await clearStages(digest)
      const stage = join(stages, `${digest}-${newId()}`)
      await mkdir(stage, { recursive: true })
      const startedAt = Date.now()
      try {
        await makeLayer({
          layer,
          below: belowRoot,
          stage,
          signal,
          report: (it) => report({ text: it.text, share: floor + it.share * (1 - floor) }),
        })
        const root = join(stage, 'root')
        const tree = await readTree(root, join(stage, 'list'), signal)
        let shared = 0
        if (belowRoot) {
          const belowTree = await readTree(belowRoot, join(stage, 'list'), signal)
          shared = await shareWithBelow(
            { root: belowRoot, tree: belowTree },
            { root, tree },
            join(stage, 'links'),
          )
        }
        const packages = (await readIfThere(join(root, 'usr/lib/kalnet/packages.txt'))) ?? ''
        const sizeBytes = sizeOf(tree)
        const record: ImageRecord = {
          digest,
          name: layer.name,
          layers: digestsOf(chain),
          sizeBytes,
          ownBytes: sizeBytes - shared,
          packages: packages.split('\n').filter(Boolean).length,
          builtAt: new Date().toISOString(),
          buildMs: Date.now() - startedAt,
        }
        await writeWhole(join(stage, 'packages.txt'), packages, 0o644)
        await writeWhole(join(stage, 'image.json'), `${JSON.stringify(record, null, 2)}\n`, 0o644)
        await mkdir(roots, { recursive: true })
        await rename(stage, home(digest))
        log.info({ image: layer.name, digest, sizeBytes, buildMs: record.buildMs }, 'image built')
      } finally {
        await rm(stage, { recursive: true, force: true })
      }
      return final
    } finally {
      release()
    }
  }

  /** Calls for the same image share one build; it is stopped when nobody waits for it any more. */
  function joinBuild(chain: RecipeChain, digest: string): Building {
    const there = building.get(digest)
    if (there) return there
    const stop = new AbortController()
    const listeners = new Set<Report>()
    const done = build(chain, stop.signal, (it) => {
      for (const listener of listeners) listener(it)
    }).finally(() => building.delete(digest))
    // Whoever waits gets the failure below; with nobody waiting it has been stopped on purpose.
    done.catch(() => undefined)
    const one: Building = { done, listeners, waiting: 0, stop }
    building.set(digest, one)
    return one
  }

  return {
    folder,
    digest: digestOf,
    async ensureRoot(chain, signal, progress) {
      const digest = digestOf(chain)
      if (await readRecord(digest)) return join(home(digest), 'root')
      signal.throwIfAborted()
      const one = joinBuild(chain, digest)
      one.waiting++
      one.listeners.add(progress)
      const aborted = Promise.withResolvers<never>()
      const onAbort = () => aborted.reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        return await Promise.race([one.done, aborted.promise])
      } finally {
        signal.removeEventListener('abort', onAbort)
        one.listeners.delete(progress)
        if (--one.waiting === 0 && building.get(digest) === one) {
          building.delete(digest)
          one.stop.abort(new Error('nobody waits for this image any more'))
        }
      }
    },
    async list() {
      const names = await readdir(roots).catch(() => [])
      const records = await Promise.all(names.map(readRecord))
      return records
        .filter((record) => record !== null)
        .sort((left, right) => left.name.localeCompare(right.name))
    },
    async prune(keep, signal) {
      const all = await this.list()
      const needed = new Set(all.filter((one) => keep.has(one.digest)).flatMap((one) => one.layers))
      const removed: string[] = []
      for (const one of all.filter((each) => !needed.has(each.digest))) {
        const release = await takeLock(join(folder, 'locks', one.digest), signal)
        try {
          // Renamed first: a half removed root never counts as whole.
          const stage = join(stages, `${one.digest}-${newId()}`)
          await mkdir(stages, { recursive: true })
          await rename(home(one.digest), stage)
          await rm(stage, { recursive: true, force: true })
          removed.push(one.digest)
        } finally {
          release()
        }
      }
      for (const name of await readdir(roots).catch(() => [])) {
        // A folder without its record was never whole.
        if (!(await stat(join(home(name), 'image.json')).catch(() => null)))
          await rm(home(name), { recursive: true, force: true })
      }
      return removed
    },
  }
}
