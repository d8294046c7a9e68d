/** What is for this network alone, asked from this network and from elsewhere: two machines, the whole control plane on one of them. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { must, run, start } from '@kalnet/io/spawn'
import { testDatabase } from '@kalnet/server/core/testing'
import { askAt } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OWNER } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { lacking } from '../support/parts.ts'
import { tokenOf } from '../support/product.ts'
import { endProcess, type ServerProcess, startServerProcess } from '../support/server-process.ts'
import type { Heard, Question } from './two-sides.ts'

const SCRIPT = join(import.meta.dirname, 'two-sides.ts')
const word = randomBytes(2).toString('hex')
const [house, street] = [`knin-${word}h`, `knin-${word}s`]
/** Of the house and of who asks: at home, by a tunnel into the house (another cable), from elsewhere; by IPv4 and IPv6. */
const WAYS = {
  home: ['10.255.79.1', '10.255.79.2'],
  home6: ['fd7a:0:79::1', 'fd7a:0:79::2'],
  tunnel: ['10.255.80.1', '10.255.80.2'],
  away: ['198.51.100.1', '203.0.113.9'],
  away6: ['2001:db8:79::1', '2001:db8:5::9'],
} as const
type Way = keyof typeof WAYS
const NEAR: Way[] = ['home', 'home6', 'tunnel']
const FAR: Way[] = ['away', 'away6']
const PORTS = { page: 9001, stream: 9002, packets: 9003 }
const [http, https, dns] = [8080, 8443, 5300]

const inside = (name: string, command: string, args: string[]) =>
  run('ip', ['netns', 'exec', name, command, ...args], { timeoutMs: 60_000 })
/** All of it at once, in the order asked. */
/** What is closed is silent, and that is waited for; what is open answers, on a busy machine later. */
const SILENT_MS = 2_500
const ANSWERS_MS = 30_000
async function ask(questions: Question[], limitMs = SILENT_MS): Promise<Heard[]> {
  const { stdout, stderr } = await inside(street, process.execPath, [
    SCRIPT,
    'ask',
    JSON.stringify(questions),
    String(limitMs),
  ])
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}
const by = (way: Way) => ({ to: WAYS[way][0], from: WAYS[way][1] })

async function layCables() {
  for (const name of [house, street]) await must('ip', ['netns', 'add', name])
  for (const cable of ['door', 'tunnel'])
    await must('ip', [
      'link',
      'add',
      cable,
      'netns',
      house,
      'type',
      'veth',
      'peer',
      'name',
      cable,
      'netns',
      street,
    ])
  for (const [at, name] of [house, street].entries()) {
    const set = (...words: string[]) => must('ip', ['-n', name, ...words])
    for (const link of ['lo', 'door', 'tunnel']) await set('link', 'set', link, 'up')
    await set('addr', 'add', `${WAYS.home[at]}/24`, 'dev', 'door')
    await set('addr', 'add', `${WAYS.home6[at]}/64`, 'dev', 'door', 'nodad')
    await set('addr', 'add', `${WAYS.tunnel[at]}/24`, 'dev', 'tunnel')
    await set('addr', 'add', `${WAYS.away[at]}/32`, 'dev', 'door')
    await set('addr', 'add', `${WAYS.away6[at]}/128`, 'dev', 'door', 'nodad')
    // The internet between them, as one cable.
    await set('route', 'add', `${WAYS.away[1 - at]}/32`, 'dev', 'door')
    await set('-6', 'route', 'add', `${WAYS.away6[1 - at]}/128`, 'dev', 'door')
  }
}

