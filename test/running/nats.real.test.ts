/** Several servers on one PostgreSQL with a real NATS between them: what is new is seen at once without LISTEN; while NATS is away nothing is lost. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { dashboardRoutes } from '@kalnet/contracts/dashboard'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { createEvents } from '@kalnet/server/core/events'
import { createStore } from '@kalnet/server/core/store'
import { testDatabase } from '@kalnet/server/core/testing'
import { ensureTls } from '@kalnet/server/core/tls'
import { createWakeUps } from '@kalnet/server/core/wake-ups'
import { createServer } from '@kalnet/server/server'
import { askAt, freePort } from '@kalnet/server/testing/server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Nats, startNats } from '../peers/75-nats.ts'
import { eventually } from '../support/eventually.ts'
import { lacking } from '../support/parts.ts'

const skip = await lacking(['nats'], 'several servers wake each other by NATS')
const log = createLog('test', 'silent')
const nowhere = { organisationId: null, userId: null }
const numbered = (index: number) => `01920000-0000-7000-8000-${String(index).padStart(12, '0')}`

/**
 * Time stands still for whoever reads events until it is let go: only who is woken looks. Short waits pass: what was committed is not
 * shown as long as an older transaction of the same PostgreSQL runs, whoever's it is, and is looked for again in a moment.
 */
const SHORT_MS = 100
function stillClock(): Clock & { letGo(): void } {
  const waiting = new Set<() => void>()
  return {
    ...systemClock,
    sleep: (ms, signal) =>
      ms < SHORT_MS
        ? systemClock.sleep(ms, signal)
        : new Promise((resolve, reject) => {
            waiting.add(resolve)
            signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
          }),
    letGo() {
      for (const go of waiting) go()
      waiting.clear()
    },
  }
}

