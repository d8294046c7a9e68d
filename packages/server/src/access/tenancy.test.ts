/** The second wall, table by table as the schema names them: the wrong organisation reads, adds, changes and removes nothing. */

import { randomUUID } from 'node:crypto'
import { id } from '@kalnet/contracts/basics'
import { fail } from '@kalnet/contracts/errors'
import { route } from '@kalnet/contracts/route'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { handle } from '../core/http.ts'
import { sql } from '../core/store.ts'
import { testDatabase } from '../core/testing.ts'
import { type Rows, rowsOf } from '../testing/rows.ts'
import { type TestServer, testServer } from '../testing/server.ts'

const HOME = '01920000-0000-7000-8000-00000000000a'
const CLUB = '01920000-0000-7000-8000-00000000000b'
const probe = await testDatabase()
const TABLES = await rowsOf(probe.url).then(async (rows) => {
  const names = rows.tenantTables
  await rows.end()
  return names
})

describe('[IDN-3.tenancy] every table of the schema', () => {
  let rows: Rows
  beforeAll(async () => {
    rows = await rowsOf(probe.url)
    for (const organisation of [HOME, CLUB])
      for (const table of TABLES) {
        // One address leads to one place in the whole installation.
        const address = table === 'gateway_routes' ? { host: organisation } : {}
        await rows.add(table, { organisation_id: organisation, ...address }, true)
      }
  })
  afterAll(async () => {
    await rows.end()
    await probe.drop()
  })

  /** As the application acting for one organisation; nothing of it stays. */
  async function as<T>(organisation: string, work: () => Promise<T>): Promise<T> {
    await rows.client.query('begin')
    try {
      await rows.client.query('set local role kalnet_app')
      await rows.client.query("select set_config('kalnet.organisation', $1, true)", [organisation])
      return await work()
    } finally {
      await rows.client.query('rollback')
    }
  }
  const query = (text: string, values: unknown[] = []) => rows.client.query(text, values)
  /** The number of rows touched, or the reason why it is not possible at all. */
  const attempt = (organisation: string, text: string, values: unknown[] = []) =>
    as(organisation, () =>
      query(text, values).then(
        (result) => String(result.rowCount),
        (error: Error) => error.message.replace(/ for (table|relation) .*/, '').replace(/"[^"]*"/g, '…'),
      ),
    )
  const REFUSED = /row-level security|permission denied/

  it('there are tables to look at', () => {
    expect(TABLES.length).toBeGreaterThan(25)
  })
  it.each(TABLES)('%s', async (table) => {
    const count = (organisation: string, whose: string) =>
      attempt(organisation, `select from "${table}" where organisation_id = $1`, [whose])
    // The control: the row is there, and its own organisation sees it.
    const own = await count(HOME, HOME)
    expect(own === '1' || REFUSED.test(own), own).toBe(true)
    expect(['0', expect.stringMatching(REFUSED)]).toContainEqual(await count(CLUB, HOME))
    expect(['0', expect.stringMatching(REFUSED)]).toContainEqual(await count('', HOME))
    const none = ['0', expect.stringMatching(REFUSED)]
    expect(none).toContainEqual(
      await attempt(
        CLUB,
        `update "${table}" set organisation_id = organisation_id where organisation_id = $1`,
        [HOME],
      ),
    )
    expect(none).toContainEqual(
      await attempt(CLUB, `delete from "${table}" where organisation_id = $1`, [HOME]),
    )
    // Taken over, and given away.
    expect(none).toContainEqual(
      await attempt(CLUB, `update "${table}" set organisation_id = $1 where organisation_id = $2`, [
        CLUB,
        HOME,
      ]),
    )
    expect(await attempt(CLUB, `update "${table}" set organisation_id = $1`, [HOME])).toMatch(REFUSED)
    const { rows: columns } = await query(
      `select column_name from information_schema.columns where table_schema = 'public' and table_name = $1
        and is_generated <> 'ALWAYS' and is_identity <> 'YES' and column_name <> 'organisation_id'`,
      [table],
    )
    const names = columns.map((it: { column_name: string }) => `"${it.column_name}"`).join(', ')
    const added = await attempt(
      CLUB,
      `insert into "${table}" (organisation_id, ${names}) select $1::uuid, ${names} from "${table}" where organisation_id = $2`,
      [HOME, CLUB],
    )
    expect(added).toMatch(REFUSED)
  })
  it('tables of no organisation are closed to the application, but for the place in the outbox', async () => {
    const { rows: open } = await query(`
      select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
        and has_table_privilege('kalnet_app', oid, 'SELECT, INSERT, UPDATE, DELETE')`)
    const names = open.map((it: { relname: string }) => it.relname)
    expect(names.filter((it) => !TABLES.includes(it)).sort()).toEqual(['event_log', 'organisations'])
  })
})

describe('[IDN-3.tenancy] a handler that forgets to ask', () => {
  let server: TestServer
  beforeAll(async () => {
    const forgetful = handle(
      route({
        method: 'GET',
        path: '/api/forgetful/:id',
        permission: 'session.read',
        summary: 'Written without a check, on purpose',
        params: z.strictObject({ id }),
        query: z.strictObject({}),
        body: z.strictObject({}),
        answer: z.strictObject({ names: z.array(z.string()) }),
        audit: null,
      }),
      async ({ actor }) => {
        const { rows } = await server.store
          .as(actor.organisationId)
          .read((tx) => sql<{ name: string }>`select name from sessions`.execute(tx))
        if (rows.length === 0) throw fail('thing.unknown', { kind: 'session' })
        return { names: rows.map((row) => row.name) }
      },
    )
    server = await testServer({ handlers: [forgetful] })
  })
  afterAll(() => server.end())
  it('still shows nothing of another organisation', async () => {
    const [home, club] = [await server.person('owner'), await server.person('owner')]
    const rows = await rowsOf(server.url)
    await rows.add('sessions', { organisation_id: home.organisationId, user_id: home.userId, name: 'Secret' })
    await rows.end()
    const path = `/api/forgetful/${randomUUID()}`
    expect((await server.ask('GET', path, { as: home.secret })).body.names).toEqual(['Secret'])
    const foreign = await server.ask('GET', path, { as: club.secret })
    expect([foreign.status, foreign.text.includes('Secret')]).toEqual([404, false])
  })
})
