/** What a provider's way back may leave in the address, and what it may not. */
import { expect, test } from 'vitest'
import { readArrived } from './arrived.ts'

const hash = (it: unknown) => `#second-factor=${Buffer.from(JSON.stringify(it)).toString('base64url')}`
const WHOLE = { attempt: 'a', methods: ['totp'], expiresAt: '2026-11-21T12:00:00.000Z', back: '/launch' }

test('a second factor to show, and where the person was going', () => {
  const { waiting, back } = readArrived(hash(WHOLE))
  expect(waiting).toMatchObject({ state: 'second-factor', attempt: 'a', methods: ['totp'] })
  expect(back).toBe('/launch')
})

test.each([
  'https://elsewhere.example/',
  '//elsewhere.example/',
  '/\\elsewhere.example',
  'javascript:alert(1)',
  7,
])('nobody is sent to %s', (back) => expect(readArrived(hash({ ...WHOLE, back })).back).toBeNull())

test.each(['', '#token', '#second-factor=', '#second-factor=%%%', hash({}), hash(null), hash('text')])(
  'nothing of ours in %j',
  (it) => expect(readArrived(it)).toEqual({ waiting: null, back: null }),
)
