/** A controller's key is changed while it is connected: the old one opens nothing any more, and a kill at any moment locks nobody out. */
import { sign } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { runController } from '@kalnet/controller/controller'
import { openIdentity } from '@kalnet/controller/identity'
import { createFakePlatform } from '@kalnet/controller/platforms/fake/fake'
import { createFakeWorld } from '@kalnet/controller/platforms/fake/world'
import { systemClock } from '@kalnet/io/clock'
import { sql } from '@kalnet/server/core/store'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { connectBare } from './bare.ts'
import { type Person, type Plane, startPlane } from './support.ts'

let plane: Plane
let ada: Person
let home: string
const closers: (() => void | Promise<void>)[] = []
beforeAll(async () => {
  plane = await startPlane()
  ada = await plane.claim()
})
beforeEach(async () => {
  home = await mkdtemp('/tmp/kalnet-test-')
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await eventually('nobody is online', async () => (await plane.online()).length === 0)
  await rm(home, { recursive: true, force: true })
})
afterAll(() => plane.end())

const folders = () => ({
  data: join(home, 'data'),
  runtime: join(home, 'run'),
  config: join(home, 'config'),
})
const file = () => join(home, 'data/controller/identity.json')
const kept = async () =>
  JSON.parse(await readFile(file(), 'utf8')) as {
    privateKey: string
    pending: string | null
    controllerId: string
  }

/** The real controller on these folders, connected; answers how to end it. */
async function run(token?: string): Promise<() => Promise<void>> {
  const stopping = new AbortController()
  let ended: Promise<void> = Promise.resolve()
  const stop = async () => {
    stopping.abort(new Error('enough'))
    await ended
  }
  closers.push(stop)
  await new Promise<void>((resolve, reject) => {
    ended = runController({
      folders: folders(),
      url: plane.url,
      token,
      log: pino({ level: 'silent' }),
      signal: stopping.signal,
      drive: [createFakePlatform({ world: createFakeWorld({ clock: systemClock }), clock: systemClock })],
      name: 'machine',
      onReady: resolve,
    })
    ended.catch(reject)
  })
  await eventually('it is online', async () => (await plane.online()).length === 1)
  return stop
}
/** Enrolled and stopped. */
async function enrolled(): Promise<string> {
  await (await run(await plane.token(ada)))()
  await eventually('it is offline', async () => (await plane.online()).length === 0)
  return (await kept()).controllerId
}
const rotate = (id: string, given: object = { as: ada.secret }) =>
  plane.ask('POST', `/api/controllers/${id}/rotate`, { body: {}, ...given })
const storedKey = (id: string) =>
  plane.store.system.read(
    async (tx) =>
      (
        await sql<{ public_key: string }>`select public_key from controllers where id = ${id}::uuid`.execute(
          tx,
        )
      ).rows[0]?.public_key,
  )
