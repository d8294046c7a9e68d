/** Viewings over the real HTTP pipeline: told by the viewer, replaced by its later words, kept for the latest few. */
import { randomUUID } from 'node:crypto'
import { fail } from '@kalnet/contracts/errors'
import { VIEWINGS_KEPT, type Viewing } from '@kalnet/contracts/viewing'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rows, rowsOf } from '../testing/rows.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { shapeSession } from './shape.ts'
import { statements } from './store.ts'
import { routesOfViewings } from './viewings.ts'

let server: TestServer
let rows: Rows
let owner: Awaited<ReturnType<TestServer['person']>>
let sessionId: string
let otherId: string

async function newSession(): Promise<string> {
  const controller = await rows.add('controllers', { organisation_id: owner.organisationId })
  const instance = await rows.add('instances', {
    organisation_id: owner.organisationId,
    controller_id: controller.id,
  })
  const whose = { organisation_id: owner.organisationId, user_id: owner.userId }
  return String((await rows.add('sessions', { ...whose, instance_id: instance.id, state: 'running' })).id)
}

beforeAll(async () => {
  server = await testServer({ listen: false })
  rows = await rowsOf(server.url)
  owner = await server.person('owner')
  sessionId = await newSession()
  otherId = await newSession()
  const { store } = server
  server.http.add(
    routesOfViewings({
      store,
      clock: systemClock,
      sessions: {
        read: (actor, id) =>
          store.as(actor.organisationId).read(async (tx) => {
            const row = (await statements.read({ id }).execute(tx)).rows[0]
            if (!row) throw fail('thing.unknown', { kind: 'session' })
            return shapeSession(row)
          }),
      },
    }),
  )
  await server.http.listen()
})
afterAll(async () => {
  await rows.end()
  await server.end()
})

const tell = (body: Record<string, unknown>, session = sessionId) =>
  server.ask('POST', `/api/sessions/${session}/viewings`, {
    as: owner.secret,
    body: { elapsedMs: 1_000, frames: 10, bytes: 1_000, keyToPictureMs: 12.5, ...body },
  })
async function list(session = sessionId): Promise<Viewing[]> {
  const { body } = await server.ask('GET', `/api/sessions/${session}/viewings`, { as: owner.secret })
  return body.items as Viewing[]
}

test('[STR-4.recorded] a later word replaces an earlier one; one that comes late changes nothing', async () => {
  const id = randomUUID()
  expect((await tell({ id })).status).toBe(200)
  expect(
    (await tell({ id, elapsedMs: 31_000, frames: 300, bytes: 3 * 2 ** 32, keyToPictureMs: 9 })).status,
  ).toBe(200)
  expect((await tell({ id, elapsedMs: 16_000, frames: 150 })).status).toBe(200)
  const [viewing, ...others] = await list()
  expect(others).toEqual([])
  expect(viewing).toMatchObject({
    id,
    userId: owner.userId,
    elapsedMs: 31_000,
    frames: 300,
    bytes: 3 * 2 ** 32,
    keyToPictureMs: 9,
  })
  expect(Date.parse(viewing?.heardAt ?? '') - Date.parse(viewing?.beganAt ?? '')).toBeGreaterThan(999)
})

test('[STR-4.recorded] a viewing of another session is not changed by naming it', async () => {
  const [viewing] = await list()
  await tell({ id: viewing?.id, elapsedMs: 99_000, frames: 0 }, otherId)
  expect(await list()).toEqual([viewing])
  expect(await list(otherId)).toEqual([])
})

test('[STR-4.recorded] the latest few are kept', async () => {
  for (let index = 0; index < VIEWINGS_KEPT + 3; index += 1)
    await tell({ id: randomUUID(), frames: index }, otherId)
  const kept = await list(otherId)
  expect(kept).toHaveLength(VIEWINGS_KEPT)
  expect(Math.max(...kept.map(({ frames }) => frames))).toBe(VIEWINGS_KEPT + 2)
})

test.each([
  ['no time', { elapsedMs: 0 }],
  ['part of a picture', { frames: 1.5 }],
  ['more bytes than there are', { bytes: 2 ** 52 }],
  ['no id', { id: 'mine' }],
  ['a word nobody knows', { colour: 'blue' }],
])('[STR-4.recorded] %s is refused', async (_, given) => {
  const before = await list()
  expect((await tell({ id: randomUUID(), ...given })).status).toBe(400)
  expect(await list()).toEqual(before)
})
