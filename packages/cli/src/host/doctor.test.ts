/** Doctor's answer in every state, on this very machine and as a table. */
import { createServer } from 'node:net'
import { config as configFormat } from '@kalnet/contracts/config'
import { tryPort, whoListens } from '@kalnet/io/ports'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { doctorLines } from '../commands/doctor.ts'
import { sayTaken } from '../commands/up.ts'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'
import type { Check } from './doctor.ts'

let it = NO_HOME
beforeAll(async () => {
  it = await temporaryHome()
})
afterAll(() => it.remove())

const check = (state: Check['state'], needed: boolean): Check => ({
  id: 'x',
  name: 'Thing',
  state,
  needed,
  detail: 'how it is',
  enables: 'something',
  fix: state === 'ok' ? null : 'do this',
})
const cases: [string, Check[], string[], string][] = [
  ['all well', [check('ok', true)], ['✓ Thing  how it is'], 'Everything is there.'],
  [
    'weak',
    [check('weak', false)],
    ['~ Thing', 'for: something', '→ do this'],
    'Kalnet works here; 1 thing could be better.',
  ],
  [
    'missing but not needed',
    [check('missing', false)],
    ['✗ Thing'],
    'Kalnet works here; 1 thing could be better.',
  ],
  [
    'missing',
    [check('missing', true)],
    ['✗ Thing', '→ do this'],
    '1 thing must be put right before Kalnet can work here.',
  ],
]
test.each(cases)('lines: %s', (_name, checks, parts, end) => {
  const lines = doctorLines(checks)
  for (const part of parts) expect(lines.join('\n')).toContain(part)
  expect(lines.at(-1)).toBe(end)
})

test('it examines everything there is to examine', async () => {
  const { out } = await cli(it.home, 'doctor', '--json')
  const { checks } = JSON.parse(out) as { checks: Check[] }
  const ids = checks.map((one) => one.id)
  for (const id of [
    'kalnet',
    'postgres',
    'bwrap',
    'pasta',
    'isolation',
    'limits',
    'docker',
    'disk',
    'port',
    'config',
  ])
    expect(ids).toContain(id)
  for (const one of checks) expect(one.detail.length, one.id).toBeGreaterThan(0)
})

test('[NET-6.up] a port that is taken is explained by name, with a free one', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  try {
    expect(await tryPort('127.0.0.1', port)).toBe('EADDRINUSE')
    expect(await whoListens(port)).toContain(`(process ${process.pid})`)
    const { code, err } = await cli(it.home, 'up', '--no-dashboard', '--as-is', '--port', String(port))
    expect(code).toBe(4)
    expect(err).toMatch(new RegExp(`Port ${port} is held by .*process ${process.pid}[\\s\\S]*--port \\d+`))
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
  expect(await tryPort('127.0.0.1', port)).toBeNull()
  expect(await whoListens(port)).toBeNull()
})

test('[NET-6.up] a taken port of the gateway is said, with the setting that changes it, and stops nobody', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const notes: string[] = []
  const output = { note: (words: string) => void notes.push(words) }
  const config = (gateway: object) =>
    configFormat.parse({ listen: { host: '127.0.0.1', port: 7400 }, gateway })
  try {
    await sayTaken(config({ httpPort: port, httpsPort: port }), output)
    await sayTaken(config({ httpPort: port, enabled: false }), output)
    expect(notes).toHaveLength(1)
    expect(notes[0]).toMatch(
      new RegExp(
        `^Port ${port} is held by .*process ${process.pid}.*free one: \\d+.*KALNET_GATEWAY_HTTP_PORT`,
      ),
    )
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})
