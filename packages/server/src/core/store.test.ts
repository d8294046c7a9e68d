/** The wall between organisations, and what a failing database looks like. */
import { KalnetError } from '@kalnet/contracts/errors'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aside, beforeCommit, type Store, sql } from './store.ts'
import { isDuplicate, storeError } from './store-errors.ts'
import { type TestStore, testStore } from './testing.ts'

const HOME = '01920000-0000-7000-8000-00000000000a'
const CLUB = '01920000-0000-7000-8000-00000000000b'
const USER = '01920000-0000-7000-8000-000000000001'

describe('the wall between organisations', () => {
  let test: TestStore
  let store: Store
  beforeAll(async () => {
    test = await testStore()
    store = test.store
    await store.system.transaction(async (tx) => {
      for (const id of [HOME, CLUB])
        await sql`insert into organisations values (${id}, ${id}, now())`.execute(tx)
      for (const [index, id] of [HOME, CLUB].entries())
        await sql`insert into users (id, organisation_id, name, email, role, created_at)
          values (${USER.slice(0, -1) + index}, ${id}, 'Ada', ${`ada${index}@example.org`}, 'owner', now())`.execute(
          tx,
        )
    })
  })
  afterAll(() => test.end())

  it('[IDN-3.tenancy] a query that forgets the where clause sees its own organisation only', async () => {
    const seen = (id: string) =>
      store
        .as(id)
        .read(
          async (tx) =>
            (await sql<{ organisation_id: string }>`select organisation_id from users`.execute(tx)).rows,
        )
    expect(await seen(HOME)).toEqual([{ organisation_id: HOME }])
    expect(await seen(CLUB)).toEqual([{ organisation_id: CLUB }])
    expect(await seen('01920000-0000-7000-8000-00000000000c')).toEqual([])
  })
  it('[IDN-3.tenancy] a write with the wrong tenant touches no row and adds none', async () => {
    const home = store.as(HOME)
    const changed = await home.transaction((tx) =>
      sql`update users set name = 'Eve' where organisation_id = ${CLUB}`.execute(tx),
    )
    expect(changed.numAffectedRows).toBe(0n)
    const removed = await home.transaction((tx) =>
      sql`delete from users where organisation_id = ${CLUB}`.execute(tx),
    )
    expect(removed.numAffectedRows).toBe(0n)
    await expect(
      home.transaction((tx) =>
        sql`insert into users (id, organisation_id, name, email, role, created_at)
          values (${USER}, ${CLUB}, 'Eve', 'eve@example.org', 'owner', now())`.execute(tx),
      ),
    ).rejects.toThrow(/row-level security/)
  })
  it('[IDN-3.tenancy] every table with an organisation is behind the wall, and the role cannot climb it', async () => {
    const open = await store.system.read((tx) =>
      sql<{ relname: string }>`
        select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attname = 'organisation_id'
          and not (c.relrowsecurity and c.relforcerowsecurity)`.execute(tx),
    )
    expect(open.rows).toEqual([])
    const roles = await store.system.read((tx) =>
      sql<{
        rolname: string
      }>`select rolname from pg_roles where rolname like 'kalnet_%' and (rolbypassrls or rolsuper or rolcanlogin)`.execute(
        tx,
      ),
    )
    expect(roles.rows).toEqual([])
  })
  it('[IDN-3.tenancy] what one transaction took, the next one on the same connection does not have', async () => {
    await store.as(HOME).read((tx) => sql`select 1`.execute(tx))
    for (let round = 0; round < 12; round++) {
      const { rows } = await store.as(CLUB).read((tx) =>
        sql<{
          count: number
        }>`select count(*)::int as count from users where organisation_id = ${HOME}`.execute(tx),
      )
      expect(rows[0]?.count).toBe(0)
    }
  })
  it('[IDN-3.tenancy] audit and outbox take additions only', async () => {
    for (const text of ['update audit set action = $$x$$', 'delete from audit', 'delete from events'])
      await expect(store.as(HOME).transaction((tx) => sql.raw(text).execute(tx))).rejects.toThrow(
        /permission denied/,
      )
    await expect(store.system.transaction((tx) => sql`delete from audit`.execute(tx))).rejects.toThrow(
      /permission denied/,
    )
  })
  it('reads cannot write, and times leave as RFC 3339', async () => {
    await expect(store.system.read((tx) => sql`delete from users`.execute(tx))).rejects.toThrow(/read-only/)
    const { rows } = await store.system.read((tx) =>
      sql<{ at: string }>`select '2026-01-02 03:04:05.678901+02'::timestamptz as at`.execute(tx),
    )
    expect(rows[0]?.at).toBe('2026-01-02T01:04:05.678Z')
  })
  it('what a request wants written beside its change is in the same transaction, and absent when that fails', async () => {
    const notes: string[] = []
    const note = async () => () => void notes.push('note')
    await beforeCommit.run(note, async () => {
      await store.system.read((tx) => sql`select 1`.execute(tx))
      await aside(() => store.system.transaction((tx) => sql`select 1`.execute(tx)))
      expect(notes).toEqual([])
      await store.system.transaction((tx) => sql`select 1`.execute(tx))
      expect(notes).toEqual(['note'])
      await expect(store.system.transaction(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
      expect(notes).toEqual(['note'])
    })
  })
  it('two rows with one key are told apart from other faults', async () => {
    const again = store.system.transaction((tx) =>
      sql`insert into organisations values (${HOME}, 'x', now())`.execute(tx),
    )
    const error = await again.catch((it: unknown) => it)
    expect([
      isDuplicate(error),
      isDuplicate(error, 'organisations_pkey'),
      isDuplicate(error, 'other'),
    ]).toEqual([true, true, false])
  })
})

describe('[CTL-1.store] a failing database is a typed error', () => {
  const withCode = (code: string, message = 'x') => Object.assign(new Error(message), { code })
  it.each([
    [withCode('53100'), 'store.full'],
    [withCode('XX000', 'could not write block: No space left on device'), 'store.full'],
    [withCode('ENOSPC'), 'store.full'],
    [withCode('57P01'), 'store.unavailable'],
    [withCode('57P03'), 'store.unavailable'],
    [withCode('ECONNREFUSED'), 'store.unavailable'],
    [withCode('ENOENT'), 'store.unavailable'],
    [new Error('Connection terminated unexpectedly'), 'store.unavailable'],
    [new Error('timeout exceeded when trying to connect'), 'store.unavailable'],
    [withCode('23505'), null],
    [new Error('a bug'), null],
  ])('%s → %s', (error, code) => {
    const result = storeError(error)
    expect(result instanceof KalnetError ? result.code : null).toBe(code)
  })
})
