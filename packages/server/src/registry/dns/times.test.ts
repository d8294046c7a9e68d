/** Times of answers, lowered in place. */
import { decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OPTIONS } from './testing.ts'
import { readTimes, withAge } from './times.ts'

const packet = encode({
  type: 'response',
  questions: [{ type: 'MX', name: 'example.org' }],
  answers: [
    { type: 'MX', name: 'example.org', ttl: 300, data: { exchange: 'mail.example.org' } },
    { type: 'A', name: 'mail.example.org', ttl: 30, data: '1.2.3.4' },
  ],
  ...OPTIONS(),
})
test('[MSH-2.forward] the shortest counts, and what was kept a while says less', () => {
  expect(readTimes(packet)).toEqual({ least: 30 })
  const older = decode(withAge(packet, 40))
  expect(older.answers?.map((one) => 'ttl' in one && one.ttl)).toEqual([260, 0])
  expect(older.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }])
})
test('[MSH-2.hostile] any bytes: nothing is thrown, nothing goes on for ever', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const copy = Buffer.concat([packet.subarray(0, 12), Buffer.from(bytes)])
      return withAge(copy, 5).length === copy.length && (readTimes(copy)?.least ?? 0) >= 0
    }),
  )
})
