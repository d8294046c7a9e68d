/** Bodies, streams and the small print of HTTP: nothing is kept, nothing is lost, and what was begun is ended. */
import { once } from 'node:events'
import { request as ask, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { systemClock } from '@kalnet/io/clock'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { endpointOf, idOf, routeOf, snapshotOf, startEngine, type TestEngine } from './testing/bench.ts'
import { asking, echo, rawly, startUpstream } from './testing/upstream.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
async function behind(
  listener: Parameters<typeof startUpstream>[0],
  route: Parameters<typeof routeOf>[0] = {},
  options: Parameters<typeof startEngine>[1] = {},
): Promise<TestEngine> {
  const service = await startUpstream(listener)
  const gateway = await startEngine(snapshotOf([routeOf(route)], [endpointOf(service.port)]), options)
  ends.push(service.close, gateway.close)
  return gateway
}
const begin = (port: number, headers: Record<string, string> = {}, method = 'GET') =>
  ask({ host: '127.0.0.1', port, method, headers: { host: 'photos.localhost', ...headers }, agent: false })
const answerOf = async (out: ReturnType<typeof ask>) => (await once(out, 'response'))[0] as IncomingMessage

const MANY = 64 * 2 ** 20
const PIECE = Buffer.alloc(65_536, 'x')

describe('[NET-3.bodies]', () => {
  it('large bodies both ways: what is not taken is not let in', async () => {
    let taken = 0
    let read: () => void = () => undefined
    const gateway = await behind((request, response) => {
      // It takes nothing until it is told to.
      read = () =>
        request.on('data', (chunk: Buffer) => {
          taken += chunk.length
        })
      request.on('end', () => {
        let left = MANY / PIECE.length
        const more = () => {
          while (left > 0) {
            left -= 1
            if (!response.write(PIECE)) return
          }
          response.end()
        }
        response.on('drain', more)
        more()
      })
    })
    const out = begin(gateway.port, {}, 'PUT')
    let sent = 0
    while (sent < MANY) {
      sent += PIECE.length
      if (out.write(PIECE)) continue
      const waited = await Promise.race([once(out, 'drain'), systemClock.sleep(400)])
      if (!waited) break
    }
    // What the kernel's buffers take on both connections, and little more.
    expect(sent).toBeLessThan(MANY / 2)
    expect(gateway.figures()[0]?.bytesIn).toBeLessThan(MANY / 2)
    const drained = once(out, 'drain')
    read()
    await drained
    for (; sent < MANY; sent += PIECE.length) if (!out.write(PIECE)) await once(out, 'drain')
    out.end()
    let got = 0
    for await (const chunk of await answerOf(out)) got += (chunk as Buffer).length
    expect([taken, got]).toEqual([MANY, MANY])
    await expect.poll(() => gateway.figures()[0]).toMatchObject({ bytesIn: MANY, bytesOut: MANY, open: 0 })
  })
  it('an answer that comes before the end of the body arrives', async () => {
    const gateway = await behind((_, response) =>
      response.writeHead(401, { 'content-length': '2' }).end('no'),
    )
    const out = begin(gateway.port, { 'content-length': String(MANY) }, 'PUT')
    out.on('error', () => undefined)
    out.write(PIECE)
    const answer = await answerOf(out)
    expect([answer.statusCode, String((await once(answer, 'data'))[0])]).toEqual([401, 'no'])
    out.destroy()
    await expect.poll(() => gateway.figures()[0]?.open).toBe(0)
  })
  it('events arrive one by one, and a client that leaves ends them', async () => {
    let left = false
    let send: (text: string) => void = () => undefined
    const gateway = await behind((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      send = (text) => response.write(`data: ${text}\n\n`)
      response.on('close', () => {
        left = true
      })
    })
    const out = begin(gateway.port)
    out.end()
    const answer = await answerOf(out)
    for (const text of ['one', 'two']) {
      send(text)
      expect(String((await once(answer, 'data'))[0])).toBe(`data: ${text}\n\n`)
    }
    out.destroy()
    await expect.poll(() => left).toBe(true)
    expect(gateway.figures()[0]).toMatchObject({ open: 0, failures: 0 })
  })
  it('trailers both ways, also of HTTP/1.1 with TE', async () => {
    const gateway = await behind((request, response) => {
      request.resume()
      request.on('end', () => {
        response.writeHead(200, { trailer: 'x-sum' })
        response.write('a')
        response.addTrailers({ 'x-sum': `of ${request.trailers['x-mine']}`, 'x-kalnet-user': 'evil' })
        response.end()
      })
    })
    const out = begin(
      gateway.port,
      { trailer: 'x-mine', te: 'trailers', 'transfer-encoding': 'chunked' },
      'POST',
    )
    out.write('body')
    out.addTrailers({ 'x-mine': '7', authorization: 'evil' })
    out.end()
    const answer = await answerOf(out)
    answer.resume()
    await once(answer, 'end')
    expect(answer.trailers).toEqual({ 'x-sum': 'of 7' })
  })
  it('asks before a body: the service says whether it wants it', async () => {
    const gateway = await behind(echo)
    const service = await startUpstream(echo)
    ends.push(service.close)
    service.server.on('checkContinue', (_, response) => response.writeHead(417).end('no'))
    const out = begin(gateway.port, { expect: '100-continue', 'content-length': '2' }, 'POST')
    out.flushHeaders()
    await once(out, 'continue')
    out.end('ab')
    const answer = await answerOf(out)
    let text = ''
    for await (const chunk of answer) text += String(chunk)
    expect(JSON.parse(text).body).toBe('ab')
    await gateway.apply(snapshotOf([routeOf()], [endpointOf(service.port)]))
    const refused = begin(gateway.port, { expect: '100-continue', 'content-length': '2' }, 'POST')
    refused.on('error', () => undefined)
    refused.flushHeaders()
    expect((await answerOf(refused)).statusCode).toBe(417)
    refused.destroy()
  })
  it.each<[string, string, number, Record<string, string>, string]>([
    ['HEAD keeps the length and has no body', 'HEAD', 200, { 'content-length': '5' }, ''],
    ['204', 'GET', 204, {}, ''],
    ['304 keeps its tag', 'GET', 304, { etag: '"a"' }, ''],
    ['an empty answer', 'GET', 200, { 'content-length': '0' }, ''],
  ])('%s', async (_, method, status, headers, text) => {
    const gateway = await behind((__, response) => response.writeHead(status, headers).end())
    const socket = connect(gateway.port, '127.0.0.1')
    ends.push(() => socket.destroy())
    // Twice on one connection: the end of the first was understood.
    for (let turn = 0; turn < 2; turn += 1) {
      socket.write(`${method} / HTTP/1.1\r\nHost: photos.localhost\r\n\r\n`)
      const [head = '', body] = String((await once(socket, 'data'))[0]).split('\r\n\r\n')
      expect(head).toContain(`HTTP/1.1 ${status}`)
      for (const [name, value] of Object.entries(headers))
        expect(head.toLowerCase()).toContain(`${name}: ${value}`)
      expect(head.toLowerCase()).not.toContain('transfer-encoding')
      expect(body).toBe(text)
    }
  })
  it('a body that breaks off is cut for the client, not ended as if it were whole', async () => {
    const gateway = await behind((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      setImmediate(() => response.destroy())
    })
    const text = await rawly(gateway.port, 'GET / HTTP/1.1\r\nHost: photos.localhost\r\n\r\n')
    expect(text.endsWith('half')).toBe(true)
    const chunked = await behind((_, response) => {
      response.write('half')
      setImmediate(() => response.destroy())
    })
    expect(await rawly(chunked.port, 'GET / HTTP/1.1\r\nHost: photos.localhost\r\n\r\n')).not.toContain(
      '\r\n0\r\n',
    )
  })
  it('a body that is too long is refused, told or not', async () => {
    const gateway = await behind(echo, { policy: { bodyBytes: 10 } })
    const told = await asking({ port: gateway.port, method: 'POST', body: 'x'.repeat(11) })
    expect([told.status, JSON.parse(told.text).error.code]).toEqual([413, 'request.too-large'])
    const untold = await asking({
      port: gateway.port,
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
      body: 'x'.repeat(11),
    })
    expect(untold.status).toBe(413)
    expect((await asking({ port: gateway.port, method: 'POST', body: 'x'.repeat(10) })).status).toBe(200)
  })
  it('HTTP/1.1 upgrades that the service refuses are answered by it', async () => {
    const service = await startUpstream(echo)
    const sockets = new WebSocketServer({
      server: service.server,
      verifyClient: (_, done) => done(false, 401, 'no'),
    })
    const gateway = await startEngine(snapshotOf([routeOf()], [endpointOf(service.port)]))
    ends.push(service.close, gateway.close, () => sockets.close())
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`, { headers: { host: 'photos.localhost' } })
    const [, answer] = await once(socket, 'unexpected-response')
    expect(answer.statusCode).toBe(401)
    socket.on('error', () => undefined)
    socket.terminate()
    const nowhere = new WebSocket(`ws://127.0.0.1:${gateway.port}/`, {
      headers: { host: 'nobody.localhost' },
    })
    expect((await once(nowhere, 'unexpected-response'))[1].statusCode).toBe(404)
    nowhere.on('error', () => undefined)
    nowhere.terminate()
  })
})

