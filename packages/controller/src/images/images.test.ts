/** Roots are built once, shared, whole or not at all: proved with a builder that only writes a few files. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recipe } from '@kalnet/contracts/recipe'
import { canonical, digestOf } from '@kalnet/io/image-digest'
import { createLog } from '@kalnet/io/log'
import { must } from '@kalnet/io/spawn'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LayerBuild } from './build.ts'
import { createImages } from './images.ts'
import { exportImage } from './layers.ts'
import { takeLock } from './lock.ts'

const log = createLog('test', 'silent')
const never = new AbortController().signal
const quiet = () => undefined
const base = recipe.parse({ name: 'base' })
const app = recipe.parse({ name: 'app', packages: ['hello'] })

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kalnet-images-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Copies what is below as the real one does, adds a file named after the layer, and counts. */
function counting(before: (it: LayerBuild) => Promise<void> = async () => undefined) {
  const built: string[] = []
  const makeLayer = async (it: LayerBuild) => {
    built.push(it.layer.name)
    const root = join(it.stage, 'root')
    await mkdir(root)
    if (it.below) await must('cp', ['-a', `${it.below}/.`, root])
    await writeFile(join(root, it.layer.name), it.layer.name.repeat(100))
    await before(it)
    it.report({ text: 'Working', share: 1 })
  }
  return { built, makeLayer }
}

