/** Where the chains ended is kept in a file; a damaged one ends nothing. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, HOME, log } from '../testing/audit.ts'
import { createAnchor } from './anchor.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kalnet-anchor-'))
})
afterAll(() => rm(folder, { recursive: true }))
const hash = 'a'.repeat(64)

it('[GOV-1.verify] what is noted is there for the next start', async () => {
  const path = join(folder, 'ends.json')
  const anchor = createAnchor({ path, clock: systemClock, log })
  anchor.note([
    { organisationId: HOME, position: '7', hash },
    { organisationId: null, position: '2', hash },
  ])
  await eventually(async () => (await anchor.of(null)) !== null, 'noted')
  await anchor.flush()
  const next = createAnchor({ path, clock: systemClock, log })
  expect(await next.of(HOME)).toEqual({ position: '7', hash })
  expect(await next.of(null)).toEqual({ position: '2', hash })
})

it('a damaged file is noted anew', async () => {
  const path = join(folder, 'damaged.json')
  await writeFile(path, '{"half')
  const anchor = createAnchor({ path, clock: systemClock, log })
  expect(await anchor.of(HOME)).toBeNull()
  anchor.note([{ organisationId: HOME, position: '1', hash }])
  await eventually(async () => (await anchor.of(HOME)) !== null, 'noted')
  await anchor.flush()
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ [HOME]: { position: '1', hash } })
})
