/** Forgotten passwords, with a real mail server: what is sent, to whom, how often, and what it opens. */
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMail, type Mail } from '../core/mail.ts'
import { sql } from '../core/store.ts'
import { codeOf, createDoor, type DoorOfTest, movingClock, type Person, secretOf } from '../testing/door.ts'
import { type TestMail, testMail } from '../testing/mail.ts'
import { type TestServer, testServer } from '../testing/server.ts'

const clock = movingClock()
/** Letters are tried again at once. */
const hurried = { ...clock, sleep: () => Promise.resolve() }
let post: TestMail
let mail: Mail
let server: TestServer
let door: DoorOfTest
beforeAll(async () => {
  post = await testMail()
  const config = { from: 'Kalnet <kalnet@example.org>', smtpUrl: post.smtpUrl }
  mail = createMail({ config, clock: hurried, log: createLog('test', 'silent') })
  server = await testServer({ clock, mail })
  door = createDoor(server, clock)
})
afterAll(async () => {
  await server.end()
  mail.close()
  await post.end()
})

const ask = async (email: string) => {
  const answer = await door.ask('POST', '/api/password-reset', undefined, { email })
  await server.identity.resets.idle()
  return answer
}
const use = (token: string, password = 'a lantern by the river') =>
  door.ask('POST', '/api/password-reset/use', undefined, { token, password })
const lettersTo = (person: Person) => post.letters.filter((it) => it.to.includes(person.email))
const tokenFor = async (person: Person) => {
  await ask(person.email)
  return /\/reset#([\w-]{43})\s/.exec(lettersTo(person).at(-1)?.mail.text ?? '')?.[1] ?? ''
}

