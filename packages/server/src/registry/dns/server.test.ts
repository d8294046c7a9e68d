/** The name server on real sockets of loopback: UDP, TCP, and what it asks elsewhere. */
import { createSocket, type Socket as Datagrams } from 'node:dgram'
import { type AddressInfo, connect, createServer } from 'node:net'
import { createLog } from '@kalnet/io/log'
import { type Answer, decode, encode } from 'dns-packet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createForwarder, parseResolver } from './forward.ts'
import { createDnsServer, type DnsServer } from './server.ts'
import { answererOf, endpointOf, question, read, serviceOf, zoneOf } from './testing.ts'

const DOMAIN = 'kalnet.home.arpa'
let late = 0
const clock = { now: () => new Date(Date.now() + late), sleep: async () => undefined }
let server: DnsServer
let at: { host: string; port: number }
/** The resolver of this machine, as far as the test goes. */
let resolver: Datagrams
let heard: string[] = []

const a = (name: string, data: string, ttl = 60): Answer => ({ type: 'A', name, ttl, data })
function resolve(packet: Buffer): Buffer[] {
  const { id, questions } = decode(packet)
  const name = questions?.[0]?.name.toLowerCase() ?? ''
  heard.push(name)
  const reply = (answers: Answer[], flags = 0x180, number = id) =>
    encode({ type: 'response', id: number, flags, questions, answers })
  if (name === 'silent.example') return []
  if (name === 'forged.example')
    return [reply([a(name, '6.6.6.6')], 0x180, ((id ?? 0) + 1) & 0xffff), reply([a(name, '1.1.1.1')])]
  if (name === 'other.example')
    return [
      encode({
        type: 'response',
        id,
        flags: 0x180,
        questions: [{ type: 'A', name: 'evil.example' }],
        answers: [a('evil.example', '6.6.6.6')],
      }),
      reply([a(name, '1.1.1.1')]),
    ]
  if (name === 'none.example') return [reply([], 0x183)]
  return [reply([a(name, '93.184.215.14')])]
}

beforeAll(async () => {
  resolver = createSocket('udp4')
  resolver.on('message', (packet, from) => {
    for (const answer of resolve(packet)) resolver.send(answer, from.port, from.address)
  })
  await new Promise<void>((done) => resolver.bind(0, '127.0.0.1', done))
  const many = serviceOf(
    'many',
    Array.from({ length: 60 }, (_, n) => endpointOf(n + 1)),
  )
  const forwarder = createForwarder({ clock, resolvers: [`127.0.0.1:${resolver.address().port}`] })
  server = createDnsServer({
    host: '127.0.0.1',
    port: 0,
    answerer: answererOf(zoneOf([many]), forwarder),
    log: createLog('test', 'silent'),
  })
  at = await server.listen()
})
afterAll(async () => {
  await server.close()
  await new Promise<void>((done) => resolver.close(done))
})

function byUdp(packet: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4')
  return new Promise((done, failed) => {
    socket.once('error', failed)
    socket.once('message', (answer) => {
      socket.close()
      done(answer)
    })
    socket.send(packet, at.port, at.host)
  })
}
const framed = (packet: Buffer) => {
  const size = Buffer.alloc(2)
  size.writeUInt16BE(packet.length)
  return Buffer.concat([size, packet])
}
/** Everything that comes back until it is closed, or so many answers. */
function byTcp(bytes: Buffer[], answers: number): Promise<Buffer[]> {
  const socket = connect(at)
  const found: Buffer[] = []
  let held = Buffer.alloc(0)
  return new Promise((done, failed) => {
    socket.once('error', failed)
    socket.once('close', () => done(found))
    socket.on('data', (piece: Buffer) => {
      held = Buffer.concat([held, piece])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        found.push(held.subarray(2, 2 + held.readUInt16BE(0)))
        held = held.subarray(2 + held.readUInt16BE(0))
      }
      if (found.length >= answers) socket.destroy()
    })
    for (const piece of bytes) socket.write(piece)
  })
}

test('[MSH-2.dns] by UDP, cut short; by TCP, whole, several on one connection and in pieces', async () => {
  const asked = question(`_http._tcp.many.${DOMAIN}`, 'SRV')
  expect(read(await byUdp(asked)).flags & 0x0200).toBe(0x0200)
  const two = Buffer.concat([framed(asked), framed(question(`many.${DOMAIN}`))])
  const found = await byTcp([two.subarray(0, 1), two.subarray(1, 20), two.subarray(20)], 2)
  expect(found.map((one) => read(one).answers?.length)).toEqual([32, 1])
})

test('[MSH-2.hostile] a frame that is too long, and one that is no question, end the connection; the next one is served', async () => {
  expect(await byTcp([Buffer.from('ffff00', 'hex')], 1)).toEqual([])
  expect(await byTcp([framed(Buffer.alloc(5))], 1)).toEqual([])
  expect(await byTcp([framed(question(`many.${DOMAIN}`))], 1)).toHaveLength(1)
})

test('[MSH-2.forward] other names are asked elsewhere, once, and kept as long as they hold', async () => {
  heard = []
  const first = await Promise.all(Array.from({ length: 5 }, () => byUdp(question('Example.org'))))
  for (const answer of first) {
    expect(read(answer).answers).toMatchObject([{ data: '93.184.215.14' }])
    expect(read(answer).questions?.[0]?.name).toBe('Example.org')
    expect(answer.readUInt16BE(0)).toBe(0x1234)
  }
  expect(heard).toEqual(['example.org'])
  late = 20_000
  expect(read(await byUdp(question('example.org'))).answers).toMatchObject([{ ttl: 40 }])
  expect(heard).toHaveLength(1)
  late = 61_000
  await byUdp(question('example.org'))
  expect(heard).toHaveLength(2)
})

test.each(['forged.example', 'other.example'])(
  '[MSH-2.forward] %s: an answer with another number or to another question counts for nothing',
  async (name) => {
    expect(read(await byUdp(question(name))).answers).toMatchObject([{ data: '1.1.1.1' }])
  },
)

test('[MSH-2.forward] a name that is nowhere, and a resolver that is silent', async () => {
  expect(read(await byUdp(question('none.example'))).rcode).toBe(3)
  expect(read(await byUdp(question('silent.example'))).rcode).toBe(2)
})

test('[MSH-2.forward] names of this house are never asked elsewhere', async () => {
  heard = []
  for (const name of [`none.${DOMAIN}`, 'printer.local', 'x.home.arpa', 'a.localhost'])
    expect(read(await byUdp(question(name))).rcode).toBe(3)
  expect(heard).toEqual([])
})

test('[MSH-2.taken] a port that is held is said in words', async () => {
  const holder = createServer()
  await new Promise<void>((done) => holder.listen(0, '127.0.0.1', done))
  const { port } = holder.address() as AddressInfo
  const second = createDnsServer({
    host: '127.0.0.1',
    port,
    answerer: answererOf(zoneOf([])),
    log: createLog('test', 'silent'),
  })
  await expect(second.listen()).rejects.toThrow(/taken by another name server/)
  await second.close()
  holder.close()
})

test.each([
  ['192.168.1.1', { host: '192.168.1.1', port: 53 }],
  ['192.168.1.1:5353', { host: '192.168.1.1', port: 5353 }],
  ['fd00::1', { host: 'fd00::1', port: 53 }],
  ['[fd00::1]:5353', { host: 'fd00::1', port: 5353 }],
  ['dns.example.org', null],
  ['192.168.1.1:0', null],
])('a resolver is an address: %s', (text, expected) => {
  expect(parseResolver(text)).toEqual(expected)
})
