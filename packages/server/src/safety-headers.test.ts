/** Over https, of the whole control plane: what every kind of answer tells a browser, also one to what is no request at all. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { config as configSchema } from '@kalnet/contracts/config'
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttp, type Http } from './core/http.ts'
import { type TestStore, testDatabase, testStore } from './core/testing.ts'
import { ensureTls } from './core/tls.ts'
import { createServer } from './server.ts'
import { freePort } from './testing/server.ts'

let home: string
let database: Awaited<ReturnType<typeof testDatabase>>
let store: TestStore
let server: Awaited<ReturnType<typeof createServer>>
let pages: Http
let port = 0
let pagePort = 0
let authority = ''

beforeAll(async () => {
  home = await mkdtemp('/tmp/kalnet-test-')
  database = await testDatabase({ migrated: false })
  const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
  const dashboardFolder = join(home, 'dist')
  await mkdir(join(dashboardFolder, 'assets'), { recursive: true })
  await writeFile(join(dashboardFolder, 'index.html'), '<!doctype html><title>Kalnet</title>')
  await writeFile(join(dashboardFolder, 'assets/app-abc.js'), 'plain')
  const tls = await ensureTls(folders.config, ['localhost', '127.0.0.1'])
  authority = tls.authority
  port = await freePort()
  server = await createServer({
    config: configSchema.parse({ listen: { host: '127.0.0.1', port }, tls: { enabled: true } }),
    folders,
    log: createLog('test', 'silent'),
    databaseUrl: database.url,
    tls: { key: tls.key, cert: tls.certificate },
  })
  await server.listen()
  // The same door with a small dashboard behind it: the real one may not be built here.
  store = await testStore()
  pagePort = await freePort()
  pages = createHttp({
    config: configSchema.parse({ listen: { host: '127.0.0.1', port: pagePort } }),
    tls: { key: tls.key, cert: tls.certificate },
    store: store.store,
    log: createLog('test', 'silent'),
    authenticate: async () => ({ actor: null, signIn: null }),
    record: async () => undefined,
    dashboardFolder,
  })
  await pages.listen()
})
afterAll(async () => {
  await pages?.close()
  await server?.close()
  await store?.end()
  await database?.drop()
  await rm(home, { recursive: true, force: true })
})

/** The head of what comes back for these bytes. */
function headOf(text: string, at: number): Promise<{ status: number; headers: Record<string, string> }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: at, ca: authority, servername: 'localhost' }, () =>
      socket.write(text.replaceAll('\n', '\r\n')),
    )
    let said = ''
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')))
    socket.on('error', reject)
    socket.on('data', (piece) => {
      said += String(piece)
      const end = said.indexOf('\r\n\r\n')
      if (end < 0) return
      socket.destroy()
      const [first = '', ...lines] = said.slice(0, end).split('\r\n')
      const pairs = lines.map((line): [string, string] => {
        const at = line.indexOf(':')
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
      })
      resolve({ status: Number(first.split(' ')[1]), headers: Object.fromEntries(pairs) })
    })
  })
}
const host = () => `localhost:${port}`
const get =
  (path: string, more = '') =>
  () =>
    `GET ${path} HTTP/1.1\nhost: ${host()}\nconnection: close\n${more}\n`
const upgrade =
  'connection: Upgrade\nupgrade: websocket\nsec-websocket-version: 13\nsec-websocket-key: AAAA\n'

const answers: [name: string, text: () => string, status: number, type: RegExp | null][] = [
  ['data', get('/api/status'), 200, /^application\/json/],
  ['the description of the API', get('/api/openapi.json'), 200, /^application\/json/],
  ['a refusal', get('/api/me'), 401, /^application\/json/],
  ['an unknown address', get('/api/nothing'), 404, /^application\/json/],
  ['an address that does not decode', get('/%zz'), 400, /^application\/json/],
  ['a foreign name', () => get('/api/status')().replace(host(), 'evil.example'), 403, /^application\/json/],
  ['what apps read of us', get('/oidc/.well-known/openid-configuration'), 200, /^application\/json/],
  [
    'the question of another site',
    () => get('/api/status')().replace('GET', 'OPTIONS'),
    404,
    /^application\/json/,
  ],
  ['an upgrade that is refused', get('/api/live', upgrade), 403, /^application\/json/],
  ['an upgrade to nowhere', get('/api/nowhere', upgrade), 404, /^application\/json/],
  ['no HTTP at all', () => 'what is this\n\n', 400, /^application\/json/],
  ['headers too large', get('/', `x: ${'y'.repeat(20_000)}\n`), 413, /^application\/json/],
]

const files: typeof answers = [
  ['a page', get('/sessions'), 200, /^text\/html; charset=utf-8$/],
  ['a script', get('/assets/app-abc.js'), 200, /^(text|application)\/javascript; charset=utf-8$/],
]

describe('[SEC-4.headers] every answer over https', () => {
  it.each([...answers, ...files])('%s', async (name, text, status, type) => {
    const answer = await headOf(text(), files.some((it) => it[0] === name) ? pagePort : port)
    expect(answer.status).toBe(status)
    if (type) expect(answer.headers['content-type']).toMatch(type)
    expect(answer.headers).toMatchObject({
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': expect.stringMatching(/^(no-referrer|same-origin)$/),
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
    const policy = (answer.headers['content-security-policy'] ?? '').split(/; ?/)
    for (const demand of [
      "default-src 'none'",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ])
      expect(policy).toContain(demand)
    expect(policy.filter((it) => /^script-src\b/.test(it)).join()).not.toMatch(/unsafe|\*|https?:/)
  })
})