describe.skipIf(
  await lacking(['root', 'iproute', 'dig'], 'that what is for this network alone is closed to others'),
)('exposure', () => {
  let home: string
  let database: Awaited<ReturnType<typeof testDatabase>>
  let server: ServerProcess
  let services: ReturnType<typeof start>
  beforeAll(async () => {
    await layCables()
    services = start('ip', [
      ...['netns', 'exec', house, process.execPath, SCRIPT, 'serve', WAYS.home[0]],
      ...Object.values(PORTS).map(String),
    ])
    home = await mkdtemp('/tmp/kn-o-')
    for (const folder of ['data', 'config', 'catalog/templates', 'catalog/images'])
      await mkdir(join(home, folder), { recursive: true })
    database = await testDatabase()
    server = await startServerProcess({
      config: {
        tls: { enabled: true },
        gateway: { host: '::', httpPort: http, httpsPort: https },
        dns: { enabled: true, host: WAYS.home[0], port: dns },
      },
      databaseUrl: database.url,
      home,
      namespace: house,
    })
    const call = async (method: string, path: string, body?: object) => {
      const answer = await askAt({ socketPath: join(home, 'run/control.sock') }, method, path, { body })
      expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
      return answer.body
    }
    await call('POST', '/api/claim', { token: tokenOf(server.claim), ...OWNER, organisationName: 'Home' })
    const { serviceId } = await call('POST', '/api/services/register', {
      name: 'shed',
      ttlMs: 3_600_000,
      ports: [
        { name: 'page', kind: 'http', host: WAYS.home[0], port: PORTS.page },
        { name: 'stream', kind: 'tcp', host: WAYS.home[0], port: PORTS.stream },
        { name: 'packets', kind: 'udp', host: WAYS.home[0], port: PORTS.packets },
      ],
    })
    const web = (host: string, pathPrefix = '/') => ({
      kind: 'http',
      host: `${host}.kalnet.home.arpa`,
      pathPrefix,
    })
    for (const [port, exposure, match] of [
      ['page', 'internal', web('inside')],
      ['page', 'external', web('outside')],
      ['page', 'internal', web('outside', '/cellar')],
      ['stream', 'internal', { kind: 'tcp', listen: 7101 }],
      ['stream', 'external', { kind: 'tcp', listen: 7102 }],
      ['packets', 'internal', { kind: 'udp', listen: 7201 }],
      ['packets', 'external', { kind: 'udp', listen: 7202 }],
    ])
      await call('POST', '/api/routes', { serviceId, port, exposure, access: 'public', match })
    const question: Question = { kind: 'udp', ...by('home'), port: 7202 }
    await eventually('the gateway leads there', async () => (await ask([question]))[0] === 'hello')
  })
  afterAll(async () => {
    services?.kill('SIGKILL')
    if (server) await endProcess(server.child)
    await database?.drop()
    for (const name of [house, street]) await run('ip', ['netns', 'del', name])
    if (home) await rm(home, { recursive: true, force: true })
  })

  const page = (way: Way, host: string, path = '/', kind: 'http' | 'https' = 'https'): Question => ({
    kind,
    ...by(way),
    port: kind === 'http' ? http : https,
    host: `${host}.kalnet.home.arpa`,
    path,
  })
  const shown = { status: 200, text: 'the service at /' }

  test('[NET-3.inside] from this network, also by a tunnel into it and by IPv6, everything is answered', async () => {
    for (const way of NEAR) {
      const got = await ask(
        [
          page(way, 'inside'),
          page(way, 'outside'),
          page(way, 'outside', '/cellar'),
          page(way, 'inside', '/', 'http'),
          ...[7101, 7102].map((port): Question => ({ kind: 'tcp', ...by(way), port })),
          ...[7201, 7202].map((port): Question => ({ kind: 'udp', ...by(way), port })),
        ],
        ANSWERS_MS,
      )
      expect({ way, got }).toEqual({
        way,
        got: [
          ...[shown, shown, { status: 200, text: 'the service at /cellar' }],
          { status: 308, text: '' },
          ...['hello', 'hello', 'hello', 'hello'],
        ],
      })
    }
  })

  test('[NET-3.inside] from elsewhere what is for everybody is; the rest is as if it were not there, and looks like what never was', async () => {
    /** What differs between two refusals besides the name and the number of the request. */
    const anonymous = (it: Heard) =>
      JSON.stringify(it)
        .replaceAll(/\b(inside|nobody|nothing)\b/g, '…')
        .replaceAll(/<small>.*?<\/small>/g, '')
    for (const way of FAR) {
      const open = await ask(
        [
          page(way, 'outside'),
          { kind: 'tcp', ...by(way), port: 7102 },
          { kind: 'udp', ...by(way), port: 7202 },
        ],
        ANSWERS_MS,
      )
      expect({ way, open }).toEqual({ way, open: [shown, 'hello', 'hello'] })

      const closed = await ask(
        [page(way, 'inside'), page(way, 'inside', '/', 'http'), page(way, 'inside', '/a%2f..', 'http')],
        ANSWERS_MS,
      )
      const silent = await ask([
        { kind: 'tcp', ...by(way), port: 7101 },
        { kind: 'udp', ...by(way), port: 7201 },
      ])
      const never = await ask(
        [page(way, 'nobody'), page(way, 'nobody', '/', 'http'), page(way, 'nobody', '/a%2f..', 'http')],
        ANSWERS_MS,
      )
      expect(closed.map(anonymous)).toEqual(never.map(anonymous))
      expect(closed[0]).toBe('refused')
      expect(closed[1]).toMatchObject({ status: 404, text: expect.stringContaining('Nothing of ours is at') })
      expect(silent).toEqual([null, null])
      // A part of an address that is open, kept for home: by neither way is it said that there is something.
      const [kept, none] = await ask(
        [page(way, 'outside', '/cellar'), page(way, 'outside', '/cellar', 'http')],
        ANSWERS_MS,
      )
      expect(kept).toMatchObject({ status: 404, text: expect.stringContaining('Nothing of ours is at') })
      expect(none).toMatchObject({ status: 404 })
    }
  })

  test('[NET-3.inside] our names are told to this network only', async () => {
    const dig = (from: string, to: string, seconds: number) =>
      inside(street, 'dig', [
        `@${to}`,
        '-b',
        from,
        '-p',
        String(dns),
        `+time=${seconds}`,
        '+tries=1',
        '+short',
        'shed.kalnet.home.arpa',
      ])
    expect((await dig(WAYS.home[1], WAYS.home[0], 20)).stdout).toContain(WAYS.home[0])
    expect((await dig(WAYS.away[1], WAYS.home[0], 1)).stdout).toMatch(/timed out|no servers/)
  })
})
