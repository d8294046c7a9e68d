/** A real control plane with real controllers in this process, over real loopback HTTP; only the platform under them is made up. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { enrolmentFile } from '@kalnet/cli/render/kubernetes/enrolment'
import { config as configSchema } from '@kalnet/contracts/config'
import type { Role } from '@kalnet/contracts/permission'
import type { Placing } from '@kalnet/contracts/placing'
import type { Session } from '@kalnet/contracts/session'
import { STREAM_PATH, STREAM_PROTOCOL, TICKET_PREFIX } from '@kalnet/contracts/stream'
import { runController } from '@kalnet/controller/controller'
import { createFakePlatform } from '@kalnet/controller/platforms/fake/fake'
import { createFakeWorld, type FakeWorld } from '@kalnet/controller/platforms/fake/world'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { createStore, type Store, sql } from '@kalnet/server/core/store'
import { testDatabase } from '@kalnet/server/core/testing'
import { hashOf, newSecret } from '@kalnet/server/identity/cookie'
import { createServer } from '@kalnet/server/server'
import { type Answer, type AskOptions, askAt, freePort } from '@kalnet/server/testing/server'
import { pino } from 'pino'
import { v7 as newId } from 'uuid'
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import { eventually } from '../support/eventually.ts'

export const WAIT = { timeout: 15_000, interval: 15 }

/** Everything that was logged as an error, for the test that nothing was. */
export function createWitness() {
  const errors: string[] = []
  const log = pino(
    { level: 'error', serializers: { error: pino.stdSerializers.err } },
    { write: (line: string) => void errors.push(line) },
  )
  return { log, errors }
}

const TEMPLATE = `id: fake
version: 1.0.0
name: Fake
summary: Runs nothing
category: tools
licence: MIT
kind: session
image: { reference: none }
platforms: [fake]
network: none
command: [program]
inputs:
  - { name: text, label: Text, type: text, environment: TEXT }
`

export interface Person {
  userId: string
  organisationId: string
  secret: string
  hash: string
}
export type Plane = Awaited<ReturnType<typeof startPlane>>

