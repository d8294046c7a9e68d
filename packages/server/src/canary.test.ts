/** Secrets of every kind go through the whole control plane; afterwards each is looked for wherever something is kept or said. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { KEY_PREFIX } from '@kalnet/contracts/key'
import { STREAM_PATH, STREAM_PROTOCOL, TICKET_PREFIX } from '@kalnet/contracts/stream'
import { Secret, TOTP } from 'otpauth'
import pg from 'pg'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { testDatabase } from './core/testing.ts'
import { createServer } from './server.ts'
import { eventually } from './testing/audit.ts'
import { type Answer, askAt, freePort } from './testing/server.ts'

describe('[SEC-3.canary] secrets of every kind', () => {
  let home: string
  let database: Awaited<ReturnType<typeof testDatabase>>
  let server: Awaited<ReturnType<typeof createServer>>
  let port: number
  let cookie = ''
  let log = ''
  /** Name → the secret, as it was handed out or sent. */
  const canaries = new Map<string, string>()
  /** What the server said where it had nothing secret to say. */
  let said = ''
  const socketPath = () => join(home, 'run/control.sock')

  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await askAt({ port }, method, path, {
      body: body ?? (method === 'POST' ? {} : undefined),
      headers: { host: `localhost:${port}`, origin: `http://localhost:${port}`, cookie, ...headers },
    })
    // Whoever proved more gets a new secret.
    const renewed = String(answer.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? ''
    if (renewed.includes('=') && !renewed.endsWith('=')) {
      cookie = renewed
      canaries.set(`cookie ${canaries.size}`, renewed.slice(renewed.indexOf('=') + 1))
    }
    return answer
  }
  const local = (path: string, body: object = {}) =>
    askAt({ socketPath: socketPath() }, 'POST', path, { body })
  const remember = (name: string, secret: unknown) => {
    expect(String(secret).length, name).toBeGreaterThan(7)
    canaries.set(name, String(secret))
  }
  const done = (answer: Answer) => {
    expect(answer.status, answer.text.slice(0, 300)).toBe(200)
    return answer.body
  }
  /** Refused: what comes back must not repeat what was sent. */
  const refused = async (name: string, secret: string, send: (secret: string) => Promise<Answer>) => {
    remember(name, secret)
    const answer = await send(secret)
    expect(answer.status, name).toBeGreaterThanOrEqual(400)
    said += answer.text
  }
  const fragment = (link: unknown) => new URL((link as { url: string }).url).hash.slice(1)

  beforeAll(async () => {
    home = await mkdtemp('/tmp/kalnet-test-')
    database = await testDatabase({ migrated: false })
    port = await freePort()
    server = await createServer({
      config: configSchema.parse({ listen: { port }, publicUrl: `http://localhost:${port}` }),
      folders: { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') },
      log: pino(
        { level: 'trace' },
        {
          write(line: string) {
            log += line
          },
        },
      ),
      databaseUrl: database.url,
    })
    await server.listen()
  })
  afterAll(async () => {
    await server?.close()
    await database?.drop()
    await rm(home, { recursive: true, force: true })
  })

  it('are handed out, used, and used wrongly', async () => {
    const password = 'canary lantern by the river'
    remember('password', password)
    const claim = fragment(done(await local('/api/local/claim-link')).link)
    remember('claim token', claim)
    await refused('a guessed claim token', 'canary-claim-guessed-0123456789abcdef012345', (token) =>
      ask('POST', '/api/claim', {
        token,
        name: 'Eve',
        email: 'eve@example.org',
        password: 'canary eves password',
        organisationName: 'X',
      }),
    )
    done(
      await ask('POST', '/api/claim', {
        token: claim,
        name: 'Ada',
        email: 'ada@example.org',
        password,
        organisationName: 'Home',
      }),
    )
    await refused('a wrong password', 'canary-wrong-password', (wrong) =>
      ask('POST', '/api/sign-in', { email: 'ada@example.org', password: wrong }, { cookie: '' }),
    )
    await refused('a secret where none is expected', 'canary-in-a-query', (token) =>
      ask('GET', `/api/sessions?token=${token}`),
    )
    await refused('a secret in a body that is not JSON', 'canary-in-half-a-body', (secret) =>
      askAt({ port }, 'POST', '/api/sign-in', {
        raw: `{"password": "${secret}"`,
        headers: { 'content-type': 'application/json' },
      }),
    )
    await refused(
      'a guessed service key',
      `${KEY_PREFIX}${'0'.repeat(12)}_${'canary'.repeat(8).slice(0, 43)}`,
      (key) => ask('GET', '/api/me', undefined, { authorization: `Bearer ${key}`, cookie: '', origin: '' }),
    )

    const key = done(await ask('POST', '/api/me/keys', { name: 'Script', scopes: ['me.read'] }))
    remember('service key', key.token)
    expect(
      (await ask('GET', '/api/me', undefined, { authorization: `Bearer ${key.token}`, cookie: '' })).status,
    ).toBe(200)
    remember('enrolment token', done(await ask('POST', '/api/controllers/tokens', { name: 'attic' })).token)
    remember(
      'invitation',
      fragment(
        done(await ask('POST', '/api/invitations', { email: 'grace@example.org', role: 'member' })).link,
      ),
    )
    const app = done(
      await ask('POST', '/api/apps', { name: 'Notes', redirectUris: ['https://notes.example.org/back'] }),
    )
    remember('app secret', app.secret)
    const guarded = done(
      await ask('POST', '/api/forward-routes', {
        name: 'Files',
        host: 'files.example.org',
        appPasswords: true,
      }),
    )
    remember(
      'app password',
      done(await ask('POST', '/api/app-passwords', { routeId: guarded.id, name: 'Phone' })).secret,
    )
    remember('a provider’s client secret', 'canary-client-secret-of-a-provider')
    done(
      await ask('POST', '/api/providers', {
        kind: 'openid',
        name: 'Elsewhere',
        issuer: 'http://127.0.0.1:9',
        clientId: 'kalnet',
        clientSecret: 'canary-client-secret-of-a-provider',
      }),
    )

    const totp = done(await ask('POST', '/api/factors/totp'))
    remember('TOTP seed', totp.secret)
    const code = new TOTP({ secret: Secret.fromBase32(String(totp.secret)) }).generate()
    const codes = done(await ask('POST', '/api/factors/totp/confirm', { code })).recoveryCodes as string[]
    for (const [at, recovery] of codes.entries()) remember(`recovery code ${at}`, recovery)
    const attempt = done(
      await ask('POST', '/api/sign-in', { email: 'ada@example.org', password }, { cookie: '' }),
    ).attempt
    remember('attempt', attempt)
    done(
      await ask(
        'POST',
        '/api/sign-in/second-factor',
        { attempt, proof: { method: 'recovery', code: codes[0] } },
        { cookie: '' },
      ),
    )

    const ticket = 'canaryticket'.repeat(4).slice(0, 43)
    remember('ticket', ticket)
    await new Promise<void>((resolve) => {
      const socket = new WebSocket(
        `ws://localhost:${port}${STREAM_PATH}`,
        [STREAM_PROTOCOL, `${TICKET_PREFIX}${ticket}`],
        {
          origin: `http://localhost:${port}`,
          headers: { cookie },
        },
      )
      socket.once('error', () => resolve())
    })
    remember(
      'reset link',
      fragment(done(await local('/api/local/reset-owner', { clearFactors: false })).link),
    )
    done(await local('/api/local/secrets/rotate'))
    expect(canaries.size).toBeGreaterThan(25)
  })

  const found = (text: string) =>
    [...canaries].filter(([, secret]) => text.includes(secret)).map(([name]) => name)

  it('none is in an answer that refuses, in the log, or in what processes were started with', async () => {
    expect(found(said)).toEqual([])
    expect(log.length).toBeGreaterThan(1_000)
    expect(found(log)).toEqual([])
    let processes = ''
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)))
      processes += await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    expect(found(processes)).toEqual([])
  })

  it('none is in the database: every row of every table, as a dump would show it', async () => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'public'`,
    )
    expect(tables.rows.length).toBeGreaterThan(20)
    const leaks: string[] = []
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ text: string }>(`select it::text as text from ${name} as it`)
      leaks.push(...found(rows.map((row) => row.text).join('\n')).map((secret) => `${secret} in ${name}`))
    }
    await client.end()
    expect(leaks).toEqual([])
  })

  it('none is in the audit in any form, nor in a file but the master key’s folder', async () => {
    for (const format of ['json', 'csv', 'cef']) {
      const answer = await ask('GET', `/api/audit/export?format=${format}`)
      expect(answer.status, answer.text).toBe(200)
      expect(found(answer.text)).toEqual([])
    }
    await eventually(
      async () => (await readdir(home, { recursive: true })).includes('data/audit-ends.json'),
      'the ends are noted',
    )
    let files = ''
    for (const folder of ['data', 'run', 'config'])
      for (const entry of await readdir(join(home, folder), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) files += await readFile(join(entry.parentPath, entry.name), 'latin1')
    expect(found(files)).toEqual([])
  })
})
