/** The list of sessions: what ended last is always on the first page, and no page loses or repeats one. */
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { type ListQuery, listing } from './listing.ts'
import { shapeSession } from './shape.ts'

const HOUR = 3600_000
const START = Date.parse('2026-03-01T08:00:00.000Z')
const at = (hours: number) => new Date(START + hours * HOUR).toISOString()
/** In the order they were started in: name, started, ended. */
const SESSIONS: [name: string, began: number, ended: number | null][] = [
  ['long', 0, 90],
  ['first', 1, 2],
  ['second', 2, 3],
  ['twin', 3, 50],
  ['other twin', 4, 50],
  ['still there', 5, null],
  ['last', 6, 7],
]
let server: TestServer
let organisationId: string
let userId: string

beforeAll(async () => {
  server = await testServer({ listen: false })
  ;({ organisationId, userId } = await server.person('owner'))
  await server.store.system.transaction(async (tx) => {
    const controllerId = newId()
    await sql`insert into controllers (id, organisation_id, name, public_key, created_at)
      values (${controllerId}, null, 'box', 'key', now())`.execute(tx)
    for (const [name, began, ended] of SESSIONS) {
      const [id, instanceId] = [newId({ msecs: START + began * HOUR }), newId()]
      await sql`insert into instances (id, organisation_id, controller_id, platform, generation, desired_state, spec)
        values (${instanceId}, ${organisationId}, ${controllerId}, 'fake', 1, 'stopped', '{}')`.execute(tx)
      await sql`insert into sessions (id, organisation_id, user_id, instance_id, name, template_id, template_name, state,
        accepted_at, created_at, ended_at) values (${id}, ${organisationId}, ${userId}, ${instanceId}, ${name}, 'terminal',
        'Terminal', ${ended === null ? 'running' : 'stopped'}, ${at(began)}, ${at(began)},
        ${ended === null ? null : at(ended)})`.execute(tx)
    }
  })
})
afterAll(() => server.end())

async function pages(query: Omit<ListQuery, 'after'>): Promise<string[][]> {
  const all: string[][] = []
  for (let after: string | undefined; ; ) {
    const wanted = listing({ ...query, ...(after ? { after } : {}) }, userId)
    const { rows } = await server.store.as(organisationId).read((tx) => wanted.statement.execute(tx))
    const items = rows.slice(0, query.limit).map(shapeSession)
    all.push(items.map((it) => it.name))
    const last = items.at(-1)
    if (!last || rows.length <= query.limit) return all
    after = wanted.placeOf(last)
  }
}

describe('[SES-1.list] the list of sessions', () => {
  it('shows the one that ended last first, however long ago it was started', async () => {
    expect(await pages({ state: 'ended', limit: 2 })).toEqual([
      ['long', 'other twin'],
      ['twin', 'last'],
      ['second', 'first'],
    ])
  })
  it('shows live ones and all of them by their start', async () => {
    expect(await pages({ state: 'live', limit: 2 })).toEqual([['still there']])
    expect((await pages({ limit: 3 })).flat()).toEqual(SESSIONS.map(([name]) => name).reverse())
  })
  it.each([
    ['ended', 'x'],
    ['ended', `${at(1)}_x`],
    ['ended', `yesterday_${newId()}`],
    ['live', `${at(1)}_${newId()}`],
  ] as const)('%s after %s is no place in it', (state, after) => {
    expect(() => listing({ state, after, limit: 2 }, userId)).toThrowError(
      expect.objectContaining({ code: 'request.invalid' }),
    )
  })
})
