/** What a password may be: long, of any letters, exactly as typed, good for ever. */
import { newPassword } from '@kalnet/contracts/identity'
import type { Clock } from '@kalnet/io/clock'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestServer, testServer } from '../testing/server.ts'
import { statements } from './store.ts'

let offset = 0
const clock: Clock = { ...systemClock, now: () => new Date(Date.now() + offset) }
let server: TestServer
beforeAll(async () => {
  server = await testServer({ clock })
})
afterAll(() => server.end())

/** A person who takes this password; answers how signing in with another text goes. */
async function taken(password: string) {
  const it = await server.person('member')
  const set = await server.identity.passwords.hashNew(password, [])
  await server.store.system.transaction((tx) =>
    statements.setPassword({ id: it.userId, passwordHash: set }).execute(tx),
  )
  return async (given: string) => {
    const body = { email: `${it.userId}@example.org`, password: given }
    return (await server.ask('POST', '/api/sign-in', { body })).status
  }
}

describe('[IDN-1.password-rules] a password', () => {
  it.each([
    ['nine letters', 'lantern i', false],
    ['ten letters', 'lantern by', true],
    ['200 letters', 'ab cd'.repeat(40), true],
    ['more than 200, which nobody types', 'ab cd'.repeat(40).concat('x'), false],
  ])('of %s', (_name, password, good) => expect(newPassword.safeParse(password).success).toBe(good))

  it.each([
    ['small letters only', 'a lantern by the river'],
    ['figures only', '8305 5519 2746 0931'],
    ['other writings', 'ひかりのかわのほとり'],
    ['marks and pictures', '¿§±✓ 🦊🐢🌲 ‽†‡'],
    ['blanks at both ends', '  lantern by the river  '],
    ['64 letters', 'the quick lantern by the river sings of marmalade and old boats!'],
    ['120 letters', `${'marmalade boats by the river sing '.repeat(3)}of lanterns!`],
  ])('of %s is taken as it is', async (_name, password) => {
    expect(newPassword.safeParse(password).data).toBe(password)
    const signIn = await taken(password)
    expect(await signIn(password)).toBe(200)
    // Nothing is cut off, trimmed, folded or made small.
    expect(await signIn(password.slice(0, -1))).toBe(401)
    if (password.trim() !== password) expect(await signIn(password.trim())).toBe(401)
    if (password.toUpperCase() !== password) expect(await signIn(password.toUpperCase())).toBe(401)
  })
  it('is still good after three years', async () => {
    const signIn = await taken('a lantern by the river')
    offset = 3 * 365 * 24 * 3600_000
    expect(await signIn('a lantern by the river')).toBe(200)
    offset = 0
  })
})
