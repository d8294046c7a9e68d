/** A word to a service goes to each of its instances and to nobody else, by its address or by its controller. */
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { Endpoint, Snapshot } from '@kalnet/contracts/gateway'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInside } from './inside.ts'

const [CHAT, OTHER] = ['01920000-0000-7000-8000-000000000001', '01920000-0000-7000-8000-000000000002']
const heard: string[] = []
let port = 0
let answers: number[] = []
const server = createServer((request, response) => {
  let body = ''
  request.on('data', (piece: Buffer) => {
    body += piece
  })
  request.on('end', () => {
    heard.push(`${request.method} ${request.headers.host}${request.url} ${body}`)
    response.writeHead(answers.shift() ?? 200).end('a page that nobody reads')
  })
})
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as { port: number }).port
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

const endpoint = (id: string, more: Partial<Endpoint>): Endpoint => ({
  id,
  serviceId: CHAT,
  port: 'http',
  kind: 'http',
  release: 1,
  weight: 1,
  health: null,
  direct: { host: '127.0.0.1', port, machine: null },
  tunnel: null,
  ...more,
})
const tunnel = { controllerId: 'c', instanceId: 'i' }
const dials: string[] = []
const tell = (endpoints: Endpoint[]) =>
  createInside({
    now: () => ({ version: '1', domain: 'home', routes: [], endpoints }) satisfies Snapshot,
    machine: 'here',
    dialTunnel: async ({ instanceId }, name) => {
      dials.push(`${instanceId} ${name}`)
      return connect(port, '127.0.0.1')
    },
  }).post(CHAT, 'http', {
    url: 'https://chat.home/signed/out?x=1',
    headers: { 'content-type': 'text/plain', host: 'elsewhere' },
    body: 'word',
    signal: AbortSignal.timeout(10_000),
  })

describe('[IDN-2.provider-back-channel] a word to a service', () => {
  it('reaches each of its instances, and nothing else that is there', async () => {
    heard.length = 0
    const all = [
      endpoint('one', {}),
      endpoint('two', { direct: { host: '127.0.0.1', port: 1, machine: 'elsewhere' }, tunnel }),
      endpoint('its other port', { port: 'metrics' }),
      endpoint('another service', { serviceId: OTHER }),
    ]
    expect(await tell(all)).toBe(200)
    expect(heard).toEqual(Array(2).fill('POST chat.home/signed/out?x=1 word'))
    expect(dials).toEqual(['i http'])
  })
  it('is not taken as long as one of them has not taken it', async () => {
    answers = [200, 503]
    expect(await tell([endpoint('one', {}), endpoint('two', {})])).toBe(503)
    await expect(tell([])).rejects.toThrow(/nothing of it runs/)
    await expect(tell([endpoint('one', { direct: null })])).rejects.toThrow(/no tunnel/)
  })
})
