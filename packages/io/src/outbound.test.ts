/** Outbound requests against real servers on loopback: addresses, redirects, sizes and times. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAllowed, isGlobal, parseNetworks } from './addresses.ts'
import { createOutbound } from './outbound.ts'

const signal = () => AbortSignal.timeout(10_000)

describe('addresses', () => {
  it.each([
    ['8.8.8.8', true],
    ['127.0.0.1', false],
    ['10.1.2.3', false],
    ['100.64.0.1', false],
    ['169.254.169.254', false],
    ['172.31.255.255', false],
    ['172.32.0.1', true],
    ['192.168.0.1', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['2606:4700::1111', true],
    ['::1', false],
    ['::', false],
    ['fe80::1', false],
    ['fd00::1', false],
    ['::ffff:127.0.0.1', false],
    ['64:ff9b::7f00:1', false],
    ['2002:7f00:1::', false],
    ['not an address', false],
  ])('[SEC-4.outbound] %s is on the open internet: %s', (address, open) => {
    expect(isGlobal(address)).toBe(open)
  })
  it('[SEC-4.outbound] what is allowed is exactly that', () => {
    const networks = parseNetworks(['192.168.7.0/24', 'fd00:1::/32', '10.0.0.9'])
    const judged = [
      '192.168.7.9',
      '192.168.8.9',
      'fd00:1::5',
      'fd00:2::5',
      '10.0.0.9',
      '10.0.0.8',
      '::ffff:192.168.7.1',
    ]
    expect(judged.filter((address) => isAllowed(address, networks))).toEqual([
      '192.168.7.9',
      'fd00:1::5',
      '10.0.0.9',
      '::ffff:192.168.7.1',
    ])
    expect(() => parseNetworks(['192.168.7.0/33'])).toThrow(/neither/)
    expect(() => parseNetworks(['home'])).toThrow(/neither/)
  })
})

describe('requests', () => {
  let server: Server
  let port: number
  const seen: { url: string; method: string; authorization: string | undefined; host: string | undefined }[] =
    []
  beforeAll(async () => {
    server = createServer((request, response) => {
      const { url = '', method = '', headers } = request
      seen.push({ url, method, authorization: headers.authorization, host: headers.host })
      if (url === '/large') return void response.end(Buffer.alloc(200_000))
      if (url === '/silent') return
      if (url === '/loop') return void response.writeHead(302, { location: '/loop' }).end()
      if (url.startsWith('/to?'))
        return void response.writeHead(302, { location: decodeURIComponent(url.slice(4)) }).end()
      response.setHeader('x-test', 'yes')
      response.end(`hello ${method}`)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const allowed = createOutbound({
    allow: ['127.0.0.1'],
    resolve: async (name) => (name === 'inside.test' ? ['127.0.0.1'] : ['10.0.0.1']),
  })
  afterAll(() => allowed.close())
  const local = (path: string) => `http://127.0.0.1:${port}${path}`

  it('[SEC-4.outbound] an allowed address answers, by its name too', async () => {
    const answer = await allowed.ask(local('/x'), { signal: signal() })
    expect([answer.status, answer.body.toString(), answer.headers['x-test']]).toEqual([
      200,
      'hello GET',
      'yes',
    ])
    await allowed.ask(`http://inside.test:${port}/named`, { signal: signal() })
    expect(seen.at(-1)?.host).toBe(`inside.test:${port}`)
  })
  it.each([
    ['loopback', () => local('/x')],
    ['a name that leads to loopback', () => `http://localhost:${port}/`],
    ['another spelling of loopback', () => `http://2130706433:${port}/`],
    ['IPv6 loopback', () => `http://[::1]:${port}/`],
    ['mapped loopback', () => `http://[::ffff:127.0.0.1]:${port}/`],
    ['the cloud metadata address', () => 'http://169.254.169.254/latest'],
  ])('[SEC-4.outbound] by default not %s, and nothing is sent', async (_, url) => {
    const before = seen.length
    const closed = createOutbound()
    await expect(closed.ask(url(), { signal: signal() })).rejects.toThrow(/not allowed/)
    expect(seen.length).toBe(before)
    await closed.close()
  })
  it('[SEC-4.outbound] a redirect is judged again, and at every step', async () => {
    const away = (to: string) => allowed.ask(local(`/to?${encodeURIComponent(to)}`), { signal: signal() })
    await expect(away('http://10.0.0.1/')).rejects.toThrow(/not allowed/)
    await expect(away('http://other.test/')).rejects.toThrow(/not allowed/)
    await expect(away('file:///etc/passwd')).rejects.toThrow(/not asked/)
    await expect(allowed.ask(local('/loop'), { signal: signal() })).rejects.toThrow(/too often/)
    expect((await away('/x')).url).toBe(local('/x'))
    const to = local(`/to?${encodeURIComponent('http://10.0.0.1/')}`)
    const kept = await allowed.ask(to, { signal: signal(), redirects: 'answer' })
    expect([kept.status, kept.headers.location, kept.url]).toEqual([302, 'http://10.0.0.1/', to])
  })
  it('[SEC-4.outbound] a name is resolved once for judging and dialling: it cannot change in between', async () => {
    let asked = 0
    const changing = createOutbound({
      allow: ['127.0.0.1'],
      resolve: async () => (++asked % 2 === 1 ? ['127.0.0.1'] : ['10.0.0.1']),
    })
    await expect(changing.ask(`http://inside.test:${port}/`, { signal: signal() })).rejects.toThrow(
      /not allowed/,
    )
    await changing.close()
  })
  it('[SEC-4.outbound] what was meant for one host does not go to another', async () => {
    await allowed.ask(local(`/to?${encodeURIComponent(`http://inside.test:${port}/elsewhere`)}`), {
      method: 'POST',
      headers: { authorization: 'Bearer secret', 'content-type': 'text/plain' },
      body: 'x',
      signal: signal(),
    })
    expect(seen.at(-1)).toMatchObject({ url: '/elsewhere', method: 'GET', authorization: undefined })
  })
  it.each([
    ['a large answer', '/large', { maxBytes: 100_000 }, /larger than/],
    ['silence', '/silent', { timeoutMs: 200 }, /in time/],
  ])('[SEC-4.outbound] %s has a limit', async (_, path, limits, words) => {
    await expect(allowed.ask(local(path), { ...limits, signal: signal() })).rejects.toThrow(words)
  })
  it('[SEC-4.outbound] no password in an address, no other scheme', async () => {
    await expect(allowed.ask(`http://a:b@127.0.0.1:${port}/`, { signal: signal() })).rejects.toThrow(
      /password/,
    )
    await expect(allowed.ask('ftp://127.0.0.1/', { signal: signal() })).rejects.toThrow(/not asked/)
    await expect(allowed.ask('what', { signal: signal() })).rejects.toThrow(/not an address/)
  })
})
