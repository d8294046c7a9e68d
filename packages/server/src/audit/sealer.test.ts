/** One chain for each organisation, sealed once, by one server at a time, whatever writes at the same moment. */
import { systemClock } from '@kalnet/io/clock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { ADA, type AuditBench, auditBench, entryOf, eventually, HOME, never } from '../testing/audit.ts'

const OTHER = '01920000-0000-7000-8000-00000000000b'

describe('the sealer', () => {
  let bench: AuditBench
  beforeAll(async () => {
    bench = await auditBench({ segmentRows: 40 })
  })
  afterAll(() => bench.end())
  const seals = async () =>
    (
      await bench.store.system.read((tx) =>
        sql<{ organisation_id: string | null; position: string; xid: string; seq: string }>`
          select organisation_id, position, xid::text as xid, seq from audit_seals order by position`.execute(
          tx,
        ),
      )
    ).rows
  const holds = async () => {
    const all = await bench.verifier.verifyAll(never())
    expect(all.filter((it) => it.break)).toEqual([])
    return all
  }
  const sealed = async (sealers: ReturnType<AuditBench['sealer']>[], count: number) => {
    await eventually(async () => {
      await Promise.all(sealers.map((it) => it.once()))
      return (await seals()).length >= count
    }, `${count} rows sealed`)
    expect((await seals()).length).toBe(count)
  }

  it('[GOV-1.chain] rows are chained per organisation, nobody’s in the installation’s chain', async () => {
    await bench.add(3)
    await bench.add(2, { organisationId: OTHER })
    await bench.add(1, { organisationId: null, userId: null, actorKind: 'nobody' })
    await sealed([bench.sealer()], 6)
    const all = await holds()
    expect(Object.fromEntries(all.map((it) => [it.organisationId, it.rows]))).toEqual({
      [HOME]: 3,
      [OTHER]: 2,
      null: 1,
    })
  })

  it('[GOV-1.chain] of several servers one seals: one chain without a fork, in the order of the changes', async () => {
    await bench.store.system.transaction((tx) => sql`update audit_sealer set until = '-infinity'`.execute(tx))
    const before = (await seals()).length
    const sealers = [bench.sealer(), bench.sealer(), bench.sealer()]
    const writing = Promise.all([
      bench.add(60),
      bench.add(60, { object: null }),
      bench.add(30, { organisationId: OTHER }),
    ])
    const stop = new AbortController()
    const running = sealers.map((it) => it.run(stop.signal))
    await writing
    await eventually(async () => (await seals()).length === before + 150, 'all sealed')
    stop.abort()
    await Promise.all(running)
    const mine = (await seals()).filter((it) => it.organisation_id === HOME)
    expect(mine.map((it) => it.position)).toEqual(mine.map((_, at) => String(at + 1)))
    const order = mine.map((it) => [BigInt(it.xid), BigInt(it.seq)] as const)
    for (const [at, [xid, seq]] of order.entries()) {
      const [lastXid, lastSeq] = order[at - 1] ?? [0n, 0n]
      expect(xid > lastXid || (xid === lastXid && seq > lastSeq)).toBe(true)
    }
    const all = await holds()
    // Closed by number: 40 rows each.
    expect(all.find((it) => it.organisationId === HOME)?.segments).toBe(4)
  })

  it('[GOV-1.chain] the lease of a server that died is taken over when it has run out, and counted', async () => {
    const epoch = async () =>
      (
        await bench.store.system.read((tx) =>
          sql<{ epoch: string }>`select epoch from audit_sealer`.execute(tx),
        )
      ).rows[0]?.epoch
    const dead = bench.sealer()
    await bench.add(1)
    await eventually(async () => (await dead.once()) === 1, 'sealed')
    const before = Number(await epoch())
    await bench.add(1)
    const next = bench.sealer()
    expect(await next.once()).toBe(0)
    await bench.store.system.transaction((tx) =>
      sql`update audit_sealer set until = clock_timestamp() + interval '100 milliseconds'`.execute(tx),
    )
    await eventually(async () => (await next.once()) === 1, 'taken over')
    expect(Number(await epoch())).toBe(before + 1)
    await holds()
  })

  it('[GOV-1.chain] a row that is not committed yet is waited for: nothing is sealed past it', async () => {
    await bench.store.system.transaction((tx) => sql`update audit_sealer set until = '-infinity'`.execute(tx))
    const sealer = bench.sealer()
    const gate = Promise.withResolvers<void>()
    const late = entryOf({ action: 'late.done' })
    const begun = Promise.withResolvers<void>()
    const slow = bench.store.system.transaction(async (tx) => {
      await bench.record(tx, late, false)
      begun.resolve()
      await gate.promise
    })
    await begun.promise
    await bench.add(2, { action: 'after.done' })
    await sealer.once()
    expect(await sealer.once()).toBe(0)
    gate.resolve()
    await slow
    await eventually(async () => (await sealer.once()) > 0, 'sealed')
    const { rows } = await bench.store.system.read((tx) =>
      sql<{
        action: string
      }>`select action from audit join audit_seals using (xid, seq) where audit.organisation_id = ${HOME}
        order by position desc limit 3`.execute(tx),
    )
    expect(rows.map((row) => row.action)).toEqual(['after.done', 'after.done', 'late.done'])
    await holds()
  })

  it('[GOV-1.chain] details that come late complete a pending row; a sealed one is left, and they get a row of their own', async () => {
    await bench.store.system.transaction((tx) => sql`update audit_sealer set until = '-infinity'`.execute(tx))
    const sealer = bench.sealer()
    const row = entryOf({ action: 'thing.made', details: {} })
    await bench.store.system.transaction((tx) => bench.record(tx, row, false))
    await bench.record(null, { ...row, details: { size: 1 } }, true)
    await eventually(async () => (await sealer.once()) > 0, 'sealed')
    await bench.record(null, { ...row, details: { size: 2 } }, true)
    await eventually(async () => (await sealer.once()) > 0, 'sealed')
    const { rows } = await bench.store.system.read((tx) =>
      sql<{ details: object }>`select details from audit where action = 'thing.made' order by seq`.execute(
        tx,
      ),
    )
    expect(rows.map((it) => it.details)).toEqual([{ size: 1 }, { size: 2, completes: row.id }])
    await holds()
  })

  it('[GOV-1.chain] no role of ours changes or removes what is sealed', async () => {
    for (const text of [
      `update audit set details = '{}' where organisation_id = '${HOME}'`,
      `update audit set action = 'x'`,
      'delete from audit',
      'truncate audit',
      'update audit_seals set position = position',
      'delete from audit_seals',
      `update audit_segments set count = 1 where closed_at is not null`,
      `update audit_segments set dropped_at = now() where closed_at is not null`,
      'delete from audit_segments',
      `select kalnet_drop_audit_segment('${HOME}', 1)`,
    ])
      for (const role of ['kalnet_system', 'kalnet_owner'])
        await expect(
          bench.store.system.transaction(async (tx) => {
            await sql.raw(`set local role ${role}`).execute(tx)
            await sql.raw(text).execute(tx)
          }),
          `${role}: ${text}`,
        ).rejects.toThrow(
          /never changed|permission denied|only with their segment|never emptied|kept as it is/,
        )
    await holds()
  })

  it('whatever somebody sends, its row is written', async () => {
    await bench.record(
      null,
      entryOf({
        outcome: 'thing.unknown',
        object: `a\0b\ud800${'x'.repeat(9_000)}`,
        details: { 'a\0': '\udfff' },
      }),
      false,
    )
    const { rows } = await bench.store.system.read((tx) =>
      sql<{ object: string }>`select object from audit where outcome = 'thing.unknown'`.execute(tx),
    )
    expect(rows[0]?.object).toMatch(/^a␀b\ufffdx+$/)
    expect(rows[0]?.object.length).toBe(2_000)
  })

  it('[GOV-1.chain] a clock that jumps changes no order: days only ever close forward', async () => {
    await bench.store.system.transaction((tx) => sql`update audit_sealer set until = '-infinity'`.execute(tx))
    const sealer = bench.sealer()
    const before = (await seals()).length
    const day = 24 * 3600_000
    for (const shift of [0, 3 * day, -400 * day, 0, 3 * day, 4 * day])
      await bench.add(1, { at: new Date(systemClock.now().getTime() + shift).toISOString(), userId: ADA })
    await sealed([sealer], before + 7)
    await holds()
  })
})
