/** The well-known ports of a network of its own: who holds 80 and 53 there, and the next ones. Needs root. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { must } from './spawn.ts'

const isRoot = process.getuid?.() === 0
const PORTS = fileURLToPath(new URL('./ports.ts', import.meta.url))
const PROGRAM = `
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
const { portTaken } = await import(process.env.PORTS)
const listening = (port) => new Promise((resolve) => { const it = createServer().listen(port, '0.0.0.0', () => resolve(it)) })
const open = [await listening(80), await listening(81), createSocket('udp4')]
await new Promise((resolve) => open[2].bind(53, '0.0.0.0', resolve))
const told = async (...asked) => (await portTaken('0.0.0.0', ...asked))?.body('').error ?? null
console.log(JSON.stringify([await told(80), await told(53, 'udp'), await told(53)]))
for (const it of open) it.close()
`

describe.skipIf(!isRoot && process.env.KALNET_PEERS !== 'all')(
  'ports of a network of its own (needs root)',
  () => {
    test('[NET-6.namespace] 80 and 53 are told with their holder, and the next free one', async () => {
      const { stdout } = await must(
        'unshare',
        ['--net', '--', process.execPath, '--input-type=module', '-e', PROGRAM],
        { env: { PATH: process.env.PATH, PORTS }, timeoutMs: 20_000 },
      )
      const [web, names, other] = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
      expect(web.message).toMatch(/^Port 80 is held by .+ \(process \d+\)\.$/)
      expect(web.next).toBe('Stop that program, or take a free one: 82.')
      expect(names.message).toMatch(/^Port 53 \(UDP\) is held by /)
      expect(names.next).toContain(': 54.')
      expect(other).toBeNull()
    })
  },
)