describe.skipIf(skip)('[MSH-6.wakeups] NATS between servers', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>
  let folder: string
  const ends: (() => unknown)[] = []
  beforeAll(async () => {
    database = await testDatabase()
    folder = await mkdtemp(join(tmpdir(), 'kalnet-nats-'))
  })
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })
  afterAll(async () => {
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })
  const nats = async (port: number, more: string[] = []): Promise<Nats> => {
    const it = await startNats(port, more)
    ends.push(it.kill)
    return it
  }

  /** What of a server hears events: behind a pooler, so without LISTEN. */
  async function server(url: string | undefined, said: object = {}) {
    const config = configSchema.parse({
      nats: { ...(url ? { url } : {}), ...said },
      database: { listen: false },
    })
    const wakeUps = createWakeUps({ config, clock: systemClock, log, pingMs: 200 })
    const store = await createStore({ url: database.url, log, connections: 3, listens: false })
    const clock = stillClock()
    const events = createEvents({ store, log, clock, wakeUps })
    const heard: string[] = []
    const stop = new AbortController()
    const from = await events.cursor()
    const following = (async () => {
      for await (const one of events.subscribe({ after: from, signal: stop.signal }))
        heard.push(one.kind === 'event' ? String((one.event.data as { id: string }).id) : one.kind)
    })()
    ends.push(async () => {
      stop.abort()
      clock.letGo()
      await following
      events.close()
      await wakeUps?.close()
      await store.close()
    })
    const connected = () => eventually('connected', async () => wakeUps?.state() === 'connected')
    const hears = (id: string) => eventually(`${id} is heard`, async () => heard.includes(id))
    const publish = (id: string) =>
      store.system.transaction((tx) => events.publish(tx, 'session.removed', nowhere, { id }))
    return { wakeUps, heard, clock, connected, hears, publish }
  }

  describe('events', () => {
    it('without LISTEN they reach the second server by NATS at once, without NATS by its own looking', async () => {
      const port = await freePort()
      await nats(port)
      const url = `nats://127.0.0.1:${port}`
      const [first, second] = [await server(url), await server(url)]
      const third = await server(undefined)
      await Promise.all([first.connected(), second.connected()])
      for (let index = 0; index < 50; index += 1) await first.publish(numbered(index))
      await second.hears(numbered(49))
      expect(second.heard).toEqual(Array.from({ length: 50 }, (_, index) => numbered(index)))
      expect(third.heard).not.toContain(numbered(49))
      third.clock.letGo()
      await third.hears(numbered(49))
    })
    it('NATS killed: changes go on, are heard by looking, and at once when it is back', async () => {
      const port = await freePort()
      const broker = await nats(port)
      const url = `nats://127.0.0.1:${port}`
      const [first, second] = [await server(url), await server(url)]
      await Promise.all([first.connected(), second.connected()])
      await broker.kill()
      await eventually('it is seen to be away', async () => second.wakeUps?.state() === 'waiting')
      await first.publish(numbered(100))
      expect(second.heard).not.toContain(numbered(100))
      await nats(port)
      await Promise.all([first.connected(), second.connected()])
      await second.hears(numbered(100))
      await first.publish(numbered(101))
      await second.hears(numbered(101))
    })
    it('one that is frozen is seen to be away and keeps nobody from stopping', async () => {
      const port = await freePort()
      const broker = await nats(port)
      const one = await server(`nats://127.0.0.1:${port}`)
      await one.connected()
      broker.freeze()
      await one.wakeUps?.close()
      const late = await server(`nats://127.0.0.1:${port}`)
      await late.publish(numbered(200))
      await late.hears(numbered(200))
      expect(late.wakeUps?.state()).toBe('waiting')
      await late.wakeUps?.close()
      broker.thaw()
    })
    it('garbage, a megabyte and a flood on the subject do nothing but wake', async () => {
      const port = await freePort()
      await nats(port)
      const one = await server(`nats://127.0.0.1:${port}`)
      await one.connected()
      const { connect, headers } = await import('@nats-io/transport-node')
      const hostile = await connect({ servers: `127.0.0.1:${port}` })
      hostile.publish('kalnet.wake', '{"type":"user.removed","__proto__":{"x":1}}')
      hostile.publish('kalnet.wake', new Uint8Array(1_000_000).fill(0xff))
      const told = headers()
      told.set('X', 'y'.repeat(30_000))
      hostile.publish('kalnet.wake', 'x', { headers: told, reply: 'kalnet.wake' })
      for (let index = 0; index < 20_000; index += 1) hostile.publish('kalnet.wake', 'x')
      await hostile.flush()
      await hostile.close()
      await one.publish(numbered(300))
      await one.hears(numbered(300))
      expect(one.heard).toEqual([numbered(300)])
      expect(one.wakeUps?.state()).toBe('connected')
    })
    it('by token and TLS of its own authority; by another token, or without the authority, not', async () => {
      const port = await freePort()
      const tls = await ensureTls(join(folder, 'tls'), ['localhost'])
      const [key, certificate, authority] = ['key', 'crt', 'ca'].map((name) => join(folder, name))
      if (!key || !certificate || !authority) throw new Error('no files')
      await writeFile(key, tls.key)
      await writeFile(certificate, tls.certificate)
      await writeFile(authority, tls.authority)
      await nats(port, ['--auth', 'right', '--tls', '--tlscert', certificate, '--tlskey', key])
      const url = `tls://localhost:${port}`
      const [right, wrong, strange] = [
        await server(url, { token: 'right', authorityFile: authority }),
        await server(url, { token: 'wrong', authorityFile: authority }),
        await server(url, { token: 'right' }),
      ]
      await right.connected()
      await systemClock.sleep(500)
      expect([wrong.wakeUps?.state(), strange.wakeUps?.state()]).toEqual(['waiting', 'waiting'])
    })
  })

  it('the whole server: starts without NATS, says so in the status, finds it later, and stops', async () => {
    const port = await freePort()
    await Promise.all(['data', 'config', 'run'].map((name) => mkdir(join(folder, name))))
    const listen = { port: await freePort() }
    const control = await createServer({
      config: configSchema.parse({
        listen,
        database: { listen: false },
        gateway: { enabled: false },
        nats: { url: `nats://127.0.0.1:${port}` },
      }),
      folders: { data: join(folder, 'data'), config: join(folder, 'config'), runtime: join(folder, 'run') },
      log,
      databaseUrl: database.url,
    })
    ends.push(() => control.close())
    await control.listen()
    const parts = async () => {
      const answer = await askAt(
        { socketPath: join(folder, 'run/control.sock') },
        'GET',
        dashboardRoutes.status.path,
      )
      return dashboardRoutes.status.answer.parse(answer.body).parts
    }
    const claimed = await askAt(
      { socketPath: join(folder, 'run/control.sock') },
      'POST',
      '/api/local/claim-link',
      { body: {} },
    )
    const token = (claimed.body as { link?: { url: string } }).link?.url.split('#')[1]
    const owner = await askAt(listen, 'POST', '/api/claim', {
      body: {
        token,
        name: 'Ada',
        email: 'ada@example.org',
        password: 'a lantern by the river',
        organisationName: 'Home',
      },
      headers: { origin: `http://127.0.0.1:${listen.port}` },
    })
    expect(owner.status, owner.text).toBe(200)
    expect(await parts()).toEqual([{ name: 'nats', state: 'waiting' }])
    await nats(port)
    await eventually('it is found', async () => (await parts())?.[0]?.state === 'connected')
  })
})