describe('[IDN-1.mail-reset] a link by mail', () => {
  it('goes to the person alone, in words that say what it is, and makes a new password once', async () => {
    const person = await door.person()
    const before = await door.in(person)
    const token = await tokenFor(person)
    const [letter] = lettersTo(person)
    expect(letter?.mail).toMatchObject({
      from: { name: 'Kalnet', address: 'kalnet@example.org' },
      subject: 'A new password for Kalnet',
      to: [{ name: 'Ada', address: person.email }],
    })
    expect(letter?.mail.text).toMatch(/30 minutes; it works once/)
    const answer = await use(token)
    expect(answer.body.state).toBe('signed-in')
    // Whoever was in with the old password is out.
    expect((await door.ask('GET', '/api/me', before)).status).toBe(401)
    expect((await door.ask('GET', '/api/me', secretOf(answer))).status).toBe(200)
    expect(codeOf(await use(token))).toBe('reset.unknown')
    expect(codeOf(await door.signIn(person))).toBe('sign-in.wrong')
    expect((await door.signIn({ ...person, password: 'a lantern by the river' })).status).toBe(200)
  })
  it('unknown people, those who are switched off and services are answered alike, and get none', async () => {
    const [known, off] = [await door.person(), await door.person()]
    // Comes by a provider, and has no password to forget.
    const elsewhere = await server.person('member')
    await server.store.system.transaction((tx) =>
      sql`update users set state = 'off' where id = ${off.userId}`.execute(tx),
    )
    const sent = post.letters.length
    const answers = [
      await ask(known.email),
      await ask('nobody@example.org'),
      await ask(off.email),
      await ask(`${elsewhere.userId}@example.org`),
    ]
    expect(answers.map((it) => [it.status, it.text])).toEqual(Array(4).fill([200, '{}']))
    expect(post.letters.length).toBe(sent + 1)
  })
  it('works for 30 minutes; a new one replaces it; a wrong one opens nothing; only hashes are kept', async () => {
    const person = await door.person()
    const first = await tokenFor(person)
    const second = await tokenFor(person)
    const { rows } = await server.store.system.read((tx) =>
      sql`select password_resets::text from password_resets`.execute(tx),
    )
    expect(JSON.stringify(rows)).not.toContain(second)
    expect(codeOf(await use(first))).toBe('reset.unknown')
    expect(codeOf(await use('A'.repeat(43)))).toBe('reset.unknown')
    // Refused for its words: the link is not used up.
    expect(codeOf(await use(second, 'password1234'))).toBe('password.weak')
    clock.move(31 * 60_000)
    expect(codeOf(await use(second))).toBe('reset.unknown')
  })
  it('twenty at once with the same link: one new password', async () => {
    const person = await door.person()
    const token = await tokenFor(person)
    const answers = await Promise.all(Array.from({ length: 20 }, () => use(token)))
    expect(answers.filter((it) => it.status === 200).length).toBe(1)
  })
  it('a second factor is still asked for', async () => {
    const person = await door.person()
    const { codes } = await door.addTotp(await door.in(person))
    const answer = await use(await tokenFor(person))
    expect(answer.body).toMatchObject({ state: 'second-factor', methods: ['totp', 'recovery'] })
    expect(answer.headers['set-cookie']).toBeUndefined()
    const proof = { method: 'recovery', code: codes[0] }
    expect((await door.secondFactor(door.attemptOf(answer), proof)).body.state).toBe('signed-in')
  })
  it('an attempt that began with the old password is dead', async () => {
    const person = await door.person()
    const { codes } = await door.addTotp(await door.in(person))
    const attempt = door.attemptOf(await door.signIn(person))
    await use(await tokenFor(person))
    expect(codeOf(await door.secondFactor(attempt, { method: 'recovery', code: codes[0] }))).toBe(
      'second-factor.over',
    )
  })
  it('asking again and again is slowed down, known or not', async () => {
    const person = await door.person()
    for (const email of [person.email, 'nobody2@example.org']) {
      const seen: string[] = []
      for (let turn = 0; turn < 6; turn += 1) seen.push(codeOf(await ask(email)))
      expect([seen[0], seen.at(-1)]).toEqual(['done', 'sign-in.throttled'])
    }
  })
  it('a busy mail server is asked again; a name cannot smuggle anything into the letter', async () => {
    clock.move(3600_000)
    const person = await door.person()
    await server.store.system.transaction((tx) =>
      sql`update users set name = ${'Ada\r\nBcc: evil@example.org, "x" <evil@example.org>'} where id = ${person.userId}`.execute(
        tx,
      ),
    )
    post.refuse = 2
    expect(await tokenFor(person)).toMatch(/^[\w-]{43}$/)
    expect(lettersTo(person).map((it) => it.to)).toEqual([[person.email]])
    expect(lettersTo(person)[0]?.mail.bcc).toBeUndefined()
  })
  it('without a mail server nothing is sent, and the words are the same', async () => {
    const silent = createMail({ config: {}, clock, log: createLog('test', 'silent') })
    const other = await testServer({ clock, mail: silent })
    const person = await createDoor(other, clock).person()
    const answer = await other.ask('POST', '/api/password-reset', { body: { email: person.email } })
    await other.identity.resets.idle()
    const { rows } = await other.store.system.read((tx) => sql`select * from password_resets`.execute(tx))
    expect([answer.status, answer.text, rows.length]).toEqual([200, '{}', 0])
    await other.end()
  })
})

describe('[IDN-1.reset] links from a hand', () => {
  it('a steward may issue one in his transaction', async () => {
    const person = await door.person()
    const link = await server.store.system.transaction((tx) =>
      server.identity.resets.issue(tx, { id: person.userId, organisation_id: person.organisationId }),
    )
    expect((await use(new URL(link.url).hash.slice(1))).body.state).toBe('signed-in')
  })
  it.each([
    [false, 'second-factor'],
    [true, 'signed-in'],
  ])('the owner of the machine: clearing factors %s ends in %s', async (clearFactors, state) => {
    // The first owner there is.
    await server.store.system.transaction((tx) => sql`delete from organisations`.execute(tx))
    const owner = await door.person('owner')
    await door.addTotp(await door.in(owner))
    const issued = await server.ask('POST', '/api/local/reset-owner', { local: true, body: { clearFactors } })
    const token = new URL((issued.body.link as { url: string }).url).hash.slice(1)
    const answer = await door.ask('POST', '/api/claim', undefined, {
      token,
      name: 'Ada',
      email: owner.email,
      password: 'a lantern by the river',
      organisationName: 'Home',
    })
    expect(answer.body.state).toBe(state)
  })
})
