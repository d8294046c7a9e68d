/** One recipe's layer as a tar archive: what its root adds to the one below, in order, belonging to nobody, with marks for what it took away. */
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { bytesOf, differences, type Tree } from './tree.ts'

export interface Layer {
  root: string
  below: Tree
  tree: Tree
  /** Names beside this one may be written; they are removed again. */
  scratch: string
}

/** Names that say that something of the layer below is gone (OCI image layout: whiteouts). */
const whiteout = (path: string) => {
  const at = path.lastIndexOf('/') + 1
  return `${path.slice(0, at)}.wh.${path.slice(at)}`
}
const names = (paths: string[]) => Buffer.concat(paths.flatMap((path) => [bytesOf(path), Buffer.from([0])]))

/**
 * Times stay as they are in the root: caches of fonts and compiled Python are judged by them. Everything else that could tell
 * two packings of one root apart is left out.
 */
const ALIKE = [
  '--format=pax',
  '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
  '--numeric-owner',
  '--owner=0',
  '--group=0',
  '--no-recursion',
  '--null',
  '--verbatim-files-from',
]

/** Hands over what to start `tar` with, but for `--file`; what it reads is there until the work is done. */
export async function withLayer<T>(layer: Layer, pack: (args: string[]) => Promise<T>): Promise<T> {
  const { changed, removed } = differences(layer.below, layer.tree)
  const list = `${layer.scratch}.list`
  const marks = `${layer.scratch}.marks`
  const gone = `${layer.scratch}.gone`
  try {
    await writeFile(list, names(changed))
    const args = ['--create', ...ALIKE, `--directory=${layer.root}`, `--files-from=${list}`]
    if (removed.length > 0) {
      const paths = removed.map(whiteout)
      for (const path of paths) {
        const whole = Buffer.concat([Buffer.from(`${gone}/`), bytesOf(path)])
        await mkdir(whole.subarray(0, whole.lastIndexOf('/')), { recursive: true })
        await writeFile(whole, '', { mode: 0o644 })
        await utimes(whole, 0, 0)
      }
      await writeFile(marks, names(paths))
      args.push(`--directory=${gone}`, `--files-from=${marks}`)
    }
    return await pack(args)
  } finally {
    for (const left of [list, marks, gone]) await rm(left, { recursive: true, force: true })
  }
}
