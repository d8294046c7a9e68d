/** Whoever changes what is sealed is found out, exactly where; whoever has no key cannot make it whole again. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { ADA, type AuditBench, auditBench, entryOf, eventually, HOME, log, never } from '../testing/audit.ts'
import { hashOfHead, hashOfRow, headOf, signHead, ZEROS } from './canonical.ts'
import { shapeSegment } from './heads.ts'
import { createRetention } from './retention.ts'
import { storedRow } from './sealer.ts'
import { type ChainRow, statements } from './store.ts'

const place = (position: number) => `organisation_id = '${HOME}' and position = ${position}`
const rowAt = (position: number) =>
  `(xid, seq) in (select xid, seq from audit_seals where ${place(position)})`

let bench: AuditBench
/** Twelve rows in segments of five: 5, 5, 2. */
async function prepared() {
  bench = await auditBench({ segmentRows: 5 })
  await bench.add(12)
  const sealer = bench.sealer()
  let sealed = 0
  await eventually(async () => {
    sealed += await sealer.once()
    return sealed === 12
  }, 'sealed')
  bench.anchor.note(bench.noted())
  return sealer
}
afterEach(() => bench.end())
const found = () => bench.verifier.verify(HOME, never())

/** What an attacker with the whole database does after a change: every hash and head anew, with a key of his own. */
async function rechain(key: Buffer) {
  const { rows, segments } = await bench.store.system.read(async (tx) => ({
    rows: (await statements.chain({ organisationId: HOME, after: '0', limit: 100 }).execute(tx)).rows,
    segments: (await statements.segments({ organisationId: HOME, newest: 100 }).execute(tx)).rows.map(
      shapeSegment,
    ),
  }))
  let last = ZEROS
  const texts: string[] = []
  const hashes = rows.map((row: ChainRow) => {
    const previous = last
    last = hashOfRow(storedRow({ ...row, id: row.id ?? '' }), row.position, previous)
    texts.push(
      `update audit_seals set previous = '\\x${previous}', hash = '\\x${last}' where ${place(Number(row.position))}`,
    )
    return { previous, hash: last }
  })
  let before = ZEROS
  for (const segment of segments) {
    const at = Number(segment.firstPosition) - 1
    const head = {
      ...headOf(segment),
      previous: hashes[at]?.previous ?? '',
      lastHash: hashes[at + segment.count - 1]?.hash ?? '',
      previousHead: before,
    }
    before = hashOfHead(head)
    texts.push(
      `update audit_segments set previous = '\\x${head.previous}', last_hash = '\\x${head.lastHash}',
        previous_head = '\\x${head.previousHead}', signature = '\\x${signHead(key, head)}'
        where organisation_id = '${HOME}' and number = ${head.number}`,
    )
  }
  await bench.tamper(...texts)
}

