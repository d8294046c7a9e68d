/** For tests: the real pipeline with real authentication on a free port and a database of its own. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import type { Role } from '@kalnet/contracts/permission'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { createLog, type Log } from '@kalnet/io/log'
import { createOutbound } from '@kalnet/io/outbound'
import { freePort } from '@kalnet/io/testing/free-port'
import { v7 as newId } from 'uuid'
import { createAudit } from '../audit/audit.ts'
import { createHttp, type Handler, type Http, type HttpOptions } from '../core/http.ts'
import { createMail, type Mail } from '../core/mail.ts'
import { createSecrets, type Secrets } from '../core/secrets.ts'
import { sql } from '../core/store.ts'
import { type TestStore, testStore } from '../core/testing.ts'
import { createDoors, type Doors, type DoorsOptions } from '../doors.ts'
import { hashOf, newSecret } from '../identity/cookie.ts'
import { createIdentity, type Identity } from '../identity/identity.ts'
import type { Passwords } from '../identity/passwords.ts'

export { freePort }

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  body: Record<string, unknown> & {
    error?: { code: string; message: string; details: Record<string, unknown> }
  }
}
export interface AskOptions {
  /** A secret from `signIn` or `person`. */
  as?: string
  body?: unknown
  /** Sent as it is, instead of `body`. */
  raw?: string | Buffer
  headers?: Record<string, string>
  /** Through the control socket. */
  local?: boolean
}
export interface TestServer extends TestStore {
  http: Http
  identity: Identity
  secrets: Secrets
  doors: Doors
  port: number
  origin: string
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>
  /** A person with a sign-in, in an organisation that is made when missing. */
  person(
    role: Role,
    organisationId?: string,
  ): Promise<{ userId: string; organisationId: string; signInId: string; secret: string }>
}

const parsed = (text: string): Answer['body'] => {
  try {
    return JSON.parse(text) as Answer['body']
  } catch {
    // Not JSON: the test looks at `text`.
    return {}
  }
}

export function askAt(
  where: { port: number } | { socketPath: string },
  method: string,
  path: string,
  options: AskOptions = {},
): Promise<Answer> {
  const { as, body, raw, headers = {} } = options
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  return new Promise((resolve, reject) => {
    const call = httpRequest(
      {
        host: '127.0.0.1',
        ...where,
        method,
        path,
        headers: {
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          ...(as ? { cookie: `kalnet=${as}` } : {}),
          ...headers,
        },
      },
      (response) => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('end', () => {
          const text = Buffer.concat(pieces).toString('utf8')
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) })
        })
      },
    )
    call.once('error', reject)
    call.end(payload)
  })
}

export async function testServer(
  options: {
    handlers?: Handler[]
    clock?: Clock
    log?: Log
    http?: Partial<HttpOptions>
    /** Service keys, SCIM and what else comes from elsewhere: their routes too. */
    doors?: boolean
    /** Without the routes of signing in: a test puts marks in their place. */
    bare?: boolean
    listen?: boolean
    /** A second server on the database of this one. */
    beside?: { url: string }
    mail?: Mail
    leaving?: DoorsOptions['leaving']
    passwords?: Passwords
  } = {},
): Promise<TestServer> {
  const { clock = systemClock, log = createLog('test', 'silent') } = options
  const test = await testStore(options.beside)
  const { store, events } = test
  const port = await freePort()
  const home = await mkdtemp('/tmp/kalnet-test-')
  const origin = `http://127.0.0.1:${port}`
  const secrets = createSecrets({ masterKey: randomBytes(32), clock })
  const mail = options.mail ?? createMail({ config: {}, clock, log })
  const identity = createIdentity({
    store,
    events,
    clock,
    secrets,
    mail,
    version: 'test',
    address: () => origin,
    publicUrl: null,
    tellOthers: (tx, userId) => doors.tellPerson(tx, userId),
    passwords: options.passwords,
  })
  // What tests talk to is on this machine.
  const outbound = createOutbound({ allow: ['127.0.0.0/8', '::1'] })
  const { record } = createAudit({ store, clock })
  const doors = createDoors({
    store,
    events,
    clock,
    identity,
    mail,
    secrets,
    log,
    outbound,
    record,
    address: () => origin,
    leaving: options.leaving ?? (async () => () => undefined),
    stopAllOf: async () => () => undefined,
  })
  const controlSocket = join(home, 'control.sock')
  const http = createHttp({
    config: configSchema.parse({ listen: { port } }),
    store,
    log,
    clock,
    authenticate: doors.authenticate,
    record,
    controlSocket,
    ...options.http,
  })
  http.add([
    ...(options.bare ? [] : identity.routes),
    ...(options.doors ? doors.routes : []),
    ...(options.handlers ?? []),
  ])
  if (options.listen !== false) await http.listen()
  return {
    ...test,
    http,
    identity,
    secrets,
    doors,
    port,
    origin,
    ask: (method, path, given = {}) =>
      askAt(given.local ? { socketPath: controlSocket } : { port }, method, path, given),
    async person(role, organisationId = newId()) {
      const userId = newId()
      const secret = newSecret()
      const signInId = newId()
      await store.system.transaction(async (tx) => {
        await sql`insert into organisations values (${organisationId}, 'Home', now()) on conflict do nothing`.execute(
          tx,
        )
        await sql`insert into users (id, organisation_id, name, email, role, created_at)
          values (${userId}, ${organisationId}, 'Ada', ${`${userId}@example.org`}, ${role}, now())`.execute(
          tx,
        )
        await sql`insert into sign_ins (id, hash, organisation_id, user_id, created_at, last_seen_at, expires_at)
          values (${signInId}, ${hashOf(secret)}, ${organisationId}, ${userId}, now(), now(), now() + interval '1 day')`.execute(
          tx,
        )
      })
      return { userId, organisationId, signInId, secret }
    },
    async end() {
      await http.close()
      await outbound.close()
      await test.end()
      await rm(home, { recursive: true, force: true })
    },
  }
}
