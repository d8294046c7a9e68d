/** Who holds a port and which one is free: on loopback, and the kernel's tables as text. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { freePortNear, holderOf, listeners, portTaken, tryPort } from './ports.ts'

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const line = (local: string, remote: string, state: string, inode: number) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1`

test.each([
  ['tcp', '[NET-6.holder] only listening sockets of that port count', '0A', '01'],
  ['udp', '[NET-6.holder] only UDP sockets without a peer count', '07', '01'],
] as const)('%s: %s', (kind, _name, waits, isConnected) => {
  const text = [
    HEAD,
    line('0100007F:1CE8', '00000000:0000', waits, 4711),
    line('0100007F:1CE8', '0100007F:9999', isConnected, 4712),
    line('0100007F:1CE9', '00000000:0000', waits, 4713),
    line('00000000000000000000000001000000:1CE8', '00000000000000000000000000000000:0000', waits, 4714),
  ].join('\n')
  expect(listeners(text, 7400, kind)).toEqual(['4711', '4714'])
  expect(listeners('', 7400, kind)).toEqual([])
})

/** Holds a port of the kind until told to let go. */
async function hold(kind: 'tcp' | 'udp'): Promise<{ port: number; free(): Promise<unknown> }> {
  const it = kind === 'tcp' ? createServer() : createSocket('udp4')
  await new Promise<void>((resolve) =>
    'listen' in it ? it.listen(0, '127.0.0.1', resolve) : it.bind(0, '127.0.0.1', resolve),
  )
  const { port } = it.address() as { port: number }
  return { port, free: () => new Promise<void>((resolve) => void it.close(() => resolve())) }
}

describe.each(['tcp', 'udp'] as const)('[NET-6.taken] a %s port', (kind) => {
  test('that is taken is told with its holder and a free one that is really free', async () => {
    const { port, free } = await hold(kind)
    try {
      expect(await holderOf(port, kind)).toMatchObject({ pid: process.pid })
      const { code, message, next } = (await portTaken('127.0.0.1', port, kind))!.body('').error
      expect(code).toBe('port.taken')
      expect(message).toContain(`${port}`)
      expect(message).toContain(`(process ${process.pid})`)
      const other = Number(/take a free one: (\d+)/.exec(next)?.[1])
      expect(other).toBeGreaterThan(port)
      expect(await tryPort('127.0.0.1', other, kind)).toBeNull()
      expect(await freePortNear('127.0.0.1', port, kind, [other])).not.toBe(other)
    } finally {
      await free()
    }
    expect(await portTaken('127.0.0.1', port, kind)).toBeNull()
    expect(await holderOf(port, kind)).toBeNull()
  })
})

test('[NET-6.taken] an address that is not ours is no port taken', async () => {
  expect(await tryPort('192.0.2.1', 7400)).toBe('EADDRNOTAVAIL')
  expect(await portTaken('192.0.2.1', 7400)).toBeNull()
})
