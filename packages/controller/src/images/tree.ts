/** Looks at unpacked roots: what is in one, what two have in common, and how to keep the common part once on disk. */
import { link, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '@kalnet/io/spawn'

export interface Entry {
  kind: 'file' | 'folder' | 'link'
  mode: string
  size: number
  modified: string
  target: string
  inode: string
}
/** By path without a leading slash. Paths are bytes kept as latin1, because Debian has names in several encodings. */
export type Tree = Map<string, Entry>

const KINDS: Record<string, Entry['kind'] | undefined> = { f: 'file', d: 'folder', l: 'link' }
const FIELDS = 7
const AT_ONCE = 32

export const bytesOf = (path: string): Buffer => Buffer.from(path, 'latin1')
const inside = (root: string, path: string): Buffer => Buffer.concat([Buffer.from(`${root}/`), bytesOf(path)])

/** Reads a whole tree; `scratch` is a file that may be written and is removed again. */
export async function readTree(root: string, scratch: string, signal: AbortSignal): Promise<Tree> {
  const format = '%P\\0%y\\0%m\\0%s\\0%T@\\0%l\\0%i\\0'
  await must('find', [root, '-mindepth', '1', '-fprintf', scratch, format], { signal, timeoutMs: 300_000 })
  const words = (await readFile(scratch)).toString('latin1').split('\0')
  await rm(scratch, { force: true })
  const tree: Tree = new Map()
  for (let at = 0; at + FIELDS <= words.length; at += FIELDS) {
    const [path, letter, mode, size, modified, target, inode] = words.slice(at, at + FIELDS)
    const kind = KINDS[letter ?? '']
    if (!path || !kind) continue
    tree.set(path, {
      kind,
      mode: mode ?? '',
      size: Number(size),
      modified: modified ?? '',
      target: target ?? '',
      inode: inode ?? '',
    })
  }
  return tree
}

/** The same file by every outer sign. Nothing between two layers copies times on purpose, so equal times mean untouched. */
const isSame = (left: Entry, right: Entry | undefined): boolean =>
  right !== undefined &&
  left.kind === right.kind &&
  left.mode === right.mode &&
  left.modified === right.modified &&
  left.target === right.target &&
  (left.kind === 'folder' || left.size === right.size)

async function inParallel<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let at = 0
  const next = async () => {
    while (at < items.length) {
      const index = at++
      await work(items[index] as T, index)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next))
}

/** Replaces files that are the same as below by hard links to those: a layer costs only what it adds. Returns the bytes saved. */
export async function shareWithBelow(
  below: { root: string; tree: Tree },
  above: { root: string; tree: Tree },
  scratch: string,
): Promise<number> {
  const common = [...above.tree].filter(
    ([path, entry]) => entry.kind === 'file' && isSame(entry, below.tree.get(path)),
  )
  await mkdir(scratch, { recursive: true })
  let saved = 0
  await inParallel(common, async ([path, entry], index) => {
    const beside = join(scratch, String(index))
    await link(inside(below.root, path), beside)
    await rename(beside, inside(above.root, path))
    saved += entry.size
  })
  await rm(scratch, { recursive: true, force: true })
  return saved
}

/** What of `above` is new or different, and what of `below` is gone; parents before children. */
export function differences(below: Tree, above: Tree): { changed: string[]; removed: string[] } {
  const changed = [...above].filter(([path, entry]) => !isSame(entry, below.get(path))).map(([path]) => path)
  const isGone = (path: string) => below.has(path) && !above.has(path)
  const removed = [...below.keys()].filter((path) => {
    const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
    // Whoever took the folder away, or put something else in its place, took away all of it.
    return isGone(path) && !(parent && above.get(parent)?.kind !== 'folder')
  })
  return { changed: changed.sort(), removed: removed.sort() }
}

/** The sum of all files' sizes: what people mean by the size of an image. */
export function sizeOf(tree: Tree): number {
  const seen = new Set<string>()
  let sum = 0
  for (const entry of tree.values()) {
    if (entry.kind !== 'file' || seen.has(entry.inode)) continue
    seen.add(entry.inode)
    sum += entry.size
  }
  return sum
}
