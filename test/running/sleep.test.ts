/** Sessions that sleep and wake, by themselves and because nobody uses them: real control plane, real controller, made-up platform. */
import type { Session } from '@kalnet/contracts/session'
import { STREAM_PATH, STREAM_PROTOCOL, TICKET_PREFIX } from '@kalnet/contracts/stream'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { sql } from '@kalnet/server/core/store'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Machine, type Person, type Plane, startPlane, WAIT } from './support.ts'

const template = (id: string, more: string) => `id: ${id}
version: 1.0.0
name: ${id}
summary: Runs nothing
category: tools
licence: MIT
kind: session
image: { reference: none }
platforms: [fake]
network: none
command: [program]
${more}
`
/** The wall clock, moved on by hand; whoever sleeps by it wakes ten times as soon. */
let ahead = 0
const clock: Clock = {
  ...systemClock,
  now: () => new Date(systemClock.now().getTime() + ahead),
  sleep: (ms, signal) => systemClock.sleep(ms / 10, signal),
}
const MINUTE = 60_000

let plane: Plane
let machine: Machine
let ada: Person
beforeAll(async () => {
  plane = await startPlane({
    clock,
    perUser: 4,
    templates: {
      sleeper: template('sleeper', 'idle: { action: hibernate, afterMinutes: 30 }'),
      stopper: template('stopper', 'idle: { action: stop, afterMinutes: 30 }'),
      homeless: template('homeless', 'home: private'),
    },
  })
  ada = await plane.claim()
  machine = await plane.machine(ada)
})
afterEach(async () => {
  // Whatever a test leaves would count for the next one's limit.
  for (const state of ['live', 'ended']) {
    const { body } = await plane.ask('GET', `/api/sessions?state=${state}&limit=100`, { as: ada.secret })
    for (const { id } of (body as unknown as { items: Session[] }).items) await removed(id)
  }
})
afterAll(() => plane.end())

const keyOf = (it: Session) => `${it.instanceId}/${it.generation}`
const runs = (it: Session) => machine.world.runtimes.has(keyOf(it))
const homeOf = (it: Session) => machine.world.runtimes.get(keyOf(it))?.volumes[0] ?? ''
const remove = (id: string) => plane.ask('DELETE', `/api/sessions/${id}`, { as: ada.secret })
const removed = async (id: string) => {
  if ((await remove(id)).status === 200) return
  await plane.act(ada, id, 'stop')
  await plane.until(ada, id, (it) => ['stopped', 'failed', 'hibernated'].includes(it.state))
  expect((await remove(id)).status).toBe(200)
}
const asleep = async (id: string) => {
  expect((await plane.act(ada, id, 'hibernate')).status).toBe(200)
  return plane.until(ada, id, { state: 'hibernated' })
}
const homes = () =>
  plane.store.system.read(
    async (tx) =>
      (
        await sql<{
          id: string
          session_id: string | null
        }>`select id, session_id from session_homes`.execute(tx)
      ).rows,
  )

