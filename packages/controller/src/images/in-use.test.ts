import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Folders } from '@kalnet/io/folders'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLayout } from '../platforms/process/layout.ts'
import { identify } from '../platforms/process/processes.ts'
import { bootId, type InstanceState, writeState } from '../platforms/process/state.ts'
import { imagesInUse } from './in-use.ts'

let home = ''
let folders: Folders
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kalnet-in-use-'))
  folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
})
afterEach(() => rm(home, { recursive: true, force: true }))

async function note(instanceId: string, change: Partial<InstanceState>, digest?: string): Promise<void> {
  const layout = createLayout(folders)
  const { folder } = layout.of(instanceId)
  await mkdir(folder, { recursive: true })
  if (digest) await symlink(join(home, 'images/roots', digest, 'root'), join(folder, 'root'))
  await writeState(layout, {
    instanceId,
    generation: 1,
    phase: 'started',
    bootId: await bootId(),
    startedAt: '2026-01-01T00:00:00.000Z',
    uid: null,
    network: 'none',
    ports: [],
    outer: identify(process.pid),
    inner: identify(process.pid),
    stopping: false,
    ended: null,
    ...change,
  })
}

it('[TPL-4.in-use] images of living instances are in use, those of ended ones are not', async () => {
  expect(await imagesInUse(folders)).toEqual({ digests: new Set(), unknown: [] })
  await note('living', {}, 'aa')
  await note('starting', { phase: 'starting', outer: null, inner: null }, 'bb')
  await note('ended', { phase: 'ended' }, 'cc')
  await note('dead', { outer: { pid: 1, startTime: -1 }, inner: null }, 'dd')
  await note('earlier-boot', { bootId: 'another' }, 'ee')
  expect(await imagesInUse(folders)).toEqual({ digests: new Set(['aa', 'bb']), unknown: [] })
})

it('[TPL-4.in-use] one that runs from nobody knows what is told', async () => {
  await note('new', { phase: 'starting', outer: null, inner: null })
  expect((await imagesInUse(folders)).unknown).toEqual(['new'])
})
