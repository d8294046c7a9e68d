/** Second factors through the real pipeline: asked for, shown once, counted, lost, renewed, demanded. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { codeOf, createDoor, type DoorOfTest, movingClock, secretOf } from '../testing/door.ts'
import { type TestServer, testServer } from '../testing/server.ts'

const clock = movingClock()
let server: TestServer
let door: DoorOfTest
beforeAll(async () => {
  server = await testServer({ clock })
  door = createDoor(server, clock)
})
afterAll(() => server.end())
// All of them come from one address: what one table got wrong is forgotten before the next.
beforeEach(() => clock.move(20 * 60_000))

describe('[IDN-1.totp] an authenticator app', () => {
  it('counts only once a code confirmed it, and is then asked for', async () => {
    const person = await door.person()
    const as = await door.in(person)
    const { body } = await door.ask('POST', '/api/factors/totp', as)
    expect(body.uri).toMatch(/^otpauth:\/\/totp\/Kalnet:.*secret=[A-Z2-7]{32}/)
    const { size, rows } = body.qr as { size: number; rows: string[] }
    expect(rows.length === size && rows.every((row) => /^[01]+$/.test(row) && row.length === size)).toBe(true)
    expect((await door.signIn(person)).body.state).toBe('signed-in')
    const wrong = await door.ask('POST', '/api/factors/totp/confirm', as, { code: '000000' })
    expect(codeOf(wrong)).toBe('second-factor.wrong')
    const secret = String(body.secret)
    const confirmed = await door.ask('POST', '/api/factors/totp/confirm', as, { code: door.code(secret) })
    expect((confirmed.body.recoveryCodes as string[]).length).toBe(10)
    // The secret of the sign-in is renewed: it has shown two now.
    const fresh = secretOf(confirmed)
    expect((await door.ask('GET', '/api/me', as)).status).toBe(401)
    const mine = await door.ask('GET', '/api/factors', fresh)
    expect(mine.body).toMatchObject({
      password: true,
      totp: { confirmedAt: expect.any(String) },
      recovery: { left: 10, of: 10 },
      demanded: 1,
      proved: 2,
    })
    const asked = await door.signIn(person)
    expect(asked.body).toMatchObject({ state: 'second-factor', methods: ['totp', 'recovery'] })
    expect(asked.headers['set-cookie']).toBeUndefined()
  })
  it('the seed is nowhere in plain', async () => {
    const person = await door.person()
    const { secret } = await door.addTotp(await door.in(person))
    for (const table of ['secrets', 'totp_factors', 'audit', 'events', 'idempotency_keys']) {
      const { rows } = await server.store.system.read((tx) =>
        sql`select x::text from ${sql.table(table)} x`.execute(tx),
      )
      expect(JSON.stringify(rows)).not.toContain(secret)
    }
  })
  it('a code works once: again, and in the step before, it is refused', async () => {
    const person = await door.person()
    const { secret } = await door.addTotp(await door.in(person))
    const code = door.code(secret)
    const one = door.attemptOf(await door.signIn(person))
    const two = door.attemptOf(await door.signIn(person))
    expect(
      (await door.secondFactor(one, { method: 'totp', code: ` ${code.slice(0, 3)} ${code.slice(3)}` }))
        .status,
    ).toBe(200)
    expect(codeOf(await door.secondFactor(two, { method: 'totp', code }))).toBe('second-factor.wrong')
    expect(codeOf(await door.secondFactor(two, { method: 'totp', code: door.code(secret, -1) }))).toBe(
      'second-factor.wrong',
    )
    expect((await door.secondFactor(two, { method: 'totp', code: door.code(secret, 1) })).status).toBe(200)
    expect(codeOf(await door.secondFactor(two, { method: 'totp', code: door.code(secret, 1) }))).toBe(
      'second-factor.over',
    )
  })
  it.each([
    ['two steps late', -2],
    ['two steps early', 2],
  ])('a code %s is refused', async (_, steps) => {
    const person = await door.person()
    const { secret } = await door.addTotp(await door.in(person))
    const attempt = door.attemptOf(await door.signIn(person))
    expect(codeOf(await door.secondFactor(attempt, { method: 'totp', code: door.code(secret, steps) }))).toBe(
      'second-factor.wrong',
    )
  })
  it('[IDN-1.totp-once] twenty at once with the same code: exactly one is right', async () => {
    const person = await door.person()
    const { secret } = await door.addTotp(await door.in(person))
    const code = door.code(secret)
    const user = { id: person.userId, organisation_id: person.organisationId }
    const used = await Promise.all(
      Array.from({ length: 20 }, () =>
        server.store.system.transaction((tx) => server.identity.factors.totp.use(tx, user, code)),
      ),
    )
    expect(used.filter(Boolean).length).toBe(1)
  })
  it('[IDN-1.totp-once] twenty sign-ins at once with the same code: one gets in', async () => {
    const person = await door.person()
    const { secret } = await door.addTotp(await door.in(person))
    const attempts: string[] = []
    for (let turn = 0; turn < 20; turn += 1) attempts.push(door.attemptOf(await door.signIn(person)))
    const code = door.code(secret)
    const answers = await Promise.all(attempts.map((it) => door.secondFactor(it, { method: 'totp', code })))
    expect(answers.filter((it) => it.status === 200).length).toBe(1)
  })
  it('a new app replaces the old one only when it is confirmed', async () => {
    const person = await door.person()
    const first = await door.addTotp(await door.in(person))
    const { body } = await door.ask('POST', '/api/factors/totp', first.as)
    const attempt = door.attemptOf(await door.signIn(person))
    expect((await door.secondFactor(attempt, { method: 'totp', code: door.code(first.secret) })).status).toBe(
      200,
    )
    const code = door.code(String(body.secret))
    const confirmed = await door.ask('POST', '/api/factors/totp/confirm', first.as, { code })
    // The codes of the first day stay.
    expect([confirmed.status, confirmed.body.recoveryCodes]).toEqual([200, null])
    const next = door.attemptOf(await door.signIn(person))
    expect(codeOf(await door.secondFactor(next, { method: 'totp', code: door.code(first.secret, 1) }))).toBe(
      'second-factor.wrong',
    )
  })
  it('setting it up takes 15 minutes at most', async () => {
    const person = await door.person()
    const as = await door.in(person)
    const secret = String((await door.ask('POST', '/api/factors/totp', as)).body.secret)
    clock.move(16 * 60_000)
    const stepped = await door.ask('POST', '/api/sign-in/step-up', as, {
      proof: { method: 'password', password: person.password },
    })
    const late = await door.ask('POST', '/api/factors/totp/confirm', secretOf(stepped), {
      code: door.code(secret),
    })
    expect(codeOf(late)).toBe('factor.not-begun')
  })
})

describe('[IDN-1.recovery] recovery codes', () => {
  it('each lets in once, however it is typed, also at once; what is left is shown; only hashes are kept', async () => {
    const person = await door.person()
    const { codes, as } = await door.addTotp(await door.in(person))
    const [first = '', second = ''] = codes
    expect(first).toMatch(/^([0-9a-hj-km-np-tv-z]{4}-){6}[0-9a-hj-km-np-tv-z]{4}$/)
    // 28 letters of 32: 140 bits, more than a plain hash needs (112) and than can be guessed (128).
    expect(new Set(codes).size).toBe(10)
    const attempt = door.attemptOf(await door.signIn(person))
    expect(
      (
        await door.secondFactor(attempt, {
          method: 'recovery',
          code: first.toUpperCase().replaceAll('-', ' '),
        })
      ).status,
    ).toBe(200)
    const again = door.attemptOf(await door.signIn(person))
    expect(codeOf(await door.secondFactor(again, { method: 'recovery', code: first }))).toBe(
      'second-factor.wrong',
    )
    const user = { id: person.userId, organisation_id: person.organisationId }
    const rightly = await server.identity.factors.prepare('second-factor', user, {
      method: 'recovery',
      code: second,
    })
    const used = await Promise.all(Array.from({ length: 20 }, () => server.store.system.transaction(rightly)))
    expect(used.filter(Boolean).length).toBe(1)
    expect((await door.ask('GET', '/api/factors', as)).body.recovery).toEqual({ left: 8, of: 10 })
    const { rows } = await server.store.system.read((tx) =>
      sql`select recovery_codes::text from recovery_codes`.execute(tx),
    )
    for (const code of codes) expect(JSON.stringify(rows)).not.toContain(code)
    const renewed = (await door.ask('POST', '/api/factors/recovery-codes', as)).body.recoveryCodes as string[]
    expect([renewed.length, renewed.includes(codes[5] ?? '')]).toEqual([10, false])
    const old = door.attemptOf(await door.signIn(person))
    expect(codeOf(await door.secondFactor(old, { method: 'recovery', code: codes[5] }))).toBe(
      'second-factor.wrong',
    )
  })
  it('without a second factor there are none', async () => {
    const as = await door.in(await door.person())
    expect((await door.ask('GET', '/api/factors', as)).body.recovery).toBeNull()
    expect(codeOf(await door.ask('POST', '/api/factors/recovery-codes', as))).toBe('thing.unknown')
  })
})

describe('[IDN-1.attempt] what the first factor leaves', () => {
  it('is dead after five wrong codes, at once too, and after ten minutes', async () => {
    const person = await door.person()
    const { secret, codes } = await door.addTotp(await door.in(person))
    const attempt = door.attemptOf(await door.signIn(person))
    const tries = await Promise.all(
      Array.from({ length: 12 }, () => door.secondFactor(attempt, { method: 'totp', code: '000000' })),
    )
    expect(tries.filter((it) => codeOf(it) === 'second-factor.wrong').length).toBeLessThanOrEqual(5)
    const refused = ['second-factor.wrong', 'second-factor.over', 'sign-in.throttled']
    expect(tries.every((it) => refused.includes(codeOf(it)))).toBe(true)
    expect(codeOf(await door.secondFactor(attempt, { method: 'totp', code: door.code(secret) }))).toBe(
      'second-factor.over',
    )
    const late = door.attemptOf(await door.signIn(person))
    clock.move(11 * 60_000)
    expect(codeOf(await door.secondFactor(late, { method: 'recovery', code: codes[0] }))).toBe(
      'second-factor.over',
    )
  })
  it('is bound to its person: the code of another opens nothing', async () => {
    const [ada, bob] = [await door.person(), await door.person()]
    const ofBob = await door.addTotp(await door.in(bob))
    await door.addTotp(await door.in(ada))
    const attempt = door.attemptOf(await door.signIn(ada))
    for (const proof of [
      { method: 'totp', code: door.code(ofBob.secret) },
      { method: 'recovery', code: ofBob.codes[0] },
    ])
      expect(codeOf(await door.secondFactor(attempt, proof))).toBe('second-factor.wrong')
  })
  it('is no sign-in, and only its hash is kept', async () => {
    const person = await door.person()
    await door.addTotp(await door.in(person))
    const attempt = door.attemptOf(await door.signIn(person))
    expect((await door.ask('GET', '/api/me', attempt)).status).toBe(401)
    const { rows } = await server.store.system.read((tx) =>
      sql`select sign_in_attempts::text from sign_in_attempts`.execute(tx),
    )
    expect(JSON.stringify(rows)).not.toContain(attempt)
  })
  it('who knows the password may not try code after code with new attempts', async () => {
    const person = await door.person()
    await door.addTotp(await door.in(person))
    const seen: string[] = []
    for (let turn = 0; turn < 14; turn += 1) {
      const attempt = door.attemptOf(await door.signIn(person))
      seen.push(codeOf(await door.secondFactor(attempt, { method: 'totp', code: '000000' })))
    }
    expect(seen.slice(0, 6)).toEqual(Array(6).fill('second-factor.wrong'))
    expect(seen).toContain('sign-in.throttled')
  })
  it('one who was switched off meanwhile does not get in', async () => {
    const person = await door.person()
    const { codes } = await door.addTotp(await door.in(person))
    const attempt = door.attemptOf(await door.signIn(person))
    await server.store.system.transaction((tx) =>
      sql`update users set state = 'off' where id = ${person.userId}`.execute(tx),
    )
    expect(codeOf(await door.secondFactor(attempt, { method: 'recovery', code: codes[0] }))).toBe(
      'second-factor.over',
    )
  })
})

describe('[IDN-1.factor-changes] changing what one proves oneself with', () => {
  it('needs a fresh proof', async () => {
    const as = await door.in(await door.person())
    clock.move(11 * 60_000)
    for (const [method, path] of [
      ['POST', '/api/factors/totp'],
      ['POST', '/api/factors/recovery-codes'],
      ['DELETE', '/api/factors/totp'],
      ['POST', '/api/passkeys/options'],
      ['DELETE', '/api/passkeys/01920000-0000-7000-8000-000000000001'],
      ['PUT', '/api/me/password'],
    ] as const)
      expect(codeOf(await door.ask(method, path, as))).toBe('step-up.required')
  })
  it('an older sign-in that never showed the second factor must show it; the password is not enough', async () => {
    const person = await door.person()
    const [old, other] = [await door.in(person), await door.in(person)]
    const { secret } = await door.addTotp(other)
    expect(codeOf(await door.ask('POST', '/api/factors/totp', old))).toBe('step-up.required')
    expect(codeOf(await door.ask('PUT', '/api/me/password', old, { password: 'quiet river lantern' }))).toBe(
      'step-up.required',
    )
    expect((await door.ask('POST', '/api/sign-in/step-up/options', old)).body.methods).toEqual(['totp'])
    const byPassword = { proof: { method: 'password', password: person.password } }
    expect(codeOf(await door.ask('POST', '/api/sign-in/step-up', old, byPassword))).toBe('step-up.wrong')
    const byCode = { proof: { method: 'totp', code: door.code(secret) } }
    const raised = secretOf(await door.ask('POST', '/api/sign-in/step-up', old, byCode))
    expect((await door.ask('POST', '/api/factors/totp', raised)).status).toBe(200)
  })
  it('the last factor takes the recovery codes along; what the policy demands stays', async () => {
    const person = await door.person()
    const { as } = await door.addTotp(await door.in(person))
    expect((await door.ask('DELETE', '/api/factors/totp', as)).status).toBe(200)
    expect((await door.ask('GET', '/api/factors', as)).body).toMatchObject({ totp: null, recovery: null })
    expect((await door.signIn(person)).body.state).toBe('signed-in')

    await door.demand(person.organisationId, 'member', 2)
    const again = await door.addTotp(await door.in(person))
    expect(codeOf(await door.ask('DELETE', '/api/factors/totp', again.as))).toBe('factor.demanded')
    expect((await door.ask('GET', '/api/factors', again.as)).body.totp).not.toBeNull()
    const both = await door.addPasskey(again.as)
    expect((await door.ask('DELETE', '/api/factors/totp', both.as)).status).toBe(200)
    const { id } = both.answer.body.passkey as { id: string }
    expect(codeOf(await door.ask('DELETE', `/api/passkeys/${id}`, both.as))).toBe('factor.demanded')
  })
})