describe('digests', () => {
  test('[TPL-4.content-addressed] the order of keys means nothing, everything else does', () => {
    expect(canonical({ b: [1, { d: 1, c: null }], a: undefined })).toBe('{"b":[1,{"c":null,"d":1}]}')
    const other = recipe.parse({ packages: [], name: 'base' })
    expect(digestOf([base])).toBe(digestOf([other]))
    expect(digestOf([base])).not.toBe(digestOf([base, app]))
    expect(digestOf([base])).not.toBe(digestOf([{ ...base, packages: ['x'] }]))
    expect(digestOf([base])).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('images', () => {
  test('[TPL-4.built-once] calls at the same time, of several controllers too, build each layer once', async () => {
    const { built, makeLayer } = counting(() => new Promise((resolve) => setTimeout(resolve, 30)))
    const one = createImages({ folder, log, makeLayer })
    const two = createImages({ folder, log, makeLayer })
    const roots = await Promise.all([
      one.ensureRoot([base, app], never, quiet),
      one.ensureRoot([base, app], never, quiet),
      two.ensureRoot([base, app], never, quiet),
      two.ensureRoot([base], never, quiet),
    ])
    expect(built.sort()).toEqual(['app', 'base'])
    expect(roots[0]).toBe(roots[2])
    expect(await readFile(join(roots[0], 'app'), 'utf8')).toContain('app')
    await one.ensureRoot([base, app], never, quiet)
    expect(built).toHaveLength(2)
  })

  test('[TPL-4.shared-layers] files of the layer below are kept once on disk', async () => {
    const { makeLayer } = counting()
    const images = createImages({ folder, log, makeLayer })
    const upper = await images.ensureRoot([base, app], never, quiet)
    const lower = await images.ensureRoot([base], never, quiet)
    expect(statSync(join(upper, 'base')).ino).toBe(statSync(join(lower, 'base')).ino)
    const [first, second] = await images.list()
    expect(first).toMatchObject({ name: 'app', sizeBytes: 700, ownBytes: 300 })
    expect(first?.layers).toEqual([digestOf([base]), digestOf([base, app])])
    expect(second).toMatchObject({ name: 'base', sizeBytes: 400, ownBytes: 400 })
  })

  test('[TPL-4.interrupted-build] a build that fails or is stopped leaves nothing that counts', async () => {
    const failing = createImages({
      folder,
      log,
      makeLayer: counting(() => Promise.reject(new Error('no space left'))).makeLayer,
    })
    await expect(failing.ensureRoot([base], never, quiet)).rejects.toThrow('no space left')
    const stuck = counting(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const slow = createImages({ folder, log, makeLayer: stuck.makeLayer })
    const stop = new AbortController()
    const begun = () => stop.abort(new Error('enough'))
    await expect(slow.ensureRoot([base], stop.signal, begun)).rejects.toThrow('enough')
    await expect.poll(() => readdirSync(join(folder, 'stage'))).toEqual([])
    expect(await failing.list()).toEqual([])
    // What a killed builder left is cleared by the next one.
    await mkdir(join(folder, 'stage', `${digestOf([base])}-left`), { recursive: true })
    const { built, makeLayer } = counting()
    await createImages({ folder, log, makeLayer }).ensureRoot([base], never, quiet)
    expect(built).toEqual(['base'])
    expect(readdirSync(join(folder, 'stage'))).toEqual([])
  })

  test('one of two waiting gives up: the other gets the image', async () => {
    const { built, makeLayer } = counting(() => new Promise((resolve) => setTimeout(resolve, 80)))
    const images = createImages({ folder, log, makeLayer })
    const stop = new AbortController()
    const first = images.ensureRoot([base], stop.signal, quiet)
    const second = images.ensureRoot([base], never, quiet)
    stop.abort(new Error('changed my mind'))
    await expect(first).rejects.toThrow('changed my mind')
    expect(existsSync(await second)).toBe(true)
    expect(built).toEqual(['base'])
  })

  test('progress has words and a share that does not go back over the layers', async () => {
    const { makeLayer } = counting()
    const shares: number[] = []
    const images = createImages({ folder, log, makeLayer })
    await images.ensureRoot([base, app], never, (it) => shares.push(it.share))
    expect(shares.at(-1)).toBe(1)
    expect([...shares].sort((left, right) => left - right)).toEqual(shares)
  })

  test('pruning keeps what is wanted and what lies below it', async () => {
    const { makeLayer } = counting()
    const images = createImages({ folder, log, makeLayer })
    const other = recipe.parse({ name: 'other' })
    await images.ensureRoot([base, app], never, quiet)
    await images.ensureRoot([base, other], never, quiet)
    expect(await images.prune(new Set([digestOf([base, app])]), never)).toEqual([digestOf([base, other])])
    expect((await images.list()).map((it) => it.name)).toEqual(['app', 'base'])
  })
})

test('[TPL-4.docker-layers] an export has one layer per recipe, with marks for what an upper one took away', async () => {
  const { makeLayer } = counting(async ({ layer, stage }) => {
    if (layer.name === 'base') await writeFile(join(stage, 'root', 'gone'), 'x')
    else rmSync(join(stage, 'root', 'gone'))
  })
  const images = createImages({ folder, log, makeLayer })
  const exported = await exportImage(images, [base, app], never, quiet)
  const [manifest] = JSON.parse(await readFile(join(exported.folder, 'manifest.json'), 'utf8'))
  expect(manifest.RepoTags).toEqual([`kalnet/app:${digestOf([base, app]).slice(0, 20)}`])
  const content = await Promise.all(
    manifest.Layers.map(
      async (name: string) => (await must('tar', ['-tf', join(exported.folder, name)])).stdout,
    ),
  )
  expect(content[0].split('\n').filter(Boolean)).toEqual(['base', 'gone'])
  expect(content[1].split('\n').filter(Boolean)).toEqual(['app', '.wh.gone'])
  const again = await exportImage(images, [base], never, quiet)
  const [other] = JSON.parse(await readFile(join(again.folder, 'manifest.json'), 'utf8'))
  const bytes = (at: string, name: string) => readFile(join(at, name))
  expect(await bytes(again.folder, other.Layers[0])).toEqual(await bytes(exported.folder, manifest.Layers[0]))
  await exported.drop()
  await again.drop()
  expect(existsSync(exported.folder)).toBe(false)
})

test('a lock is held by one at a time, and let go by a holder that is told to stop', async () => {
  const path = join(folder, 'locks', 'one')
  const release = await takeLock(path, never)
  const stop = new AbortController()
  const second = takeLock(path, stop.signal)
  stop.abort(new Error('waited long enough'))
  await expect(second).rejects.toThrow('waited long enough')
  let isThird = false
  const third = takeLock(path, never).then((it) => {
    isThird = true
    return it
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(isThird).toBe(false)
  release()
  ;(await third)()
})
