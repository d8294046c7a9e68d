/** What is said on the local network, to whom, and when somebody else has the name. */
import { type DecodedPacket, decode, encode } from 'dns-packet'
import { expect, test } from 'vitest'
import { answerTo, isTaken, nameOf, recordsOf } from './records.ts'

const said = { name: 'kalnet.local', port: 7400, secure: true, title: 'Kalnet' }
const records = recordsOf(said, ['192.168.1.2', 'fd00::2'])
const query = (questions: [string, string][], answers: object[] = []): DecodedPacket =>
  decode(
    encode({
      type: 'query',
      questions: questions.map(([name, type]) => ({ name, type: type as 'A' })),
      answers: answers as [],
    }),
  )
const types = (found: ReturnType<typeof answerTo>) => [
  found?.answers.map((one) => one.type),
  found?.additionals.map((one) => one.type),
]

test.each([
  ['its address', [['kalnet.local', 'A']], [['A'], []]],
  ['in capitals', [['Kalnet.Local', 'AAAA']], [['AAAA'], []]],
  ['everything', [['kalnet.local', 'ANY']], [['A', 'AAAA'], []]],
  ['who serves pages', [['_https._tcp.local', 'PTR']], [['PTR'], ['A', 'AAAA', 'SRV', 'TXT']]],
  ['what there is', [['_services._dns-sd._udp.local', 'PTR']], [['PTR'], ['A', 'AAAA', 'SRV', 'TXT']]],
  ['where', [['Kalnet._https._tcp.local', 'SRV']], [['SRV'], ['A', 'AAAA', 'TXT']]],
  ['somebody else', [['printer.local', 'A']], [undefined, undefined]],
] as [string, [string, string][], unknown][])('[NET-9.mdns] asked for %s', (_, questions, expected) => {
  expect(types(answerTo(query(questions), records, false))).toEqual(expected)
})

test('[NET-9.mdns] what the asker knows is not said again; a plain client gets a plain answer', () => {
  const known = [{ type: 'A', name: 'kalnet.local', ttl: 100, data: '192.168.1.2' }]
  expect(answerTo(query([['kalnet.local', 'A']], known), records, false)).toBeNull()
  expect(answerTo(query([['kalnet.local', 'A']]), records, true)?.answers).toMatchObject([
    { ttl: 10, flush: false },
  ])
})

test.each([
  ['another address', [{ type: 'A', name: 'KALNET.local', ttl: 120, data: '192.168.1.9' }], true],
  ['our own', [{ type: 'A', name: 'kalnet.local', ttl: 120, data: '192.168.1.2' }], false],
  ['a goodbye', [{ type: 'A', name: 'kalnet.local', ttl: 0, data: '192.168.1.9' }], false],
  ['another name', [{ type: 'A', name: 'other.local', ttl: 120, data: '192.168.1.9' }], false],
])('[NET-9.conflict] %s under our name', (_, answers, expected) => {
  const response = decode(encode({ type: 'response', answers: answers as [] }))
  expect(isTaken(response, 'kalnet.local', ['192.168.1.2'])).toBe(expected)
})

test('[NET-9.conflict] the next name', () => {
  expect([nameOf(1), nameOf(2)]).toEqual(['kalnet.local', 'kalnet-2.local'])
})