describe('asleep and awake', () => {
  it('[SES-1.hibernate] it sleeps: nothing of it runs and its home is kept; awake it is a new generation with the same home', async () => {
    const session = await plane.run(ada, { name: 'Essay' })
    const home = homeOf(session)
    machine.world.volumes.set(home, { essay: 'once upon a time' })
    expect((await plane.act(ada, session.id, 'hibernate')).body.state).toBe('hibernating')
    const sleeping = await plane.until(ada, session.id, { state: 'hibernated' })
    expect(sleeping).toMatchObject({
      name: 'Essay',
      reason: null,
      endedAt: null,
      keepsHome: true,
      generation: 1,
    })
    expect(runs(session)).toBe(false)
    expect(machine.world.volumes.get(home)).toEqual({ essay: 'once upon a time' })
    expect((await plane.act(ada, session.id, 'wake')).body).toMatchObject({ state: 'waking', generation: 2 })
    const awake = await plane.until(ada, session.id, { state: 'running' })
    expect(awake).toMatchObject({ name: 'Essay', generation: 2 })
    expect(String(awake.stages.accepted) > String(session.stages.accepted)).toBe(true)
    expect(homeOf(awake)).toBe(home)
    expect(machine.world.volumes.get(home)).toEqual({ essay: 'once upon a time' })
  })

  it('[SES-1.hibernate] asked twice at once it sleeps once, and wakes once', async () => {
    const { id, instanceId } = await plane.run(ada)
    const both = (what: 'hibernate' | 'wake') =>
      Promise.all([plane.act(ada, id, what), plane.act(ada, id, what)])
    expect((await both('hibernate')).map((it) => it.status)).toEqual([200, 200])
    await plane.until(ada, id, { state: 'hibernated' })
    expect((await both('wake')).map((it) => [it.status, it.body.generation])).toEqual([
      [200, 2],
      [200, 2],
    ])
    await plane.until(ada, id, { state: 'running' })
    expect([1, 2, 3].map((it) => machine.world.created.get(`${instanceId}/${it}`))).toEqual([1, 1, undefined])
    expect((await plane.act(ada, id, 'wake')).body).toMatchObject({ state: 'running', generation: 2 })
  })

  it('[SES-1.hibernate] what is not possible is said', async () => {
    const code = async (id: string, what: 'hibernate' | 'wake' | 'stop' | 'restart') =>
      (await plane.act(ada, id, what)).body.error?.code
    const homeless = await plane.run(ada, { templateId: 'homeless' })
    expect(homeless.keepsHome).toBe(false)
    expect(await code(homeless.id, 'hibernate')).toBe('session.no-home')
    const { id } = await plane.run(ada)
    await asleep(id)
    expect(await code(id, 'stop')).toBe('session.state')
    expect(await code(id, 'restart')).toBe('session.state')
    const other = await plane.person('member', ada.organisationId)
    expect((await plane.act(other, id, 'wake')).status).toBe(403)
    await removed(homeless.id)
    const gone = await plane.run(ada)
    await plane.act(ada, gone.id, 'stop')
    await plane.until(ada, gone.id, { state: 'stopped' })
    expect([await code(gone.id, 'hibernate'), await code(gone.id, 'wake')]).toEqual([
      'session.state',
      'session.state',
    ])
  })

  it('[SES-1.hibernate] what sleeps is no running session: there is a limit of its own, and waking counts', async () => {
    const sleeping: string[] = []
    for (let at = 0; at < 4; at++) sleeping.push((await asleep((await plane.run(ada)).id)).id)
    const one = await plane.run(ada)
    const refused = await plane.act(ada, one.id, 'hibernate')
    expect([refused.status, refused.body.error?.code]).toEqual([429, 'session.asleep-limit'])
    for (let at = 0; at < 3; at++) await plane.launch(ada)
    expect((await plane.act(ada, sleeping[0] ?? '', 'wake')).body.error?.code).toBe('session.limit')
  })
})

