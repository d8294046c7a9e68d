/** Invitations and a second organisation, through the real pipeline: one address, one role, one use. */
import type { Role } from '@kalnet/contracts/permission'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Letter } from '../core/mail.ts'
import { sql } from '../core/store.ts'
import { type Answer, type TestServer, testServer } from '../testing/server.ts'

let offset = 0
const clock = {
  now: () => new Date(Date.now() + offset),
  sleep: (_ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
}
const letters: Letter[] = []
let mailFails = false
const mail = {
  configured: true,
  send: async (letter: Letter) => {
    if (mailFails) throw new Error('the mail server is away')
    letters.push(letter)
  },
  failed: () => undefined,
  close: () => undefined,
}
let server: TestServer
beforeAll(async () => {
  server = await testServer({ doors: true, clock, mail })
})
afterAll(() => server.end())

const PASSWORD = 'seven purple teapots'
const codeOf = (answer: Answer) => answer.body.error?.code ?? 'done'
let made = 0
const address = () => `guest${++made}@example.org`
const tokenIn = (answer: Answer) => new URL((answer.body.link as { url: string }).url).hash.slice(1)
const idOf = (answer: Answer) => (answer.body.invitation as { id: string }).id
const invite = (as: string, email: string, role: Role = 'member', more: object = {}) =>
  server.ask('POST', '/api/invitations', { as, body: { email, role, ...more } })
const look = (token: string) => server.ask('POST', '/api/invitations/look', { body: { token } })
const accept = (token: string, more: object = {}, as?: string) =>
  server.ask('POST', '/api/invitations/accept', {
    body: { token, name: 'Grace', password: PASSWORD, ...more },
    as,
  })
const secretOf = (answer: Answer) =>
  /kalnet=([\w-]{43})/.exec(answer.headers['set-cookie']?.[0] ?? '')?.[1] ?? ''

describe('[IDN-3.invitations] an invitation', () => {
  it('says who invites to what, makes the account in its groups, and signs in', async () => {
    const owner = await server.person('owner')
    const group = await server.ask('POST', '/api/groups', { as: owner.secret, body: { name: 'Kids' } })
    const email = address()
    const invited = await invite(owner.secret, email.toUpperCase(), 'child', { groups: [group.body.id] })
    expect(invited.body.invitation).toMatchObject({ email, role: 'child', state: 'open', invitedBy: 'Ada' })
    const token = tokenIn(invited)
    expect((await look(token)).body).toMatchObject({
      organisation: { name: 'Home', kind: 'household' },
      invitedBy: 'Ada',
      role: 'child',
      email,
    })
    const entered = await accept(token)
    expect(entered.body).toMatchObject({ state: 'signed-in', me: { name: 'Grace', email, role: 'child' } })
    const me = await server.ask('GET', '/api/me', { as: secretOf(entered) })
    expect(me.body).toMatchObject({ organisationId: owner.organisationId, role: 'child' })
    const { body } = await server.ask('GET', `/api/people?group=${group.body.id}`, { as: owner.secret })
    expect(body.items).toMatchObject([{ name: 'Grace', groups: [{ name: 'Kids' }] }])
    const list = await server.ask('GET', '/api/invitations', { as: owner.secret })
    expect(list.body.items).toMatchObject([{ state: 'accepted' }])
    expect([codeOf(await look(token)), codeOf(await accept(token))]).toEqual([
      'invitation.unknown',
      'invitation.unknown',
    ])
  })
  it('is stored as a hash, written nowhere, and sent to its address', async () => {
    const owner = await server.person('owner')
    const email = address()
    const invited = await invite(owner.secret, email)
    expect(invited.body.mailed).toBe(true)
    expect(letters.at(-1)).toMatchObject({ to: { address: email }, subject: 'Ada invites you to Home' })
    expect(letters.at(-1)?.text).toContain((invited.body.link as { url: string }).url)
    for (const table of ['invitations', 'audit', 'events'])
      expect(
        JSON.stringify(
          (await server.store.system.read((tx) => sql`select t::text from ${sql.table(table)} t`.execute(tx)))
            .rows,
        ),
      ).not.toContain(tokenIn(invited))
    mailFails = true
    const unsent = await invite(owner.secret, address())
    mailFails = false
    expect([unsent.status, unsent.body.mailed]).toEqual([200, false])
  })
  it('accepted twenty times at once makes one account', async () => {
    const owner = await server.person('owner')
    const token = tokenIn(await invite(owner.secret, address()))
    const codes = (await Promise.all(Array.from({ length: 20 }, () => accept(token)))).map(codeOf)
    expect(codes.filter((code) => code === 'done').length).toBe(1)
    const { body } = await server.ask('GET', '/api/people', { as: owner.secret })
    expect((body.items as unknown[]).length).toBe(2)
  })
  it('runs out after a week, or the days it was given', async () => {
    const owner = await server.person('owner')
    const usual = tokenIn(await invite(owner.secret, address()))
    const short = tokenIn(await invite(owner.secret, address(), 'guest', { days: 1 }))
    offset = 25 * 3600_000
    expect([codeOf(await look(usual)), codeOf(await look(short))]).toEqual(['done', 'invitation.unknown'])
    offset = 8 * 24 * 3600_000
    expect(codeOf(await accept(usual))).toBe('invitation.unknown')
    offset = 0
    expect(codeOf(await invite(owner.secret, address(), 'guest', { days: 31 }))).toBe('request.invalid')
  })
  it('sent again has a new link; the old one is dead. Taken back: both', async () => {
    const owner = await server.person('owner')
    const email = address()
    const invited = await invite(owner.secret, email)
    expect(codeOf(await invite(owner.secret, email))).toBe('invitation.open')
    const again = await server.ask('POST', `/api/invitations/${idOf(invited)}/resend`, {
      as: owner.secret,
      body: {},
    })
    expect([codeOf(await look(tokenIn(invited))), codeOf(await look(tokenIn(again)))]).toEqual([
      'invitation.unknown',
      'done',
    ])
    for (let round = 0; round < 2; round++) {
      const back = await server.ask('DELETE', `/api/invitations/${idOf(invited)}`, { as: owner.secret })
      expect(codeOf(back)).toBe('done')
    }
    expect(codeOf(await accept(tokenIn(again)))).toBe('invitation.unknown')
    const late = await server.ask('POST', `/api/invitations/${idOf(invited)}/resend`, {
      as: owner.secret,
      body: {},
    })
    expect(codeOf(late)).toBe('thing.unknown')
    expect(codeOf(await invite(owner.secret, email))).toBe('done')
  })
  it('an expired one makes room for another to the same address', async () => {
    const owner = await server.person('owner')
    const email = address()
    await invite(owner.secret, email, 'guest', { days: 1 })
    await server.store.system.transaction((tx) =>
      sql`update invitations set expires_at = now() - interval '1 minute' where email = ${email}`.execute(tx),
    )
    expect(codeOf(await invite(owner.secret, email))).toBe('done')
  })
  it('what was over three months ago is forgotten', async () => {
    const owner = await server.person('owner')
    const old = address()
    await invite(owner.secret, old)
    const open = address()
    await invite(owner.secret, open)
    await server.store.system.transaction((tx) =>
      sql`update invitations set expires_at = now() - interval '91 days' where email = ${old}`.execute(tx),
    )
    await server.doors.tidy()
    const { body } = await server.ask('GET', '/api/invitations', { as: owner.secret })
    expect((body.items as { email: string }[]).map((it) => it.email)).toEqual([open])
  })
  it('an admin invites up to his own role, and touches no invitation of an owner', async () => {
    const owner = await server.person('owner')
    const admin = await server.person('admin', owner.organisationId)
    expect(codeOf(await invite(admin.secret, address(), 'owner'))).toBe('person.above')
    expect(codeOf(await invite(admin.secret, address(), 'admin'))).toBe('done')
    const high = await invite(owner.secret, address(), 'owner')
    const path = `/api/invitations/${idOf(high)}`
    expect(codeOf(await server.ask('POST', `${path}/resend`, { as: admin.secret, body: {} }))).toBe(
      'person.above',
    )
    expect(codeOf(await server.ask('DELETE', path, { as: admin.secret }))).toBe('person.above')
  })
  it('an address that is here already, or in another organisation, is told; the invitation stays good', async () => {
    const [owner, other] = [await server.person('owner'), await server.person('owner')]
    const email = `${owner.userId}@example.org`
    expect(codeOf(await invite(owner.secret, email))).toBe('person.email-taken')
    const token = tokenIn(await invite(other.secret, email))
    expect(codeOf(await accept(token))).toBe('person.email-taken')
    expect(codeOf(await look(token))).toBe('done')
  })
  it('is for one address only', async () => {
    const owner = await server.person('owner')
    const token = tokenIn(await invite(owner.secret, address()))
    expect(codeOf(await accept(token, { email: 'other@example.org' }))).toBe('request.invalid')
  })
  it('a weak password is refused with the reason, and uses nothing up', async () => {
    const owner = await server.person('owner')
    const token = tokenIn(await invite(owner.secret, address()))
    expect(codeOf(await accept(token, { password: 'password123' }))).toBe('password.weak')
    expect(codeOf(await accept(token, { password: 'short' }))).toBe('request.invalid')
    expect(codeOf(await accept(token))).toBe('done')
  })
  it('of another organisation cannot be seen, sent or taken back', async () => {
    const [owner, other] = [await server.person('owner'), await server.person('owner')]
    const path = `/api/invitations/${idOf(await invite(owner.secret, address()))}`
    expect(codeOf(await server.ask('POST', `${path}/resend`, { as: other.secret, body: {} }))).toBe(
      'thing.unknown',
    )
    expect(codeOf(await server.ask('DELETE', path, { as: other.secret }))).toBe('thing.unknown')
    expect((await server.ask('GET', '/api/invitations', { as: other.secret })).body.items).toEqual([])
  })
  it('accepted on a device that is signed in: that sign-in ends', async () => {
    const [owner, here] = [await server.person('owner'), await server.person('guest')]
    const token = tokenIn(await invite(owner.secret, address()))
    const entered = await accept(token, {}, here.secret)
    expect(codeOf(entered)).toBe('done')
    expect((await server.ask('GET', '/api/me', { as: here.secret })).status).toBe(401)
  })
})

describe('[IDN-3.organisations] more than one organisation', () => {
  const add = (name: string) =>
    server.ask('POST', '/api/local/organisations', { local: true, body: { name } })
  it('is made on the machine; its first owner joins by the link and sees nothing of the others', async () => {
    const home = await server.person('owner')
    const made = await add('The Rowing Club')
    const again = await add('the rowing club')
    expect(codeOf(await look(tokenIn(made)))).toBe('invitation.unknown')
    const token = tokenIn(again)
    expect((await look(token)).body).toMatchObject({
      organisation: { name: 'The Rowing Club' },
      email: null,
      role: 'owner',
    })
    expect(codeOf(await accept(token))).toBe('request.invalid')
    const email = address()
    const entered = await accept(token, { email })
    expect(entered.body).toMatchObject({
      state: 'signed-in',
      me: { role: 'owner', organisationName: 'The Rowing Club', email },
    })
    const as = secretOf(entered)
    expect(((await server.ask('GET', '/api/people', { as })).body.items as unknown[]).length).toBe(1)
    expect(codeOf(await server.ask('GET', `/api/people/${home.userId}`, { as }))).toBe('thing.unknown')
    expect(codeOf(await add('The Rowing Club'))).toBe('organisation.claimed')
    const { body } = await server.ask('GET', '/api/local/organisations', { local: true })
    expect(body.items).toContainEqual(
      expect.objectContaining({ name: 'The Rowing Club', people: 1, owners: ['Grace'] }),
    )
  })
  it('its owner changes its name and kind; an admin does not; everybody in it hears', async () => {
    const owner = await server.person('owner')
    const admin = await server.person('admin', owner.organisationId)
    const body = { name: 'Larch & Birch', kind: 'team' }
    const changed = await server.ask('PATCH', '/api/organisation', { as: owner.secret, body })
    expect(changed.body).toEqual({ id: owner.organisationId, ...body })
    expect((await server.ask('GET', '/api/organisation', { as: admin.secret })).body).toMatchObject(body)
    expect(codeOf(await server.ask('PATCH', '/api/organisation', { as: admin.secret, body }))).toBe(
      'permission.denied',
    )
    const { rows } = await server.store.system.read((tx) =>
      sql`select data from events where organisation_id = ${owner.organisationId} and type = 'organisation.changed'`.execute(
        tx,
      ),
    )
    expect(rows.length).toBe(1)
  })
  it('raw SQL in the wrong organisation sees no invitation and no group', async () => {
    const [owner, other] = [await server.person('owner'), await server.person('owner')]
    await invite(owner.secret, address())
    await server.ask('POST', '/api/groups', { as: owner.secret, body: { name: 'Ours' } })
    for (const table of ['invitations', 'groups', 'users']) {
      const { rows } = await server.store
        .as(other.organisationId)
        .read((tx) =>
          sql<{ organisation_id: string }>`select organisation_id from ${sql.table(table)}`.execute(tx),
        )
      expect(rows.filter((row) => row.organisation_id !== other.organisationId)).toEqual([])
    }
  })
})
