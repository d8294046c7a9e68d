/** What happens at once, and what happens while something is away: limits, locks, a database that stumbles, a machine that freezes. */
import type { Clock } from '@kalnet/io/clock'
import { systemClock } from '@kalnet/io/clock'
import { sql } from '@kalnet/server/core/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Bare, CAPACITY, enrolBare, seen } from './bare.ts'
import { type Person, type Plane, startPlane, WAIT } from './support.ts'

describe('at once', () => {
  let plane: Plane
  let ada: Person
  let link: Bare
  let bare: Awaited<ReturnType<typeof enrolBare>>
  beforeAll(async () => {
    plane = await startPlane({ perUser: 3 })
    ada = await plane.claim()
  })
  afterAll(() => plane.end())
  const connect = async () => {
    bare = await enrolBare(plane, await plane.token(undefined, 'bare'))
    link = bare.connect()
    await expect.poll(() => link.of('welcome').length, WAIT).toBe(1)
    link.inventory()
    await expect.poll(() => plane.online(), WAIT).toContain('bare')
  }
  const tell = (it: { instanceId: string; generation: number }, state: 'running' | 'stopped' | 'failed') =>
    link.say({ type: 'observed', instance: seen(it, state) })

  it('[SES-1.limit] at the limit of live sessions exactly one of several launches at once wins; an ended one makes room', async () => {
    await connect()
    await plane.launch(ada)
    await plane.launch(ada)
    const body = { templateId: 'fake' }
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => plane.ask('POST', '/api/sessions', { as: ada.secret, body })),
    )
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 429, 429, 429])
    const refused = answers.find((answer) => answer.status === 429)
    expect(refused?.body.error).toMatchObject({ code: 'session.limit', details: { count: 3 } })
    const won = answers.find((answer) => answer.status === 200)?.body as { id: string; instanceId: string }
    tell({ ...won, generation: 1 }, 'failed')
    await plane.until(ada, won.id, { state: 'failed' })
    await plane.launch(ada)
    // A start anew is a live session too.
    const restart = await plane.act(ada, won.id, 'restart')
    expect([restart.status, restart.body.error?.code]).toEqual([429, 'session.limit'])
    expect((await plane.launch(await plane.person('member', ada.organisationId))).state).toBe('pending')
  })

  it('[SES-1.races] wishes and reports at the same moment: no lock stands against another, none is lost', async () => {
    const people = await Promise.all(
      Array.from({ length: 8 }, () => plane.person('member', ada.organisationId)),
    )
    await Promise.all(
      people.map(async (person) => {
        const session = await plane.launch(person)
        for (let generation = 1; generation <= 6; generation++) {
          const it = { instanceId: session.instanceId, generation }
          tell(it, 'running')
          await plane.until(person, session.id, { state: 'running', generation })
          // At the same moment: its machine says one thing, a person another.
          for (let n = 0; n < 5; n++)
            link.say({
              type: 'observed',
              instance: seen(it, 'running', { progress: { step: 'ready', text: String(n), share: null } }),
            })
          const answer = await plane.act(person, session.id, generation < 6 ? 'restart' : 'stop')
          expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
        }
        tell({ instanceId: session.instanceId, generation: 6 }, 'stopped')
        await plane.until(person, session.id, { state: 'stopped' })
      }),
    )
    expect(plane.errors).toEqual([])
  })

  /** Somebody waits for a lock in this database. */
  const waits = () =>
    plane.store.system.transaction(async (tx) => {
      await sql`reset role`.execute(tx)
      const { rows } = await sql`select pid from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(tx)
      return rows.length > 0
    })
  it.each(['stop', 'restart'] as const)(
    '[SES-1.races] a %s waits for a report that is being recorded, and never holds what the report needs',
    async (wish) => {
      const person = await plane.person('member', ada.organisationId)
      const session = await plane.launch(person)
      tell(session, 'running')
      await plane.until(person, session.id, { state: 'running' })
      let answer: ReturnType<Plane['act']> | null = null
      await plane.store.system.transaction(async (tx) => {
        await sql`select id from instances where id = ${session.instanceId} for update`.execute(tx)
        answer = plane.act(person, session.id, wish)
        await eventually('the wish waits', waits)
        // What a report does next.
        await sql`select id from sessions where id = ${session.id} for update nowait`.execute(tx)
      })
      expect(await answer).toMatchObject({ status: 200 })
    },
  )

  it('[SES-1.races] launched on a machine that is revoked at this moment: words, not a fault', async () => {
    const person = await plane.person('member', ada.organisationId)
    const owned = await enrolBare(plane, await plane.token(ada, 'leaving'))
    const machine = owned.connect()
    await expect.poll(() => machine.of('welcome').length, WAIT).toBe(1)
    machine.inventory()
    machine.say({ type: 'heartbeat', capacity: { ...CAPACITY, memoryFreeBytes: 9e12 } })
    const other = await plane.person('member', ada.organisationId)
    await eventually('it is the best', async () => {
      const { id, instanceId, controllerName } = await plane.launch(other)
      if (controllerName === 'leaving') return true
      tell({ instanceId, generation: 1 }, 'failed')
      await plane.until(other, id, { state: 'failed' })
      return false
    })
    let answer: ReturnType<Plane['ask']> | null = null
    await plane.store.system.transaction(async (tx) => {
      await sql`select id from controllers where id = ${owned.controllerId} for update`.execute(tx)
      answer = plane.ask('POST', '/api/sessions', { as: person.secret, body: { templateId: 'fake' } })
      await eventually('the launch waits', waits)
      await sql`delete from controllers where id = ${owned.controllerId}`.execute(tx)
    })
    expect(await answer).toMatchObject({ status: 503, body: { error: { code: 'placement.none' } } })
    machine.close()
    plane.errors.splice(0)
  })

  const stumble = (table: 'instances' | 'controllers') =>
    plane.store.system.transaction(async (tx) => {
      await sql`reset role`.execute(tx)
      await sql`create or replace function stumble() returns trigger language plpgsql as
        $$ begin raise exception 'stumbled' using errcode = '40001'; end $$`.execute(tx)
      await sql`create trigger stumble before update on ${sql.table(table)} for each row execute function stumble()`.execute(
        tx,
      )
    })
  const recover = (table: 'instances' | 'controllers') =>
    plane.store.system.transaction(async (tx) => {
      await sql`reset role`.execute(tx)
      await sql`drop trigger stumble on ${sql.table(table)}`.execute(tx)
    })

  it('[CTL-3.repeat] a report that the database could not take is said again: the machine is asked to come back', async () => {
    const person = await plane.person('member', ada.organisationId)
    const session = await plane.launch(person)
    await stumble('instances')
    tell(session, 'running')
    expect(await link.closed).toBe(4503)
    await expect.poll(() => plane.online(), WAIT).toEqual([])
    await recover('instances')
    link = bare.connect()
    await expect.poll(() => link.of('welcome').length, WAIT).toBe(1)
    link.inventory([seen(session, 'running')])
    await plane.until(person, session.id, { state: 'running', reachable: true })
    expect(plane.errors.splice(0).every((line) => /could not record a report/.test(line))).toBe(true)
  })

  it('[CTL-4.offline] a machine that left while the database was away is known as away when it is back', async () => {
    await stumble('controllers')
    link.close()
    await link.closed
    await systemClock.sleep(200)
    expect(await plane.online()).toContain('bare')
    await recover('controllers')
    await expect.poll(() => plane.online(), WAIT).toEqual([])
    expect(plane.errors).toEqual([])
  })
})

describe('silence', () => {
  /** Twenty times as fast, for everything that waits. */
  const fast: Clock = { now: systemClock.now, sleep: (ms, signal) => systemClock.sleep(ms / 20, signal) }
  let plane: Plane
  let ada: Person
  beforeAll(async () => {
    plane = await startPlane({ clock: fast })
    ada = await plane.claim()
  })
  afterAll(() => plane.end())

  it('[CTL-4.offline] a machine that freezes is unreachable after its time of silence, and its wishes wait for it', async () => {
    const enrolled = await enrolBare(plane, await plane.token(undefined, 'frozen'))
    const link = enrolled.connect({ answers: false })
    await expect.poll(() => link.of('welcome').length, WAIT).toBe(1)
    link.inventory()
    await expect.poll(() => plane.online(), WAIT).toContain('frozen')
    const session = await plane.launch(ada)
    link.say({ type: 'observed', instance: seen(session, 'running') })
    await plane.until(ada, session.id, { state: 'running' })
    await plane.until(ada, session.id, { reachable: false })
    expect((await plane.eventsOf(session.id)).at(-1)).toEqual({ state: 'running', reachable: false })
    const refused = await plane.ask('POST', `/api/sessions/${session.id}/thumbnail`, {
      as: ada.secret,
      body: {},
    })
    expect([refused.status, refused.body]).toEqual([200, { png: null, takenAt: null }])
    await plane.act(ada, session.id, 'stop')
    const again = enrolled.connect()
    await expect.poll(() => again.of('welcome').length, WAIT).toBe(1)
    again.inventory([seen(session, 'running')])
    await expect
      .poll(() => again.of('desired.all').at(-1)?.instances[0], WAIT)
      .toMatchObject({ id: session.instanceId, generation: 1, state: 'stopped' })
    again.say({ type: 'observed', instance: seen(session, 'stopped') })
    await plane.until(ada, session.id, { state: 'stopped', reachable: true })
    again.close()
  })

  it('[CTL-4.offline] whoever waits for an answer of a machine that leaves hears it at once', async () => {
    const enrolled = await enrolBare(plane, await plane.token(undefined, 'mute'))
    const link = enrolled.connect()
    await expect.poll(() => link.of('welcome').length, WAIT).toBe(1)
    link.inventory()
    await expect.poll(() => plane.online(), WAIT).toEqual(['mute'])
    const session = await plane.launch(ada)
    const logs = plane.ask('GET', `/api/sessions/${session.id}/logs`, { as: ada.secret })
    await expect.poll(() => link.of('logs.read').length, WAIT).toBe(1)
    link.close()
    const answer = await logs
    expect([answer.status, answer.body.error?.code]).toEqual([503, 'controller.offline'])
  })

  it('[SES-1.clean] nothing of all this was logged as an error', () => {
    expect(plane.errors.filter((line) => !/controller.offline/.test(line))).toEqual([])
  })
})