describe('the home', () => {
  it('[SES-1.home] it goes when its session is stopped, removed or started afresh, and stays when it failed', async () => {
    const session = await plane.run(ada)
    const [first, known] = [homeOf(session), () => [...machine.world.volumes.keys()]]
    machine.world.end(session.instanceId, 3, 'It crashed')
    await plane.until(ada, session.id, { state: 'failed' })
    await plane.act(ada, session.id, 'restart')
    const again = await plane.until(ada, session.id, { state: 'running' })
    expect(homeOf(again)).toBe(first)
    await plane.act(ada, session.id, 'restart')
    const fresh = await plane.until(ada, session.id, { state: 'running', generation: 3 })
    const second = homeOf(fresh)
    expect(second).not.toBe(first)
    await expect.poll(known, WAIT).not.toContain(first)
    await plane.act(ada, session.id, 'stop')
    await expect.poll(known, WAIT).not.toContain(second)
    await plane.act(ada, session.id, 'restart')
    const third = homeOf(await plane.until(ada, session.id, { state: 'running', generation: 4 }))
    expect([first, second]).not.toContain(third)
    await asleep(session.id)
    expect(known()).toContain(third)
    expect((await remove(session.id)).status).toBe(200)
    await expect.poll(known, WAIT).not.toContain(third)
    await expect.poll(homes, WAIT).toEqual([])
  })

  it('[SES-1.home-size] asleep or failed it is told how large it is and where, and on which machine; running it is not', async () => {
    const session = await plane.run(ada)
    expect(session.home).toBeNull()
    const home = homeOf(session)
    machine.world.volumes.set(home, { essay: 'once upon a time' })
    await asleep(session.id)
    const isMeasured = (it: Session) => it.home !== null && it.home.measuredAt !== null
    const sleeping = await plane.until(ada, session.id, isMeasured)
    expect(sleeping).toMatchObject({ state: 'hibernated' })
    expect(sleeping.home).toMatchObject({ bytes: 16, reservedBytes: null, place: `fake/${home}` })
    const there = await plane.ask('GET', '/api/controllers/homes', { as: ada.secret })
    const kept = { controllerId: session.controllerId, homes: 1, bytes: 16, reservedBytes: 0, unknown: 0 }
    expect(there.body).toEqual({ items: [kept] })
    // Another household sees nothing of it.
    const other = await plane.person('owner')
    expect((await plane.ask('GET', '/api/controllers/homes', { as: other.secret })).body).toEqual({
      items: [],
    })

    await plane.act(ada, session.id, 'wake')
    const awake = await plane.until(ada, session.id, { state: 'running' })
    expect(awake.home).toBeNull()
    machine.world.volumes.set(home, { essay: 'once' })
    machine.world.end(session.instanceId, 3, 'It crashed')
    const failed = await plane.until(ada, session.id, (it) => it.state === 'failed' && isMeasured(it))
    expect(failed.home).toMatchObject({ bytes: 4 })
  })

  it('[SES-1.home-size] what its machine cannot say is not known; a machine that was away says it when it is back', async () => {
    const session = await plane.run(ada)
    const home = homeOf(session)
    machine.world.fail('measureVolume', 'the disk is on fire')
    await asleep(session.id)
    const unknown = await plane.until(
      ada,
      session.id,
      (it) => it.home !== null && it.home.measuredAt !== null,
    )
    expect(unknown.home).toMatchObject({ bytes: null, reservedBytes: null, place: null })
    const items = async () =>
      (await plane.ask('GET', '/api/controllers/homes', { as: ada.secret })).body.items
    expect(await items()).toMatchObject([{ homes: 1, bytes: 0, unknown: 1 }])

    await plane.act(ada, session.id, 'wake')
    await plane.until(ada, session.id, { state: 'running' })
    machine.world.delay('measureVolume', 60_000)
    expect((await asleep(session.id)).home).toEqual({
      bytes: null,
      reservedBytes: null,
      place: null,
      measuredAt: null,
    })
    await machine.stop()
    machine.world.delay('measureVolume', 0)
    await machine.start()
    const known = await plane.until(ada, session.id, (it) => it.home !== null && it.home.measuredAt !== null)
    expect(known.home).toMatchObject({ bytes: 0, place: `fake/${home}` })
  })

  it('[SES-1.home] gone from its machine: said in words, asleep as before, and it can be removed', async () => {
    const session = await plane.run(ada)
    const home = homeOf(session)
    await asleep(session.id)
    machine.world.volumes.delete(home)
    await plane.act(ada, session.id, 'wake')
    const sleeping = await plane.until(ada, session.id, { state: 'hibernated', generation: 2 })
    expect(sleeping.reason).toMatch(/The folder that was kept for it \(home\) is not on its machine any more/)
    expect((await remove(session.id)).status).toBe(200)
  })
})

