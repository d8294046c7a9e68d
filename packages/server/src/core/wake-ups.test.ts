/** What NATS is told and what it may do, as tables; a server that is none of ours stands in for it. The real one: test/running/nats.real.test.ts. */
import { createServer, type Server, type Socket } from 'node:net'
import { config as configSchema } from '@kalnet/contracts/config'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterEach, describe, expect, it } from 'vitest'
import { createEvents } from './events.ts'
import { createStore } from './store.ts'
import { testDatabase } from './testing.ts'
import { createWakeUps, natsOptions } from './wake-ups.ts'

const log = createLog('test', 'silent')
const given = (nats: object, database: object = {}) => configSchema.parse({ nats, database })
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** Says `info` and then whatever it is told to; keeps what it heard. */
async function fakeNats(info: object) {
  const heard: string[] = []
  let silent = false
  const sockets: Socket[] = []
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.write(
      `INFO ${JSON.stringify({ server_id: 'x', version: '2.10.0', proto: 1, max_payload: 1048576, headers: true, ...info })}\r\n`,
    )
    socket.on('data', (chunk) => {
      heard.push(chunk.toString('latin1'))
      if (chunk.includes('PING') && !silent) socket.write('PONG\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  ends.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  const fallSilent = () => {
    silent = true
  }
  return { port: address.port, heard: () => heard.join(''), sockets, fallSilent }
}
const until = async (holds: () => boolean) => {
  for (let tries = 0; tries < 500 && !holds(); tries += 1) await systemClock.sleep(10)
  expect(holds()).toBe(true)
}

describe('[MSH-6.wakeups] what NATS is told', () => {
  it.each<[object, object]>([
    [{ url: 'nats://a.example' }, { servers: ['a.example:4222'] }],
    [{ url: 'nats://a:1,nats://b:2' }, { servers: ['a:1', 'b:2'] }],
    [{ url: 'nats://[::1]:4333' }, { servers: ['[::1]:4333'] }],
    [{ url: 'nats://me:p%40ss@a' }, { servers: ['a:4222'], user: 'me', pass: 'p@ss' }],
    [{ url: 'nats://token@a' }, { servers: ['a:4222'], token: 'token' }],
    [
      { url: 'nats://a', token: 'secret' },
      { servers: ['a:4222'], token: 'secret' },
    ],
    [{ url: 'tls://a' }, { servers: ['a:4222'], tls: {} }],
  ])('%j → %j', (nats, expected) => {
    expect(natsOptions(given(nats).nats, null)).toMatchObject(expected)
  })
  it('without tls:// it is not asked for, with an authority it is', () => {
    expect(natsOptions(given({ url: 'nats://a' }).nats, null)).not.toHaveProperty('tls')
    expect(natsOptions(given({ url: 'nats://a' }).nats, 'PEM')).toMatchObject({ tls: { ca: 'PEM' } })
  })
  it.each(['http://a', 'nats://', 'nats://a b', 'nats://a,', 'nats://a:port'])('%j is refused', (url) => {
    expect(configSchema.safeParse({ nats: { url } }).success).toBe(false)
  })
  it.each(['a.>', '*', '', 'a b', '.a'])('the subject %j is refused', (subject) => {
    expect(configSchema.safeParse({ nats: { subject } }).success).toBe(false)
  })
  it('where NOTIFY arrives and there is no NATS, nothing is there at all', () => {
    expect(createWakeUps({ config: given({}), clock: systemClock, log })).toBeNull()
  })
})

describe('[MSH-6.wakeups] a server that is none of ours', () => {
  it('one that speaks no TLS where TLS is meant is told no secret', async () => {
    const fake = await fakeNats({ auth_required: true })
    const it = createWakeUps({
      config: given({ url: `tls://127.0.0.1:${fake.port}`, token: 'canary-token' }),
      clock: systemClock,
      log,
    })
    ends.push(() => it?.close())
    // Two tries: it was refused, and is tried again.
    await until(() => fake.sockets.length > 1)
    expect(it?.state()).toBe('waiting')
    expect(fake.heard()).not.toContain('canary')
  })
  it('whatever it says wakes at most; what it says is not looked at', async () => {
    const fake = await fakeNats({})
    const it = createWakeUps({
      config: given({ url: `nats://127.0.0.1:${fake.port}` }),
      clock: systemClock,
      log,
    })
    ends.push(() => it?.close())
    let woken = 0
    it?.hear(() => {
      woken += 1
    })
    await until(() => it?.state() === 'connected')
    const sid = /SUB kalnet\.wake (\S+)/.exec(fake.heard())?.[1]
    const before = woken
    const garbage = Buffer.alloc(900_000, 0xff)
    fake.sockets[0]?.write(`MSG kalnet.wake ${sid} ${garbage.length}\r\n`)
    fake.sockets[0]?.write(garbage)
    fake.sockets[0]?.write('\r\n')
    await until(() => woken > before)
  })
  it('one that says nothing any more is given up and tried again', async () => {
    const fake = await fakeNats({})
    const it = createWakeUps({
      config: given({ url: `nats://127.0.0.1:${fake.port}` }),
      clock: systemClock,
      log,
      pingMs: 50,
    })
    ends.push(() => it?.close())
    await until(() => it?.state() === 'connected')
    fake.fallSilent()
    await until(() => fake.sockets.length > 1)
  })
  it('a flood wakes no oftener than a hundred times a second', async () => {
    const fake = await fakeNats({})
    const it = createWakeUps({
      config: given({ url: `nats://127.0.0.1:${fake.port}` }),
      clock: systemClock,
      log,
    })
    ends.push(() => it?.close())
    const at: number[] = []
    it?.hear(() => at.push(performance.now()))
    await until(() => it?.state() === 'connected')
    const sid = /SUB kalnet\.wake (\S+)/.exec(fake.heard())?.[1]
    const flood = `MSG kalnet.wake ${sid} 1\r\nx\r\n`.repeat(1_000)
    for (let turn = 0; turn < 20; turn += 1) {
      fake.sockets[0]?.write(flood)
      await systemClock.sleep(5)
    }
    await until(() => at.length > 3)
    // A timer may come a moment early.
    for (const [index, one] of at.slice(1).entries()) expect(one - (at[index] ?? 0)).toBeGreaterThan(8)
  })
})

it('[MSH-6.wakeups] without LISTEN its own readers hear a commit at once, and nothing of what was rolled back', async () => {
  const database = await testDatabase()
  const wakeUps = createWakeUps({ config: given({}, { listen: false }), clock: systemClock, log })
  const store = await createStore({ url: database.url, log, connections: 3, listens: false })
  // Time stands still: only who is woken looks.
  const clock = {
    ...systemClock,
    sleep: (_: number, signal?: AbortSignal) =>
      new Promise<void>((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
      ),
  }
  const events = createEvents({ store, log, clock, wakeUps })
  ends.push(async () => {
    events.close()
    await wakeUps?.close()
    await store.close()
    await database.drop()
  })
  expect(wakeUps?.state()).toBeNull()
  const nowhere = { organisationId: null, userId: null }
  const id = '01920000-0000-7000-8000-000000000001'
  const from = await events.cursor()
  const heard = (async () => {
    for await (const one of events.subscribe({ after: from, signal: AbortSignal.timeout(15_000) })) return one
    return null
  })()
  await expect(
    store.system.transaction(async (tx) => {
      await events.publish(tx, 'session.removed', nowhere, { id: id.replace(/1$/, '2') })
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  await store.system.transaction((tx) => events.publish(tx, 'session.removed', nowhere, { id }))
  expect(await heard).toMatchObject({ kind: 'event', event: { type: 'session.removed', data: { id } } })
})
