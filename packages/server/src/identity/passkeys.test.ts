/** Passkeys through the real pipeline: made, used without a name, as second factor and for proving oneself again; forged, copied, misplaced. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { createAuthenticator, type Misbehaviour } from '../testing/authenticator.ts'
import { codeOf, createDoor, type DoorOfTest, movingClock, secretOf } from '../testing/door.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { placeOf } from './passkey-place.ts'

const clock = movingClock()
let server: TestServer
let door: DoorOfTest
beforeAll(async () => {
  server = await testServer({ clock })
  door = createDoor(server, clock)
})
afterAll(() => server.end())

describe('[IDN-1.passkey] a passkey', () => {
  it('is made, listed, renamed, used without a name, and removed', async () => {
    const person = await door.person()
    const { key, as, codes, answer } = await door.addPasskey(await door.in(person), undefined, 'My phone')
    expect(codes?.length).toBe(10)
    const { id } = answer.body.passkey as { id: string }
    const renamed = await door.ask('PATCH', `/api/passkeys/${id}`, as, { name: 'Old phone' })
    expect(renamed.body).toMatchObject({ name: 'Old phone', synced: false, lastUsedAt: null })
    const inside = await door.byPasskey(key)
    expect(inside.body).toMatchObject({ state: 'signed-in', me: { id: person.userId, unproved: false } })
    const listed = (await door.ask('GET', '/api/factors', secretOf(inside))).body
    expect(listed).toMatchObject({
      proved: 2,
      passkeys: [{ id, name: 'Old phone', lastUsedAt: expect.any(String) }],
      passkeysHere: { available: true },
    })
    expect((await door.ask('DELETE', `/api/passkeys/${id}`, secretOf(inside))).status).toBe(200)
    expect(codeOf(await door.byPasskey(key))).toBe('passkey.refused')
  })
  it('asks for user verification and a key that the authenticator can find by itself', async () => {
    const as = await door.in(await door.person())
    const { options } = (await door.ask('POST', '/api/passkeys/options', as)).body as { options: object }
    expect(options).toMatchObject({
      rp: { id: 'localhost' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    })
  })
  it('serves as second factor after the password', async () => {
    const person = await door.person()
    const { key } = await door.addPasskey(await door.in(person))
    const asked = await door.signIn(person)
    expect(asked.body.methods).toEqual(['passkey', 'recovery'])
    const attempt = door.attemptOf(asked)
    const { body } = await door.ask('POST', '/api/sign-in/second-factor/passkey', undefined, { attempt })
    const proof = { method: 'passkey', response: key.get(body.options) }
    expect((await door.secondFactor(attempt, proof)).body.state).toBe('signed-in')
    // Shown once: neither the attempt nor the challenge works again.
    const next = door.attemptOf(await door.signIn(person))
    expect(codeOf(await door.secondFactor(next, proof))).toBe('passkey.refused')
  })
  it('of another person is no second factor', async () => {
    const [ada, bob] = [await door.person(), await door.person()]
    await door.addPasskey(await door.in(ada))
    const { key } = await door.addPasskey(await door.in(bob))
    const attempt = door.attemptOf(await door.signIn(ada))
    const { body } = await door.ask('POST', '/api/sign-in/second-factor/passkey', undefined, { attempt })
    const proof = { method: 'passkey', response: key.get(body.options) }
    expect(codeOf(await door.secondFactor(attempt, proof))).toBe('passkey.refused')
  })
  const forgeries: [string, Misbehaviour][] = [
    ['without user verification', { verified: false }],
    ['from another site', { origin: 'https://evil.example' }],
    ['from another port of this machine', { origin: 'http://localhost:1' }],
    ['with a challenge of its own', { challenge: randomBytes(32).toString('base64url') }],
    ['with another signature', { signature: randomBytes(70) }],
    ['with the handle of another person', { userHandle: Buffer.from('somebody').toString('base64url') }],
    ['without a handle', { userHandle: null }],
    ['whose counter stands still', { counter: 1 }],
  ]
  it.each(forgeries)('%s is refused, and works again as it should', async (_, misbehaviour) => {
    const { key } = await door.addPasskey(await door.in(await door.person()))
    expect((await door.byPasskey(key)).status).toBe(200)
    expect(codeOf(await door.byPasskey(key, misbehaviour))).toBe('passkey.refused')
    expect((await door.byPasskey(key, { counter: 9 })).status).toBe(200)
  })
  it('a challenge works once, also twenty times at the same moment, and for five minutes', async () => {
    const { key } = await door.addPasskey(await door.in(await door.person()))
    const { body } = await door.ask('POST', '/api/sign-in/passkey/options')
    const response = key.get(body.options)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => door.ask('POST', '/api/sign-in/passkey', undefined, { response })),
    )
    expect(answers.filter((it) => it.status === 200).length).toBe(1)
    const late = (await door.ask('POST', '/api/sign-in/passkey/options')).body
    clock.move(6 * 60_000)
    const answer = await door.ask('POST', '/api/sign-in/passkey', undefined, {
      response: key.get(late.options),
    })
    expect(codeOf(answer)).toBe('passkey.refused')
  })
  it('a challenge for one thing opens nothing else', async () => {
    const person = await door.person()
    const { key, as } = await door.addPasskey(await door.in(person))
    const { passkey } = (await door.ask('POST', '/api/sign-in/step-up/options', as)).body as {
      passkey: { options: object }
    }
    const answer = await door.ask('POST', '/api/sign-in/passkey', undefined, {
      response: key.get(passkey.options),
    })
    expect(codeOf(answer)).toBe('passkey.refused')
  })
  it('one made without user verification, or for another site, is not kept; nor one that somebody has', async () => {
    const [ada, bob] = [await door.person(), await door.person()]
    const as = await door.in(ada)
    const make = async (by: string, key = createAuthenticator(door.origin), it: Misbehaviour = {}) => {
      const { body } = await door.ask('POST', '/api/passkeys/options', by)
      return door.ask('POST', '/api/passkeys', by, { name: 'Key', response: key.create(body.options, it) })
    }
    expect(codeOf(await make(as, undefined, { verified: false }))).toBe('passkey.refused')
    expect(codeOf(await make(as, undefined, { origin: 'https://evil.example' }))).toBe('passkey.refused')
    const { key } = await door.addPasskey(as)
    expect(codeOf(await make(await door.in(bob), key))).toBe('passkey.refused')
  })
  it('that of a person who is switched off opens nothing, and that of another is not mine to remove', async () => {
    const [ada, bob] = [await door.person(), await door.person()]
    const { key, answer } = await door.addPasskey(await door.in(ada))
    const { id } = answer.body.passkey as { id: string }
    const as = await door.in(bob)
    expect(codeOf(await door.ask('DELETE', `/api/passkeys/${id}`, as))).toBe('thing.unknown')
    expect(codeOf(await door.ask('PATCH', `/api/passkeys/${id}`, as, { name: 'Mine' }))).toBe('thing.unknown')
    await server.store.system.transaction((tx) =>
      sql`update users set state = 'off' where id = ${ada.userId}`.execute(tx),
    )
    expect(codeOf(await door.byPasskey(key))).toBe('passkey.refused')
  })
  it('at a bare address the answer says why not', async () => {
    const answer = await server.ask('POST', '/api/sign-in/passkey/options', { body: {} })
    expect(answer.body).toEqual({
      available: false,
      reason: expect.stringMatching(/bare address. Open Kalnet at localhost:\d+$/),
    })
    const methods = await server.ask('GET', '/api/sign-in/methods')
    expect(methods.body).toMatchObject({ passkey: { available: false }, resetByMail: false })
    expect((await door.ask('GET', '/api/sign-in/methods')).body.passkey).toEqual({ available: true })
  })
})

describe('[IDN-1.passkey] where a passkey belongs', () => {
  const at = (host: string, publicUrl: string | null, origin?: string) => {
    const socket = {} as Parameters<typeof placeOf>[0]['socket']
    const place = placeOf({ headers: { host, ...(origin ? { origin } : {}) }, socket }, publicUrl)
    return place.available ? `${place.rpId} ${place.origin}` : `no: ${place.reason}`
  }
  it.each<[string, string, string | null, string | undefined, RegExp]>([
    ['this machine by its name', 'localhost:7400', null, undefined, /^localhost http:\/\/localhost:7400$/],
    ['this machine by its number', '127.0.0.1:7400', null, undefined, /^no: .*localhost:7400$/],
    ['a bare address', '192.168.1.5', null, 'https://192.168.1.5', /^no: .*its name$/],
    ['a bare IPv6 address', '[::1]:7400', null, undefined, /^no: .*bare address/],
    [
      'a home name',
      'kalnet.home.arpa:7400',
      null,
      'https://kalnet.home.arpa:7400',
      /^kalnet.home.arpa https/,
    ],
    ['a home name without https', 'kalnet.home.arpa', null, undefined, /^no: .*https/],
    [
      'the public address',
      'kalnet.example',
      'https://kalnet.example',
      'https://kalnet.example',
      /^kalnet.example https:\/\/kalnet.example$/,
    ],
    [
      'another name than the public one',
      'localhost:7400',
      'https://kalnet.example',
      'http://localhost:7400',
      /^no: they belong to https:\/\/kalnet.example/,
    ],
    [
      'read through a proxy that changes the host',
      'inner:7400',
      'https://kalnet.example',
      undefined,
      /^kalnet.example/,
    ],
    ['a public address that is bare', 'x', 'https://192.168.1.5', undefined, /^no: .*bare address/],
    ['nonsense', '', null, undefined, /^no: /],
  ])('%s', (_, host, publicUrl, origin, expected) => {
    expect(at(host, publicUrl, origin)).toMatch(expected)
  })
})