describe('[NET-3.cut]', () => {
  it('ends what the sign-in let in, and nothing else', async () => {
    let who = 'a'
    const gateway = await behind(
      (_, response) => {
        response.writeHead(200)
        response.write('begun')
      },
      { access: 'people' },
      {
        judge: async () => ({
          pass: true,
          headers: { 'X-Kalnet-User': who },
          drop: [],
          signInId: who,
          userId: null,
        }),
      },
    )
    const open = async () => {
      const out = begin(gateway.port)
      out.end()
      const answer = await answerOf(out)
      answer.resume()
      return answer
    }
    const mine = await open()
    who = 'b'
    const theirs = await open()
    const broken = once(mine, 'error')
    expect(gateway.cut('a')).toBe(1)
    await broken
    expect(theirs.destroyed).toBe(false)
    expect(gateway.figures()[0]?.open).toBe(1)
    theirs.destroy()
  })
})

describe('policies on the way', () => {
  it('[MSH-3.retries] one of two replicas is gone: no request fails, and what may not be repeated is not', async () => {
    const [stays, goes] = [await startUpstream(echo), await startUpstream(echo)]
    const gateway = await startEngine(
      snapshotOf([routeOf()], [endpointOf(stays.port), endpointOf(goes.port)]),
    )
    ends.push(stays.close, gateway.close)
    const statuses = new Map<number, number>()
    const note = async (method: string) => {
      const { status } = await asking({ port: gateway.port, method })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    for (let turn = 0; turn < 10; turn += 1) await note('GET')
    const closing = goes.close()
    for (let turn = 0; turn < 40; turn += 1) await note(turn % 2 ? 'GET' : 'POST')
    await closing
    expect([...statuses]).toEqual([[200, 50]])
    expect(gateway.figures()[0]).toMatchObject({ requests: 50, failures: 0 })
    expect(gateway.figures()[0]?.retries).toBeGreaterThan(0)
  })
  it('[MSH-3.retries] a body that was begun, and a POST that was heard, are sent once', async () => {
    let heard = 0
    const gateway = await behind((request) => {
      heard += 1
      request.socket.destroy()
    })
    expect((await asking({ port: gateway.port, method: 'POST', body: 'x' })).status).toBe(502)
    expect(heard).toBe(1)
    expect((await asking({ port: gateway.port })).status).toBe(502)
    expect(heard).toBe(4)
  })
  it('[MSH-3.retries] an answer of 503 is asked for elsewhere', async () => {
    const [ill, well] = [
      await startUpstream((_, it) => it.writeHead(503).end()),
      await startUpstream((_, it) => it.end('well')),
    ]
    const gateway = await startEngine(snapshotOf([routeOf()], [endpointOf(ill.port), endpointOf(well.port)]))
    ends.push(ill.close, well.close, gateway.close)
    for (let turn = 0; turn < 4; turn += 1) expect((await asking({ port: gateway.port })).text).toBe('well')
  })
  it('[MSH-3.breaker] opens, says so at once, and closes by a trial', async () => {
    let ill = true
    let now = 1_000
    const gateway = await behind(
      (_, it) => it.writeHead(ill ? 500 + 3 : 200).end(),
      { policy: { breaker: { requests: 4, openMs: 5_000 }, retries: { attempts: 0 } } },
      { clock: { now: () => new Date(now), sleep: () => Promise.resolve() } },
    )
    const status = async () => (await asking({ port: gateway.port })).status
    for (let turn = 0; turn < 4; turn += 1) expect(await status()).toBe(503)
    const said = await asking({ port: gateway.port, headers: { accept: 'text/html' } })
    expect(said.text).toContain('photos has trouble and is left alone for 5 seconds.')
    expect(said.headers['retry-after']).toBe('5')
    expect(gateway.figures()[0]).toMatchObject({ breaker: 'open', rejected: 1 })
    ill = false
    now += 5_000
    expect(await status()).toBe(200)
    expect(gateway.figures()[0]?.breaker).toBe('closed')
  })
  it('[MSH-3.rate] says how long to wait', async () => {
    const gateway = await behind(
      echo,
      { policy: { rate: { perSecond: 1, burst: 2 } } },
      { clock: { now: () => new Date(0), sleep: () => Promise.resolve() } },
    )
    const all = [
      await asking({ port: gateway.port }),
      await asking({ port: gateway.port }),
      await asking({ port: gateway.port }),
    ]
    expect(all.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(all[2]?.headers['retry-after']).toBe('1')
  })
  it('[MSH-3.sticky] [MSH-3.canary] a visitor stays; a share goes to the new release', async () => {
    const [old, fresh] = [
      await startUpstream((_, it) => it.end('1')),
      await startUpstream((_, it) => it.end('2')),
    ]
    const policy = { sticky: true, canary: [{ release: 2, percent: 10 }] }
    const gateway = await startEngine(
      snapshotOf([routeOf({ policy })], [endpointOf(old.port), endpointOf(fresh.port, { release: 2 })]),
    )
    ends.push(old.close, fresh.close, gateway.close)
    let fresher = 0
    let cookie = ''
    for (let turn = 0; turn < 200; turn += 1) {
      const { text, headers } = await asking({ port: gateway.port })
      if (text !== '2') continue
      fresher += 1
      cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    }
    expect(Math.abs(fresher - 20)).toBeLessThanOrEqual(2)
    for (let turn = 0; turn < 5; turn += 1) {
      const stays = await asking({ port: gateway.port, headers: { cookie } })
      expect([stays.text, stays.headers['set-cookie']]).toEqual(['2', undefined])
    }
  })
  it.each([
    ['the answer', { answerMs: 50, connectMs: 50 }, () => undefined, 504],
    ['silence', { idleMs: 50 }, (response: { write(text: string): void }) => response.write('a'), 200],
  ])('[MSH-3.timeouts] %s has its limit', async (_, timeouts, work, status) => {
    const gateway = await behind((__, response) => work(response), { policy: { timeouts } })
    const out = begin(gateway.port)
    out.end()
    const answer = await answerOf(out)
    expect(answer.statusCode).toBe(status)
    answer.resume()
    if (status === 200) await once(answer, 'error')
  })
  it('[MSH-5.figures] [MSH-5.trace] what passed is counted, and can be followed', async () => {
    const gateway = await behind(echo)
    const { text, headers } = await asking({
      port: gateway.port,
      headers: {
        'x-request-id': 'from-outside',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
        tracestate: 'v=1',
      },
    })
    const { rawHeaders } = JSON.parse(text)
    const of = (name: string) => rawHeaders[rawHeaders.indexOf(name) + 1]
    expect([of('X-Request-Id'), of('tracestate'), headers['x-request-id']]).toEqual([
      'from-outside',
      'v=1',
      'from-outside',
    ])
    expect(of('traceparent')).toContain('a'.repeat(32))
    await asking({ port: gateway.port, method: 'POST', body: 'four' })
    const [figures] = gateway.figures()
    expect(figures).toMatchObject({ routeId: idOf(100), requests: 2, failures: 0, bytesIn: 4, open: 0 })
    expect(figures?.p50Ms).toBeGreaterThan(0)
    expect(gateway.calls()).toMatchObject([{ from: null, to: 'photos', calls: 2, failures: 0 }])
  })
})