describe('what goes wrong', () => {
  it('[SES-1.hibernate] a waking that fails leads back to sleep, and can be tried again', async () => {
    const session = await plane.run(ada)
    await asleep(session.id)
    machine.world.fail('ensure', 'the disk is on fire', 3)
    await plane.act(ada, session.id, 'wake')
    const back = await plane.until(ada, session.id, { state: 'hibernated', generation: 2 })
    expect(back.reason).toContain('the disk is on fire')
    await plane.act(ada, session.id, 'wake')
    const awake = await plane.until(ada, session.id, { state: 'running' })
    expect(awake).toMatchObject({ generation: 3, reason: null })
  })

  it('[SES-1.hibernate] its machine is away: it sleeps, and wakes, as soon as it is back', async () => {
    const session = await plane.run(ada)
    await machine.stop()
    await plane.until(ada, session.id, { reachable: false })
    expect((await plane.act(ada, session.id, 'hibernate')).body).toMatchObject({
      state: 'hibernating',
      reason: expect.stringContaining('not connected'),
    })
    await machine.start()
    expect(await plane.until(ada, session.id, { state: 'hibernated' })).toMatchObject({ reason: null })
    await machine.stop()
    await plane.until(ada, session.id, { reachable: false })
    await plane.act(ada, session.id, 'wake')
    await machine.start()
    expect(await plane.until(ada, session.id, { state: 'running' })).toMatchObject({
      generation: 2,
      reason: null,
    })
  })

  it('[SES-1.hibernate] wanted awake again before it slept: one runs, with the same home', async () => {
    const session = await plane.run(ada)
    const home = homeOf(session)
    await machine.stop()
    await plane.until(ada, session.id, { reachable: false })
    await plane.act(ada, session.id, 'hibernate')
    expect((await plane.act(ada, session.id, 'wake')).body.state).toBe('waking')
    await machine.start()
    const awake = await plane.until(ada, session.id, { state: 'running', generation: 2 })
    expect([runs(session), homeOf(awake)]).toEqual([false, home])
  })

  it('[SES-1.hibernate] the control plane or the controller ends in the middle: it ends as it was wished', async () => {
    const session = await plane.run(ada)
    machine.world.delay('stop', 500)
    await plane.act(ada, session.id, 'hibernate')
    await plane.stop()
    await plane.start()
    await plane.until(ada, session.id, { state: 'hibernated' })
    machine.world.delay('stop', 0)
    machine.world.delay('ensure', 500)
    await plane.act(ada, session.id, 'wake')
    await machine.stop()
    await machine.start()
    machine.world.delay('ensure', 0)
    expect(await plane.until(ada, session.id, { state: 'running' })).toMatchObject({ generation: 2 })
    expect(machine.world.mostAtOnce).toBe(1)
  })

  it('[SES-1.hibernate] its machine is emptied: what is waking goes back to sleep instead of losing its home', async () => {
    const session = await plane.run(ada)
    await asleep(session.id)
    machine.world.delay('ensure', 400)
    await plane.act(ada, session.id, 'wake')
    const controllers = `/api/controllers/${session.controllerId}`
    expect((await plane.ask('POST', `${controllers}/drain`, { as: ada.secret, body: {} })).status).toBe(200)
    const sleeping = await plane.until(ada, session.id, { state: 'hibernated' })
    expect(sleeping.reason).toBe('Its machine is being taken out of service.')
    expect((await plane.act(ada, session.id, 'wake')).body.error?.code).toBe('controller.cordoned')
    machine.world.delay('ensure', 0)
    await plane.ask('PATCH', controllers, { as: ada.secret, body: { cordoned: false } })
  })
})

