import { randomUUID } from 'node:crypto'
import type { FromController, ToController } from '@kalnet/contracts/controller'
import { createLog } from '@kalnet/io/log'
import { describe, expect, it } from 'vitest'
import { createMemoryWire, type MemoryPeer } from './memory.ts'
import { until } from './testing.ts'

function start() {
  const wire = createMemoryWire()
  const stop = new AbortController()
  const peers: MemoryPeer[] = []
  const toServer: FromController[] = []
  const toController: ToController[] = []
  let downs = 0
  wire.onLink = (peer) => void peers.push(peer)
  wire.onMessage = (message) => void toServer.push(message)
  const link = wire.connectLink({
    url: 'http://memory',
    identity: { controllerId: randomUUID(), sign: () => '' },
    hello: { version: '0', hostname: 'x' },
    onMessage: (message) => void toController.push(message),
    onUp: () => undefined,
    onDown: () => {
      downs += 1
    },
    signal: stop.signal,
    log: createLog('test', 'silent'),
  })
  return { wire, stop, peers, toServer, toController, link, downs: () => downs }
}
const failed = { type: 'stream.failed', streamId: randomUUID(), problem: 'x' } as const

describe('memory', () => {
  it('[CTL-2.link] carries messages, drops and doubles them on demand, comes back after a cut', async () => {
    const { wire, peers, toServer, link, stop, downs } = start()
    await until(() => link.up(), 'up')
    link.send(failed)
    await until(() => toServer.length === 1, 'one')
    wire.mangle = (_message, deliver) => {
      deliver()
      deliver()
    }
    link.send(failed)
    await until(() => toServer.length === 3, 'doubled')
    wire.cut()
    expect(link.up()).toBe(false)
    expect(link.send(failed)).toBe(false)
    wire.heal()
    await until(() => link.up() && peers.length === 2, 'again')
    expect(downs()).toBe(1)
    stop.abort()
    await link.ended
    expect(link.up()).toBe(false)
  })

  it('[CTL-8.raw] gives a pair of ends for an awaited token only', async () => {
    const { wire, stop } = start()
    await expect(wire.dialRaw({ url: '', token: 't', signal: stop.signal })).rejects.toMatchObject({
      code: 'stream.unreachable',
    })
    wire.onRaw = (_token, stream) => {
      stream.end('hello')
      return true
    }
    const stream = await wire.dialRaw({ url: '', token: 't', signal: stop.signal })
    let text = ''
    for await (const chunk of stream) text += String(chunk)
    expect(text).toBe('hello')
    stop.abort()
  })
})