describe('the chain is checked', () => {
  it('[GOV-1.verify] an untouched one holds', async () => {
    await prepared()
    expect(await found()).toMatchObject({ rows: 12, segments: 3, dropped: 0, pending: 0, break: null })
  })

  const newest = `delete from audit where ${rowAt(12)}`
  const tampers: [string, string[], object][] = [
    [
      'a changed field',
      [`update audit set outcome = 'done2' where ${rowAt(3)}`],
      { problem: 'changed', position: '3', segment: 1 },
    ],
    [
      'a changed time',
      [`update audit set at = at + interval '1 ms' where ${rowAt(7)}`],
      { problem: 'changed', position: '7', segment: 2 },
    ],
    [
      'a changed detail',
      [`update audit set details = '{"templateId": "other"}' where ${rowAt(12)}`],
      { problem: 'changed', position: '12' },
    ],
    [
      'somebody else as the actor',
      [`update audit set user_id = '${HOME}' where ${rowAt(1)}`],
      { problem: 'changed', position: '1' },
    ],
    [
      'a row in another organisation',
      [`update audit set organisation_id = null where ${rowAt(4)}`],
      { problem: 'changed', position: '4' },
    ],
    [
      'a deleted row',
      [`delete from audit where ${rowAt(6)}`],
      { problem: 'missing', position: '6', segment: 2 },
    ],
    [
      'a row deleted with its seal',
      [`delete from audit where ${rowAt(6)}`, `delete from audit_seals where ${place(6)}`],
      { problem: 'missing', position: '6' },
    ],
    [
      'two rows swapped',
      [
        `update audit_seals set position = 99 where ${place(8)}`,
        `update audit_seals set position = 8 where ${place(9)}`,
        `update audit_seals set position = 9 where ${place(99)}`,
      ],
      { problem: 'order', position: '8' },
    ],
    [
      'contents of two rows swapped',
      [
        `update audit set id = gen_random_uuid(), details = '{}', object = 'x' where ${rowAt(2)}`,
        `update audit set details = '{"a": 1}' where ${rowAt(3)}`,
      ],
      { problem: 'changed', position: '2' },
    ],
    [
      'a row slipped in',
      [
        `insert into audit (xid, id, organisation_id, at, actor_kind, action, outcome, details, request_id)
          select xid, gen_random_uuid(), organisation_id, at, 'nobody', 'x', 'done', '{}', 'x' from audit where ${rowAt(5)}`,
      ],
      { problem: 'inserted', position: null },
    ],
    [
      'a row added with a seal',
      [
        `insert into audit_seals select organisation_id, 13, 1::text::xid8, 1, hash, hash from audit_seals where ${place(12)}`,
      ],
      { problem: 'inserted', position: '13' },
    ],
    [
      'the last row cut off',
      [newest, `delete from audit_seals where ${place(12)}`],
      { problem: 'missing', position: '12' },
    ],
    [
      'the last row cut off, and its head set back',
      [
        newest,
        `delete from audit_seals where ${place(12)}`,
        `update audit_segments set count = 1, last_hash = (select hash from audit_seals where ${place(11)}) where number = 3`,
      ],
      { problem: 'signature', segment: 3 },
    ],
    [
      'a whole segment cut out',
      [
        `delete from audit where ${rowAt(6)}`,
        `delete from audit_seals where organisation_id = '${HOME}' and position between 6 and 10`,
        'delete from audit_segments where number = 2',
      ],
      { problem: 'missing', segment: 3 },
    ],
    [
      'a segment said to be dropped',
      [
        'update audit_segments set dropped_at = now() where number = 1',
        `delete from audit_seals where organisation_id = '${HOME}' and position < 5`,
      ],
      { problem: 'inserted', position: '5' },
    ],
    [
      'a changed head',
      [`update audit_segments set closed_at = closed_at - interval '1 day' where number = 1`],
      { problem: 'signature', segment: 1 },
    ],
    [
      'an emptied audit',
      ['delete from audit', 'delete from audit_seals', 'delete from audit_segments'],
      { problem: 'truncated', position: '1' },
    ],
  ]
  it.each(tampers)('[GOV-1.verify] %s is found, exactly where', async (_name, texts, expected) => {
    await prepared()
    await bench.tamper(...texts)
    expect((await found()).break).toMatchObject(expected)
  })

  it('[GOV-1.verify] an attacker without the key who chains and signs everything anew is found', async () => {
    await prepared()
    await bench.tamper(`update audit set outcome = 'permission.denied' where ${rowAt(3)}`)
    await rechain(randomBytes(32))
    expect((await found()).break).toMatchObject({ problem: 'signature', segment: 1 })
    // The same with the right key is whole: it is the key that makes the difference.
    await rechain(bench.key)
    bench.anchor.note([])
    expect((await found()).break).toMatchObject({ problem: 'changed', position: '12' })
  })

  it('[GOV-1.verify] an older state of the database, put back whole, is shorter than what is noted beside it', async () => {
    const sealer = await prepared()
    const old = await bench.store.system.read(
      async (tx) =>
        (
          await sql<{
            row: string
          }>`select row_to_json(s)::text as row from audit_segments s where number = 3`.execute(tx)
        ).rows[0]?.row,
    )
    await bench.add(1)
    await eventually(async () => (await sealer.once()) === 1, 'sealed')
    bench.anchor.note(bench.noted())
    await bench.tamper(
      `delete from audit where ${rowAt(13)}`,
      `delete from audit_seals where ${place(13)}`,
      'delete from audit_segments where number = 3',
      `insert into audit_segments select * from json_populate_record(null::audit_segments, '${old}')`,
    )
    expect((await found()).break).toMatchObject({ problem: 'truncated', position: '13' })
  })

  it('[GOV-1.verify] what is sealed while it is checked is no break', async () => {
    const sealer = await prepared()
    const { of } = bench.anchor
    bench.anchor.of = async (chain) => {
      await bench.add(1)
      await eventually(async () => (await sealer.once()) === 1, 'sealed')
      bench.anchor.note(bench.noted())
      return of(chain)
    }
    expect((await found()).break).toBeNull()
  })

  it('[GOV-1.verify] a forged head is not carried on: the sealer signs nothing it cannot vouch for', async () => {
    const sealer = await prepared()
    await bench.tamper(`update audit_segments set last_hash = '\\x${'ab'.repeat(32)}' where number = 3`)
    await bench.add(2)
    await eventually(async () => (await sealer.once()) > 0, 'sealed')
    expect((await found()).break).toMatchObject({ problem: 'signature', segment: 3 })
    const { rows } = await bench.store.system.read((tx) =>
      sql<{
        number: number
        count: number
      }>`select number, count from audit_segments order by number`.execute(tx),
    )
    expect(rows.at(-1)).toMatchObject({ number: 4 })
    // Closed segments before it still hold, and later rows are sealed after it.
    expect(rows.length).toBe(4)
  })
})