export async function startPlane(
  options: {
    perUser?: number
    placing?: Placing
    clock?: Clock
    /** False: only gateways of their own serve. */
    gateway?: boolean
    /** Further templates: id → YAML. */
    templates?: Record<string, string>
  } = {},
) {
  const { clock = systemClock } = options
  const home = await mkdtemp('/tmp/kalnet-test-')
  const catalogFolder = join(home, 'catalog')
  const putTemplate = async (id: string, yaml: string) => {
    await mkdir(join(catalogFolder, 'templates', id), { recursive: true })
    await writeFile(join(catalogFolder, 'templates', id, 'template.yaml'), yaml)
    await writeFile(
      join(catalogFolder, 'templates', id, 'icon.svg'),
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
    )
  }
  for (const [id, yaml] of Object.entries({ fake: TEMPLATE, ...options.templates }))
    await putTemplate(id, yaml)
  const database = await testDatabase()
  const port = await freePort()
  const witness = createWitness()
  const gatewayPort = await freePort()
  const config = configSchema.parse({
    listen: { port },
    gateway: { httpPort: gatewayPort, enabled: options.gateway ?? true },
    sessions: { perUser: options.perUser ?? 20 },
    placing: options.placing ?? 'spread',
  })
  const folders = {
    data: join(home, 'data'),
    runtime: join(home, 'run'),
    config: join(home, 'config'),
  }
  const boot = () =>
    createServer({
      config,
      folders,
      log: witness.log,
      databaseUrl: database.url,
      clock,
      catalogFolder,
      manifest: enrolmentFile,
    })
  let server: Awaited<ReturnType<typeof boot>> | null = null
  const store: Store = await createStore({ url: database.url, log: witness.log, connections: 4 })
  const machines: { stop(): Promise<void> }[] = []
  const address = { port }
  const ask = (method: string, path: string, given: AskOptions = {}): Promise<Answer> =>
    askAt(given.local ? { socketPath: join(folders.runtime, 'control.sock') } : address, method, path, given)

  const plane = {
    url: `http://127.0.0.1:${port}`,
    port,
    gatewayPort,
    folders,
    store,
    errors: witness.errors,
    ask,
    putTemplate,
    async start() {
      server = await boot()
      await server.listen()
    },
    async stop() {
      await server?.close()
      server = null
    },
    /** The first owner, as people become one: by the claim link. */
    async claim(): Promise<Person> {
      const link = await server?.identity.claims.issue()
      const answer = await ask('POST', '/api/claim', {
        body: {
          token: link?.url.split('#')[1],
          name: 'Ada',
          email: 'ada@example.org',
          password: 'correct horse battery',
          organisationName: 'Home',
        },
      })
      expect(answer.status).toBe(200)
      const secret = /kalnet=([\w-]{43})/.exec(answer.headers['set-cookie']?.[0] ?? '')?.[1] ?? ''
      const { id, organisationId } = (answer.body as { me: { id: string; organisationId: string } }).me
      return { userId: id, organisationId, secret, hash: hashOf(secret) }
    },
    /** Anybody else, with a sign-in, in an organisation that is made when missing. */
    async person(role: Role, organisationId = newId()): Promise<Person> {
      const [userId, secret] = [newId(), newSecret()]
      const hash = hashOf(secret)
      await store.system.transaction(async (tx) => {
        await sql`insert into organisations values (${organisationId}, 'Other', now()) on conflict do nothing`.execute(
          tx,
        )
        await sql`insert into users (id, organisation_id, name, email, role, created_at)
          values (${userId}, ${organisationId}, ${role}, ${`${userId}@example.org`}, ${role}, now())`.execute(
          tx,
        )
        await sql`insert into sign_ins (hash, organisation_id, user_id, created_at, last_seen_at, expires_at)
          values (${hash}, ${organisationId}, ${userId}, now(), now(), now() + interval '1 day')`.execute(tx)
      })
      return { userId, organisationId, secret, hash }
    },
    /** A token for a controller: of the installation (by the local CLI), or of a person's organisation. */
    async token(by?: Person, name = 'machine'): Promise<string> {
      const answer = by
        ? await ask('POST', '/api/controllers/tokens', { as: by.secret, body: { name } })
        : await ask('POST', '/api/local/controller-token', { local: true, body: { name } })
      expect(answer.status).toBe(200)
      return String(answer.body.token)
    },
    /** A controller that is enrolled and connected. */
    async machine(by?: Person, name = 'machine') {
      const machine = createMachine(plane.url, join(home, newId()), witness.log)
      machines.push(machine)
      await machine.start(await plane.token(by, name))
      await eventually(`${name} is online`, async () => (await plane.online()).includes(name))
      return machine
    },
    /** The names of the controllers that are known to be there. */
    online: () =>
      store.system.read(async (tx) =>
        (await sql<{ name: string }>`select name from controllers where online`.execute(tx)).rows.map(
          ({ name }) => name,
        ),
      ),
    /** Nobody is connected any more. */
    async calm() {
      for (const machine of machines.splice(0)) await machine.stop()
      await eventually('nobody is online', async () => (await plane.online()).length === 0)
    },
    async launch(who: Person, body: object = {}): Promise<Session> {
      const answer = await ask('POST', '/api/sessions', {
        as: who.secret,
        body: { templateId: 'fake', ...body },
      })
      expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
      return answer.body as unknown as Session
    },
    async read(who: Person, id: string): Promise<Session> {
      const answer = await ask('GET', `/api/sessions/${id}`, { as: who.secret })
      expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
      return answer.body as unknown as Session
    },
    act: (who: Person, id: string, what: 'stop' | 'restart' | 'hibernate' | 'wake' | 'keep-awake') =>
      ask('POST', `/api/sessions/${id}/${what}`, { as: who.secret, body: {} }),
    async until(who: Person, id: string, holds: Partial<Session> | ((session: Session) => boolean)) {
      const fits = (session: Session) =>
        typeof holds === 'function'
          ? holds(session)
          : Object.entries(holds).every(([key, value]) => session[key as keyof Session] === value)
      let session = await plane.read(who, id)
      const end = Date.now() + WAIT.timeout
      while (!fits(session)) {
        if (Date.now() > end) throw new Error(`waited for ${String(holds)}: ${JSON.stringify(session)}`)
        await systemClock.sleep(WAIT.interval)
        session = await plane.read(who, id)
      }
      return session
    },
    /** Launched and running. */
    async run(who: Person, body: object = {}): Promise<Session> {
      return plane.until(who, (await plane.launch(who, body)).id, { state: 'running' })
    },
    /** A controller of theirs that was never connected. */
    async addController(organisationId: string): Promise<string> {
      const id = newId()
      await store.system.transaction((tx) =>
        sql`insert into controllers (id, organisation_id, name, public_key, created_at)
          values (${id}, ${organisationId}, 'never here', 'none', now())`.execute(tx),
      )
      return id
    },
    /** What the upgrade to the screen's WebSocket is answered. */
    open: (person: Person, ticket: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(
          `ws://127.0.0.1:${port}${STREAM_PATH}`,
          [STREAM_PROTOCOL, TICKET_PREFIX + ticket],
          { origin: `http://127.0.0.1:${port}`, headers: { cookie: `kalnet=${person.secret}` } },
        )
        socket.on('error', reject)
        socket.on('unexpected-response', (request, response) => {
          resolve(response.statusCode ?? 0)
          request.destroy()
        })
        socket.on('open', () => {
          resolve(101)
          socket.terminate()
        })
      }),
    /** As an hour passes. */
    expireTokens: () =>
      store.system.transaction((tx) => sql`update enrolment_tokens set expires_at = now()`.execute(tx)),
    /** What a kill leaves between the commit of a restart and the message to the machine. */
    wantAgain: ({ id, instanceId }: Session) =>
      store.system.transaction(async (tx) => {
        await sql`update instances set generation = generation + 1, desired_state = 'running', observed = null
          where id = ${instanceId}`.execute(tx)
        await sql`update sessions set state = 'starting', ended_at = null where id = ${id}`.execute(tx)
      }),
    /** What a kill leaves: nobody wrote that it is gone. */
    pretendOnline: (id: string) =>
      store.system.transaction((tx) =>
        sql`update controllers set online = true where id = ${id}`.execute(tx),
      ),
    eventsOf: (id: string) =>
      store.system.read(
        async (tx) =>
          (
            await sql<{ state: string; reachable: boolean }>`
              select data->>'state' as state, (data->>'reachable')::boolean as reachable from events
              where data->>'id' = ${id} order by xid, seq`.execute(tx)
          ).rows,
      ),
    async end() {
      for (const machine of machines) await machine.stop()
      await plane.stop()
      await store.close()
      await database.drop()
      await rm(home, { recursive: true, force: true })
    },
  }
  await plane.start()
  return plane
}

export interface Machine {
  world: FakeWorld
  /** Resolves when it is connected. */
  start(token?: string): Promise<void>
  stop(): Promise<void>
}

function createMachine(url: string, home: string, log: ReturnType<typeof createWitness>['log']): Machine {
  const world = createFakeWorld({ clock: systemClock })
  const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
  let running: Promise<void> = Promise.resolve()
  let stopping = new AbortController()
  return {
    world,
    async start(token) {
      stopping = new AbortController()
      await new Promise<void>((resolve, reject) => {
        running = runController({
          folders,
          url,
          token,
          log,
          signal: stopping.signal,
          drive: [createFakePlatform({ world, clock: systemClock })],
          onReady: resolve,
        })
        running.catch(reject)
      })
    },
    async stop() {
      stopping.abort(new Error('enough'))
      await running
    },
  }
}
