/** Names as an asker hears them: what is there, what is not, what is never said, and packets that are meant to harm. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answererOf, endpointOf, OPTIONS, question, read, serviceOf, zoneOf } from './testing.ts'

const photos = serviceOf('photos', [
  endpointOf(1),
  endpointOf(2, { weight: 3 }),
  endpointOf(3, { health: 'unhealthy' }),
  endpointOf(4, { port: 'game', kind: 'udp' }),
  endpointOf(5, { direct: { host: '10.215.0.2', port: 80, machine: 'somewhere' } }),
])
const hidden = serviceOf('hidden', [
  endpointOf(6, { direct: { host: '10.215.0.9', port: 80, machine: 'somewhere' } }),
])
const many = serviceOf(
  'many',
  Array.from({ length: 200 }, (_, n) => endpointOf(n + 1)),
)
const it = answererOf(zoneOf([photos, hidden, many]))
const way = { transport: 'udp' as const, from: '127.0.0.1', at: '127.0.0.1' }
const ask = (name: string, type = 'A', more: object = {}, on: Partial<typeof way> = {}) =>
  read(it.now(question(name, type, more), { ...way, ...on }))
const DOMAIN = 'kalnet.home.arpa'

test.each([
  ['the domain', DOMAIN, 'A', ['192.168.1.2']],
  ['a service', `photos.${DOMAIN}`, 'A', ['192.168.1.2']],
  ['by IPv6', `photos.${DOMAIN}`, 'AAAA', ['fd00::2']],
  ['in capitals', `PhoTos.${DOMAIN.toUpperCase()}`, 'A', ['192.168.1.2']],
  ['an address of the gateway', `blog.${DOMAIN}`, 'A', ['192.168.1.2']],
  ['one further below', `a.b.${DOMAIN}`, 'A', ['192.168.1.2']],
  ['the name server', `ns.${DOMAIN}`, 'A', ['192.168.1.2']],
  ['who serves it', DOMAIN, 'NS', [`ns.${DOMAIN}`]],
  ['an instance', `i-000000000002.photos.${DOMAIN}`, 'A', ['192.168.1.2']],
])('[MSH-2.dns] %s', (_, name, type, expected) => {
  const said = ask(name, type)
  expect(said.rcode).toBe(0)
  // Authoritative (AA), for as long as things stay where they are.
  expect(said.flags & 0x0400).toBeTruthy()
  expect(said.answers?.map((one) => 'data' in one && one.data)).toEqual(expected)
  expect(said.questions?.[0]?.name).toBe(name)
})

test('[MSH-2.dns] SRV gives the usable instances with their real ports and weights', () => {
  const said = ask(`_http._tcp.photos.${DOMAIN}`, 'SRV')
  const data = said.answers?.map((one) => (one.type === 'SRV' ? one.data : null))
  expect(data).toEqual([
    { priority: 0, weight: 1, port: 8001, target: `i-000000000001.photos.${DOMAIN}` },
    { priority: 0, weight: 3, port: 8002, target: `i-000000000002.photos.${DOMAIN}` },
  ])
  expect(said.additionals?.map((one) => 'data' in one && one.data)).toEqual(['192.168.1.1', '192.168.1.2'])
  expect(ask(`_web._tcp.photos.${DOMAIN}`, 'SRV').answers).toHaveLength(2)
  expect(ask(`_game._udp.photos.${DOMAIN}`, 'SRV').answers).toHaveLength(1)
})

test('[MSH-2.dns] where the asker cannot go itself, SRV leads to the gateway', () => {
  const said = ask(`_http._tcp.hidden.${DOMAIN}`, 'SRV')
  expect(said.answers).toMatchObject([{ data: { port: 8443, target: `hidden.${DOMAIN}` } }])
})

test('[MSH-2.dns] TXT says version, tags and capabilities; challenges have their own', () => {
  const text = (name: string) =>
    ask(name, 'TXT').answers?.map((one) => (one.type === 'TXT' ? String(one.data) : null))
  expect(text(`photos.${DOMAIN}`)).toEqual(['version=2.1,tags=media,family,capabilities=http'])
  expect(text(`_acme-challenge.photos.${DOMAIN}`)).toEqual(['one', 'two'])
})

test.each([
  ['a name that is not there', `none.${DOMAIN}`, 'A', 3],
  ['below one that is not there', `x.none.${DOMAIN}`, 'A', 3],
  ['a port that is not there', `_smtp._tcp.photos.${DOMAIN}`, 'SRV', 3],
  ['udp by tcp', `_game._tcp.photos.${DOMAIN}`, 'SRV', 3],
  ['an unhealthy instance', `i-000000000003.photos.${DOMAIN}`, 'A', 3],
  ['an instance on another machine’s network', `i-000000000005.photos.${DOMAIN}`, 'A', 3],
  ['another kind', `photos.${DOMAIN}`, 'MX', 0],
  ['HTTPS records', `photos.${DOMAIN}`, 'UNKNOWN_65', 0],
  ['between two names', `_tcp.photos.${DOMAIN}`, 'A', 0],
  ['names that stay at home', 'printer.local', 'A', 3],
  ['other households', 'other.home.arpa', 'A', 3],
])('[MSH-2.dns] %s: nothing, with how long that holds', (_, name, type, rcode) => {
  const said = ask(name, type)
  expect([said.rcode, said.answers]).toEqual([rcode, []])
  expect(said.authorities?.map((one) => one.type)).toEqual(['SOA'])
})

test.each([
  ['whole zones', () => ask(DOMAIN, 'AXFR'), 5],
  [
    'other classes',
    () => ask('version.bind', 'TXT', { questions: [{ name: 'version.bind', type: 'TXT', class: 'CH' }] }),
    5,
  ],
  ['others’ names without asking for it', () => ask('example.org', 'A', { flags: 0 }), 5],
  [
    'two questions',
    () =>
      ask('', 'A', {
        questions: [
          { name: 'a', type: 'A' },
          { name: 'b', type: 'A' },
        ],
      }),
    1,
  ],
  ['an update', () => ask(DOMAIN, 'A', { flags: 5 << 11 }), 4],
])('[MSH-2.refused] %s', (_, asked, rcode) => {
  expect(asked().rcode).toBe(rcode)
})

test('[MSH-2.refused] everything about a name is one short word', () => {
  const said = ask(`photos.${DOMAIN}`, 'ANY')
  expect(said.answers).toMatchObject([{ type: 'HINFO', data: { cpu: 'RFC8482' } }])
  expect(said.length).toBeLessThan(100)
})

test('[MSH-2.room] what does not fit says so, and is whole by TCP', () => {
  const name = `_http._tcp.many.${DOMAIN}`
  const cut = ask(name, 'SRV')
  expect([cut.flags & 0x0200, cut.answers]).toEqual([0x0200, []])
  expect(cut.length).toBeLessThanOrEqual(512)
  const wide = ask(name, 'SRV', OPTIONS(65_000))
  expect(wide.length).toBeLessThanOrEqual(1232)
  expect(ask(name, 'SRV', {}, { transport: 'tcp' as 'udp' }).answers).toHaveLength(32)
})

test('[MSH-2.room] options of the way are answered, and a version that is none refused', () => {
  const said = ask(`photos.${DOMAIN}`, 'A', OPTIONS())
  expect(said.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }])
  expect(ask(`photos.${DOMAIN}`, 'A', OPTIONS(1232, 1)).additionals).toMatchObject([{ extendedRcode: 1 }])
  expect(ask(`photos.${DOMAIN}`).additionals).toEqual([])
})

test.each(['8.8.8.8', '2606:4700::1111', '203.0.113.9', '', 'x'])(
  '[MSH-2.closed] %s, who is not of this network, hears nothing',
  (from) => {
    expect(it.now(question(DOMAIN), { ...way, from })).toBeNull()
  },
)

test('[MSH-2.near] a device of this network is answered, also when its address is one of the internet', () => {
  expect(it.now(question(DOMAIN), { ...way, from: '2001:db8:77::5' })).toBeInstanceOf(Buffer)
})

test('[MSH-2.closed] a certificate authority, which looks from outside, finds its own question alone', () => {
  const from = '203.0.113.9'
  const asked = question(`_acme-challenge.photos.${DOMAIN}`, 'TXT')
  expect(read(it.now(asked, { ...way, from })).answers).toHaveLength(2)
  expect(it.now(question(`photos.${DOMAIN}`, 'TXT'), { ...way, from })).toBeNull()
})

test('[MSH-2.closed] who asks too often is sent to TCP, then hears nothing; others are not touched', () => {
  const here = answererOf(zoneOf([many]))
  const said = Array.from({ length: 2_000 }, () =>
    here.now(question(`_http._tcp.many.${DOMAIN}`, 'SRV', OPTIONS()), { ...way, from: '192.168.1.66' }),
  )
  expect(said.filter((one) => one !== null && read(one).answers?.length).length).toBeLessThan(800)
  const heard = said.reduce((sum, one) => sum + (one instanceof Buffer ? one.length : 0), 0)
  const asked = said.length * question(`_http._tcp.many.${DOMAIN}`, 'SRV', OPTIONS()).length
  expect(heard / asked).toBeLessThan(10)
  expect(here.now(question(DOMAIN), { ...way, from: '192.168.1.67' })).not.toBeNull()
})

const CORPUS: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['half a header', question(DOMAIN).subarray(0, 7)],
  ['a header alone that promises', Buffer.from('123401000001000000000000', 'hex')],
  ['a name that points to itself', Buffer.from('123401000001000000000000c00c00010001', 'hex')],
  ['a name that points ahead', Buffer.from('123401000001000000000000c01400010001c00c', 'hex')],
  [
    'a label of 64',
    Buffer.concat([
      Buffer.from('12340100000100000000000040', 'hex'),
      Buffer.alloc(64, 97),
      Buffer.from('0000010001', 'hex'),
    ]),
  ],
  ['a dot inside a label', Buffer.from('12340100000100000000000003612e620000010001', 'hex')],
  ['not UTF-8', Buffer.from('12340100000100000000000003ff00fe0000010001', 'hex')],
  ['promises 65535 records', Buffer.from('1234010000010000ffffffff01610000010001', 'hex')],
  ['an answer', Buffer.from('12348180000100000000000001610000010001', 'hex')],
  [
    'a long name',
    Buffer.concat([
      Buffer.from('123401000001000000000000', 'hex'),
      Buffer.alloc(300, 1),
      Buffer.from('0000010001', 'hex'),
    ]),
  ],
  [
    'an option that is too long',
    Buffer.from('1234010000010000000000010161000001000100002904d000000000ffff', 'hex'),
  ],
]
test.each(CORPUS)('[MSH-2.hostile] %s', (_, packet) => {
  const said = it.now(packet, way)
  // An answer to an answer would go round for ever.
  if (packet.length >= 12 && (packet[2] ?? 0) & 0x80) expect(said).toBeNull()
  if (said instanceof Buffer) expect(said.readUInt16BE(2) & 0x8000).toBeTruthy()
})

test('[MSH-2.hostile] whatever comes: nothing is thrown, the number is given back, and the answer is short', () => {
  const good = [question(DOMAIN), question(`_http._tcp.many.${DOMAIN}`, 'SRV', OPTIONS(4096))]
  const bent = fc
    .tuple(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 8 }),
      fc.nat(120),
    )
    .map(([packet, changes, cut]) => {
      const copy = Buffer.from(packet)
      for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte
      return cut < 60 ? copy.subarray(0, cut) : copy
    })
  const wild = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(bent, wild), (packet) => {
      const said = it.now(packet, way)
      if (!(said instanceof Buffer)) return true
      return said.readUInt16BE(0) === packet.readUInt16BE(0) && said.length <= 1232
    }),
    { numRuns: 3_000 },
  )
})
