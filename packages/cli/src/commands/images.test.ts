/** `kalnet images prune` beside running sessions: what they run from stays. */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLayout } from '@kalnet/controller/platforms/process/layout'
import { identify } from '@kalnet/controller/platforms/process/processes'
import { bootId, writeState } from '@kalnet/controller/platforms/process/state'
import { folders } from '@kalnet/io/folders'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

let it = NO_HOME
const where = () => folders({ KALNET_HOME: it.home })
const root = (digest: string) => join(where().data, 'images/roots', digest, 'root')

/** An image as its record says; its root is empty. */
async function image(digest: string, layers: string[]): Promise<void> {
  await mkdir(root(digest), { recursive: true })
  const record = { digest, name: `image-${digest}`, layers, sizeBytes: 1, ownBytes: 1, packages: 1 }
  const built = { builtAt: '2026-01-01T00:00:00.000Z', buildMs: 1 }
  await writeFile(join(root(digest), '../image.json'), JSON.stringify({ ...record, ...built }))
}

/** An instance that lives as long as this test does. */
async function session(id: string, digest: string | null): Promise<void> {
  const layout = createLayout(where())
  const { folder } = layout.of(id)
  await mkdir(folder, { recursive: true })
  if (digest) await symlink(root(digest), join(folder, 'root'))
  const self = identify(process.pid)
  await writeState(layout, {
    instanceId: id,
    generation: 1,
    phase: 'started',
    bootId: await bootId(),
    startedAt: '2026-01-01T00:00:00.000Z',
    uid: null,
    network: 'none',
    ports: [],
    outer: self,
    inner: self,
    stopping: false,
    ended: null,
  })
}

const left = async () => {
  const { out } = await cli(it.home, 'images', 'list', '--json')
  const { items } = JSON.parse(out) as { items: { digest: string; state: string }[] }
  return items.filter(({ state }) => state !== 'not built').map(({ digest }) => digest)
}

beforeEach(async () => {
  it = await temporaryHome()
  await image('aa', ['aa'])
  await image('bb', ['aa', 'bb'])
  await image('cc', ['cc'])
})
afterEach(() => it.remove())

test.each([
  ['prune', []],
  ['prune --all', ['--all']],
])('[TPL-4.in-use] %s keeps what sessions run from, with the layers below', async (_name, flags) => {
  await session('one', 'bb')
  const { code, out } = await cli(it.home, 'images', 'prune', ...flags)
  expect(code).toBe(0)
  expect(out).toMatch(/1 image removed[\s\S]*image-bb was kept .*sessions run from it/)
  expect(await left()).toEqual(['aa', 'bb'])
})

test('[TPL-4.in-use] prune --all removes everything when nothing runs', async () => {
  const { code, out } = await cli(it.home, 'images', 'prune', '--all', '--json')
  expect(code).toBe(0)
  expect(JSON.parse(out).removed).toHaveLength(3)
  expect(await left()).toEqual([])
})

test('[TPL-4.in-use] prune is refused when it cannot be told what a session runs from', async () => {
  await session('one', null)
  const { code, err } = await cli(it.home, 'images', 'prune', '--all')
  expect(code).toBe(4)
  expect(err).toMatch(/Nothing was removed: a session runs here[\s\S]*→ .*kalnet sessions list/)
  expect(await left()).toHaveLength(3)
})