/** The one public key that is left once it has settled. */
const publicKeyNow = async () => {
  await eventually('it has settled', async () => (await kept()).pending === null)
  return (await openIdentity(folders())).publicKey
}
/** What the control plane answers to a hello with this key. */
async function knock(id: string, pem: string): Promise<'welcome' | 'refused'> {
  const link = connectBare(plane, id, (text) => sign(null, Buffer.from(text), pem).toString('base64'), true)
  closers.push(link.close)
  const has = () => link.of('welcome').length + link.of('refused').length > 0
  await eventually('it is answered', async () => has())
  link.close()
  return link.of('welcome').length > 0 ? 'welcome' : 'refused'
}
describe("a controller's key", () => {
  it('[CTL-2.rotation] is changed while it is connected: the link stays, the old key is refused, the file is private', async () => {
    const stop = await run(await plane.token(ada))
    const before = await kept()
    const oldKey = await storedKey(before.controllerId)
    const answer = await rotate(before.controllerId)
    expect([answer.status, answer.body]).toEqual([200, {}])
    expect(await storedKey(before.controllerId)).not.toBe(oldKey)
    await eventually('it has settled', async () => (await kept()).pending === null)
    const after = await kept()
    expect(after.privateKey).not.toBe(before.privateKey)
    expect(await publicKeyNow()).toBe(await storedKey(before.controllerId))
    expect((await stat(file())).mode & 0o777).toBe(0o600)
    expect(await plane.online()).toEqual(['machine'])
    expect(await knock(before.controllerId, before.privateKey)).toBe('refused')
    expect(await plane.online()).toEqual(['machine'])
    const rows = await plane.store.system.read(
      async (tx) =>
        (
          await sql<{ n: number }>`select count(*)::int as n from audit
            where action = 'controller.key-rotation-asked' and outcome = 'done'`.execute(tx)
        ).rows,
    )
    expect(rows).toEqual([{ n: 1 }])
    // Again, and after a restart.
    expect((await rotate(before.controllerId)).status).toBe(200)
    await stop()
    await run()
    await publicKeyNow()
    expect((await kept()).privateKey).not.toBe(after.privateKey)
    expect(await knock(before.controllerId, after.privateKey)).toBe('refused')
  })

  it('[CTL-2.rotation] several asked for at once, by the CLI for the installation, end with one key, which both know', async () => {
    const stop = await run(await plane.token())
    const { controllerId } = await kept()
    const answers = await Promise.all([1, 2, 3].map(() => rotate(controllerId, { local: true })))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    await stop()
    await run()
    expect(await publicKeyNow()).toBe(await storedKey(controllerId))
  })

  type Step = 'before writing' | 'after writing' | 'after its answer' | 'after the store' | 'while settling'
  it.each<[Step, 'the old key' | 'the new key' | 'the key that counts', number]>([
    ['before writing', 'the old key', 503],
    ['after writing', 'the old key', 503],
    ['after its answer', 'the key that counts', 0],
    ['after the store', 'the new key', 200],
    ['while settling', 'the new key', 200],
  ])('[CTL-2.rotation] killed %s it comes back proved, with %s', async (step, wins, status) => {
    const id = await enrolled()
    const old = await storedKey(id)
    // The real identity on a bare link, which ends exactly where the test says.
    let writes = 0
    const { writeWhole } = await import('@kalnet/io/files')
    const dies = { 'before writing': 1, 'while settling': 2 }[step as string] ?? 0
    const identity = await openIdentity(folders(), async (...given) => {
      writes += 1
      if (writes === dies) throw new Error('killed')
      await writeWhole(...given)
    })
    const link = connectBare(
      plane,
      id,
      (text) => identity.sign(text),
      true,
      (message) => {
        if (message.type === 'welcome') link.inventory()
        if (message.type === 'key.rotate')
          identity.renew(message.requestId).then(
            (made) => {
              if (step === 'after writing') return link.close()
              link.say({ type: 'key.new', requestId: message.requestId, ...made })
              if (step === 'after its answer') setImmediate(link.close)
            },
            () => link.close(),
          )
        if (message.type === 'key.accepted') {
          if (step === 'while settling') identity.accepted(message.requestId).catch(() => link.close())
          else link.close()
        }
      },
    )
    closers.push(link.close)
    await eventually('it is online', async () => (await plane.online()).length === 1)
    const answer = await rotate(id)
    if (status) expect([answer.status, answer.text]).toEqual([status, expect.any(String)])
    await link.closed
    expect((await kept()).pending === null).toBe(step === 'before writing')
    const stop = await run()
    const now = await storedKey(id)
    if (wins !== 'the key that counts') expect(now === old ? 'the old key' : 'the new key').toBe(wins)
    expect(await publicKeyNow()).toBe(now)
    // And the next one works as if nothing had been.
    expect((await rotate(id)).status).toBe(200)
    await stop()
    await run()
    expect(await publicKeyNow()).toBe(await storedKey(id))
  })

  it('[CTL-2.rotation] the control plane restarts between its store and its word: proved with the new key', async () => {
    const id = await enrolled()
    const identity = await openIdentity(folders())
    const made = await identity.renew('01890000-0000-7000-8000-000000000001')
    await plane.store.system.transaction((tx) =>
      sql`update controllers set public_key = ${made.publicKey} where id = ${id}::uuid`.execute(tx),
    )
    await plane.stop()
    await plane.start()
    await run()
    expect(await publicKeyNow()).toBe(made.publicKey)
  })
})