describe('retention', () => {
  it('[GOV-1.retention] old closed segments go whole, their heads stay, and the rest still holds', async () => {
    bench = await auditBench({ segmentRows: 5 })
    const old = (days: number) => new Date(Date.now() - days * 24 * 3600_000).toISOString()
    for (const days of [500, 500, 450, 420, 100, 40, 20]) await bench.add(3, { at: old(days) })
    const sealer = bench.sealer()
    let sealed = 0
    await eventually(async () => {
      sealed += await sealer.once()
      return sealed === 21
    }, 'sealed')
    await sealer.closeDays()
    const clock = { now: () => new Date(), sleep: async () => undefined }
    const retention = createRetention({ store: bench.store, clock, log })
    expect(await retention.days(HOME)).toBe(400)
    expect(await retention.dropDue()).toBe(4)
    expect(await found()).toMatchObject({ rows: 9, dropped: 12, segments: 7, break: null })
    await retention.set(HOME, 30)
    expect(await retention.dropDue()).toBe(2)
    expect(await retention.dropDue()).toBe(0)
    expect(await found()).toMatchObject({ rows: 3, dropped: 18, break: null })
    await expect(retention.set(HOME, 29)).rejects.toThrow(/retention_days/)
    // A changed row after the dropped ones is found as before.
    await bench.tamper(`update audit set object = 'x' where ${rowAt(20)}`)
    expect((await found()).break).toMatchObject({ problem: 'changed', position: '20' })
  })

  it('[GOV-1.retention] a clock that was set drops nothing', async () => {
    bench = await auditBench({ segmentRows: 5 })
    await bench.add(5)
    const stop = new AbortController()
    let shift = 0
    let rounds = 0
    const clock = {
      now: () => new Date(Date.now() + shift),
      async sleep(ms: number) {
        rounds += 1
        if (rounds > 1) return stop.abort()
        shift += ms + 1000 * 24 * 3600_000
      },
    }
    const sealer = bench.sealer()
    await eventually(async () => (await sealer.once()) > 0, 'sealed')
    await createRetention({ store: bench.store, clock, log }).run(sealer, stop.signal)
    expect(await found()).toMatchObject({ rows: 5, dropped: 0, break: null })
  })
})

describe('refusals', () => {
  it('[GOV-1.flood] a flood of refusals is counted, not written one by one', async () => {
    bench = await auditBench()
    const refused = (more = {}) =>
      entryOf({
        actorKind: 'nobody',
        userId: null,
        organisationId: null,
        action: 'user.signed-in',
        outcome: 'sign-in.wrong',
        ...more,
      })
    for (let at = 0; at < 2_000; at++)
      await bench.record(null, refused({ address: `10.0.${at >> 8}.${at & 255}` }), false)
    // Somebody who is known has a budget of his own.
    await bench.record(null, entryOf({ outcome: 'permission.denied' }), false)
    const counted = bench.flood.take()
    expect(counted).toHaveLength(1)
    expect(counted[0]).toMatchObject({
      action: 'user.signed-in',
      outcome: 'sign-in.wrong',
      details: { times: 1_700 },
    })
    const { rows } = await bench.store.system.read((tx) =>
      sql<{
        n: number
        known: number
      }>`select count(*)::int as n, count(*) filter (where user_id = ${ADA})::int as known from audit`.execute(
        tx,
      ),
    )
    expect(rows[0]).toEqual({ n: 301, known: 1 })
    // Kinds beyond what is told apart are counted together: the memory is bounded.
    for (let at = 0; at < 1_000; at++) bench.flood.admits(refused({ action: `thing.${at}` }))
    const kinds = bench.flood.take()
    expect(kinds.length).toBe(201)
    expect(kinds.reduce((sum, it) => sum + Number(it.details.times), 0)).toBe(1_000)
  })
})