describe('nobody uses it', () => {
  const pass = (minutes: number) => {
    ahead += minutes * MINUTE
  }

  it('[TPL-1.idle] it is warned of, then sleeps and says why; awake again it counts anew', async () => {
    const session = await plane.run(ada, { templateId: 'sleeper' })
    expect(session.idle).toBeNull()
    pass(28.5)
    const warned = await plane.until(ada, session.id, (it) => it.idle !== null)
    expect(warned).toMatchObject({ state: 'running', idle: { action: 'hibernate' } })
    pass(2.5)
    const sleeping = await plane.until(ada, session.id, { state: 'hibernated' })
    expect(sleeping).toMatchObject({ reason: 'Nobody used it for 30 minutes.', idle: null })
    const record = await plane.ask('GET', `/api/audit?object=${session.id}`, { as: ada.secret })
    expect((record.body.items as object[])[0]).toMatchObject({
      action: 'session.hibernated',
      actorKind: 'nobody',
      details: { by: 'rule' },
    })
    await plane.act(ada, session.id, 'wake')
    expect(await plane.until(ada, session.id, { state: 'running' })).toMatchObject({
      idle: null,
      reason: null,
    })
  })

  it('[TPL-1.idle] somebody says that it is needed: it stays awake', async () => {
    const session = await plane.run(ada, { templateId: 'sleeper' })
    pass(29)
    await plane.until(ada, session.id, (it) => it.idle !== null)
    expect((await plane.act(ada, session.id, 'keep-awake')).body).toMatchObject({
      state: 'running',
      idle: null,
    })
    pass(20)
    expect(await plane.read(ada, session.id)).toMatchObject({ state: 'running', idle: null })
  })

  it('[TPL-1.idle] a viewer that opens, and each key in it, is use; what a viewer says by itself is not', async () => {
    const session = await plane.run(ada, { templateId: 'sleeper' })
    const warned = () => plane.until(ada, session.id, (it) => it.idle !== null)
    const awake = () => plane.until(ada, session.id, { idle: null })
    pass(29)
    await warned()
    const { body } = await plane.ask('POST', `/api/sessions/${session.id}/tickets`, {
      as: ada.secret,
      body: { port: 'display' },
    })
    const socket = new WebSocket(
      `ws://127.0.0.1:${plane.port}${STREAM_PATH}`,
      [STREAM_PROTOCOL, TICKET_PREFIX + String(body.ticket)],
      { origin: plane.url, headers: { cookie: `kalnet=${ada.secret}` } },
    )
    const bytes = (length: number, ...first: number[]) =>
      Buffer.concat([Buffer.from(first), Buffer.alloc(length - first.length)])
    try {
      const connected = new Promise((resolve, reject) => {
        socket.once('message', resolve)
        socket.once('error', reject)
      })
      await awake()
      await connected
      socket.send(Buffer.concat([Buffer.from('RFB 003.008\n'), bytes(2, 1, 1)]))
      pass(29)
      await warned()
      socket.send(bytes(10, 3, 1))
      await systemClock.sleep(200)
      expect((await plane.read(ada, session.id)).idle).not.toBeNull()
      socket.send(bytes(8, 4, 1))
      await awake()
      expect((await plane.read(ada, session.id)).state).toBe('running')
    } finally {
      socket.terminate()
    }
  })

  it('[TPL-1.idle] the control plane was away for hours: nobody is acted upon without a warning', async () => {
    const session = await plane.run(ada, { templateId: 'stopper' })
    await plane.stop()
    pass(600)
    await plane.start()
    const warned = await plane.until(ada, session.id, (it) => it.idle !== null)
    expect(warned).toMatchObject({ state: 'running', idle: { action: 'stop' } })
    pass(2)
    const stopped = await plane.until(ada, session.id, { state: 'stopped' })
    expect(stopped.reason).toBe('Nobody used it for 30 minutes.')
  })

  it('[TPL-1.idle] a template that says nothing leaves it alone', async () => {
    const [quiet, sleeper] = [await plane.run(ada), await plane.run(ada, { templateId: 'sleeper' })]
    pass(600)
    await plane.until(ada, sleeper.id, (it) => it.idle !== null)
    pass(3)
    await plane.until(ada, sleeper.id, { state: 'hibernated' })
    expect(await plane.read(ada, quiet.id)).toMatchObject({ state: 'running', idle: null })
  })
})

it('[SES-1.clean] nothing of all this was logged as an error', () => {
  expect(plane.errors).toEqual([])
})
