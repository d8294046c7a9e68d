/** SCIM through the real pipeline, by the examples of RFC 7643 §8 and RFC 7644 §3, with their errors. */
import { SCIM_ERROR, SCIM_PATH, SCIM_TYPE } from '@kalnet/contracts/scim'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { hashOfSecret } from '../keys/secret.ts'
import { type Answer, type TestServer, testServer } from '../testing/server.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

let server: TestServer
let owner: Awaited<ReturnType<TestServer['person']>>
let token: string

async function keyOf(organisationId: string, role: string, scopes: string[]): Promise<string> {
  const [userId, secret] = [newId(), 's'.repeat(43)]
  const publicId = userId.replaceAll('-', '').slice(-12)
  await server.store.system.transaction(async (tx) => {
    await sql`insert into users (id, organisation_id, name, role, kind, created_at)
      values (${userId}, ${organisationId}, 'Directory', ${role}, 'service', now())`.execute(tx)
    await sql`insert into service_keys (id, organisation_id, user_id, name, public_id, scopes, created_at, secret_id, secret_hash)
      values (${newId()}, ${organisationId}, ${userId}, 'SCIM', ${publicId}, ${scopes}::text[], now(), ${newId()},
        ${hashOfSecret(secret)})`.execute(tx)
  })
  return `kal_${publicId}_${secret}`
}
beforeAll(async () => {
  server = await testServer({ doors: true })
  owner = await server.person('owner')
  token = await keyOf(owner.organisationId, 'admin', ['scim.use'])
})
afterAll(() => server.end())

interface Resource extends Record<string, unknown> {
  id: string
  meta: { version: string; location: string; resourceType: string }
}
const ask = (
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  by = token,
) =>
  server.ask(method, `${SCIM_PATH}${path}`, {
    headers: {
      authorization: `Bearer ${by}`,
      ...(body === undefined ? {} : { 'content-type': SCIM_TYPE }),
      ...headers,
    },
    ...(body === undefined ? {} : { raw: JSON.stringify(body) }),
  })
const resource = (answer: Answer) => answer.body as unknown as Resource
let counter = 0
async function makeUser(more: object = {}): Promise<Resource> {
  counter += 1
  const answer = await ask('POST', '/Users', {
    schemas: [USER],
    userName: `person${counter}@example.com`,
    ...more,
  })
  expect(answer.status, answer.text).toBe(201)
  return resource(answer)
}
const patch = (id: string, Operations: unknown[], headers = {}, kind = 'Users') =>
  ask('PATCH', `/${kind}/${id}`, { schemas: [PATCH], Operations }, headers)
const refusal = (answer: Answer) => {
  expect(answer.headers['content-type']).toContain(SCIM_TYPE)
  expect(answer.body.schemas).toEqual([SCIM_ERROR])
  expect(answer.body.status).toBe(String(answer.status))
  expect(answer.body.detail).toEqual(expect.any(String))
  return [answer.status, answer.body.scimType ?? null]
}
const userRow = async (id: string) => {
  const { rows } = await server.store.system.read((tx) =>
    sql<{ name: string; email: string; role: string; state: string; password_hash: string | null }>`
      select name, email, role, state, password_hash from users where id = ${id}`.execute(tx),
  )
  return rows[0]
}

/** RFC 7643 §8.2 and §8.3, whole. */
const FULL = {
  schemas: [USER, ENTERPRISE],
  id: '2819c223-7f76-453a-919d-413861904646',
  externalId: '701984',
  userName: 'bjensen@example.com',
  name: {
    formatted: 'Ms. Barbara J Jensen, III',
    familyName: 'Jensen',
    givenName: 'Barbara',
    middleName: 'Jane',
    honorificPrefix: 'Ms.',
    honorificSuffix: 'III',
  },
  displayName: 'Babs Jensen',
  nickName: 'Babs',
  profileUrl: 'https://login.example.com/bjensen',
  emails: [
    { value: 'bjensen@example.com', type: 'work', primary: true },
    { value: 'babs@jensen.org', type: 'home' },
  ],
  addresses: [
    {
      streetAddress: '100 Universal City Plaza',
      locality: 'Hollywood',
      region: 'CA',
      postalCode: '91608',
      country: 'USA',
      formatted: '100 Universal City Plaza\nHollywood, CA 91608 USA',
      type: 'work',
      primary: true,
    },
  ],
  phoneNumbers: [
    { value: '555-555-5555', type: 'work' },
    { value: '555-555-4444', type: 'mobile' },
  ],
  ims: [{ value: 'someaimhandle', type: 'aim' }],
  photos: [{ value: 'https://photos.example.com/profilephoto/72930000000Ccne/F', type: 'photo' }],
  userType: 'Employee',
  title: 'Tour Guide',
  preferredLanguage: 'en-US',
  locale: 'en-US',
  timezone: 'America/Los_Angeles',
  active: true,
  password: 't1meMa$heen',
  [ENTERPRISE]: {
    employeeNumber: '701984',
    costCenter: '4130',
    organization: 'Universal Studios',
    division: 'Theme Park',
    department: 'Tour Operations',
  },
  meta: { resourceType: 'User', version: 'W/"3694e05e9dff591"' },
}

describe('[IDN-2.scim] people', () => {
  it('the minimal person of RFC 7644 §3.3, who has no e-mail address', async () => {
    const answer = await ask('POST', '/Users', {
      schemas: [USER],
      userName: 'bjensen',
      externalId: 'bjensen',
      name: { formatted: 'Ms. Barbara J Jensen III', familyName: 'Jensen', givenName: 'Barbara' },
    })
    expect(answer.status).toBe(201)
    expect(answer.headers['content-type']).toContain(SCIM_TYPE)
    const made = resource(answer)
    expect(made).toMatchObject({ externalId: 'bjensen', userName: 'bjensen', active: true })
    expect(answer.headers.location).toBe(`${server.origin}${SCIM_PATH}/Users/${made.id}`)
    expect(answer.headers.etag).toBe(made.meta.version)
    expect(made.meta).toMatchObject({ resourceType: 'User', location: answer.headers.location })
    expect(await userRow(made.id)).toMatchObject({ role: 'member', name: 'Ms. Barbara J Jensen III' })
    expect((await userRow(made.id))?.email).toMatch(/@no-address\.invalid$/)
  })
  it('the full and the enterprise person of RFC 7643 §8 come back as they went; id, meta and password are not theirs to say', async () => {
    const answer = await ask('POST', '/Users', FULL)
    expect(answer.status, answer.text).toBe(201)
    const { id, meta: _meta, password, ...rest } = FULL
    const made = resource(answer)
    expect(made).toMatchObject(rest)
    expect(made.id).not.toBe(id)
    expect(answer.text).not.toContain(password)
    expect(await userRow(made.id)).toEqual({
      name: 'Babs Jensen',
      email: 'bjensen@example.com',
      role: 'member',
      state: 'active',
      password_hash: null,
    })
    const read = await ask('GET', `/Users/${made.id}`)
    expect(read.body).toEqual(made)
    expect(await refusal(await ask('POST', '/Users', FULL))).toEqual([409, 'uniqueness'])
  })
  it('no sign-in by password for them, and an invitation to the same address is a conflict', async () => {
    const { text } = await server.ask('POST', '/api/sign-in', {
      body: { email: 'bjensen@example.com', password: 't1meMa$heen' },
    })
    expect(text).toContain('sign-in.wrong')
  })
  it.each([
    ['no schemas', { userName: 'x' }, [400, 'invalidSyntax']],
    ['a wrong schema', { schemas: [GROUP], userName: 'x' }, [400, 'invalidSyntax']],
    ['no userName', { schemas: [USER] }, [400, 'invalidValue']],
    ['a number for userName', { schemas: [USER], userName: 5 }, [400, 'invalidValue']],
    ['a word for active', { schemas: [USER], userName: 'x', active: 'maybe' }, [400, 'invalidValue']],
    [
      'an unknown role',
      { schemas: [USER], userName: 'x', roles: [{ value: 'king' }] },
      [400, 'invalidValue'],
    ],
    ['an owner', { schemas: [USER], userName: 'x', roles: [{ value: 'owner' }] }, [403, null]],
    [
      'a broken address',
      { schemas: [USER], userName: 'x', emails: [{ value: 'a b' }] },
      [400, 'invalidValue'],
    ],
  ])('%s is refused', async (_, body, expected) => {
    expect(refusal(await ask('POST', '/Users', body))).toEqual(expected)
  })
  it('broken JSON, an unknown person, no key, a key without the right', async () => {
    const broken = await server.ask('POST', `${SCIM_PATH}/Users`, {
      raw: '{"schemas"',
      headers: { authorization: `Bearer ${token}`, 'content-type': SCIM_TYPE },
    })
    expect(refusal(broken)).toEqual([400, 'invalidSyntax'])
    for (const id of ['nobody', newId(), owner.organisationId])
      expect(refusal(await ask('GET', `/Users/${id}`))).toEqual([404, null])
    expect(refusal(await server.ask('GET', `${SCIM_PATH}/Users`))).toEqual([401, null])
    const weak = await keyOf(owner.organisationId, 'admin', ['person.read'])
    expect(refusal(await ask('GET', '/Users', undefined, {}, weak))).toEqual([403, null])
    const guest = await keyOf(owner.organisationId, 'guest', ['scim.use'])
    expect(refusal(await ask('GET', '/Users', undefined, {}, guest))).toEqual([403, null])
  })
  it('another organisation sees and changes nobody here', async () => {
    const made = await makeUser()
    const elsewhere = await server.person('owner')
    const foreign = await keyOf(elsewhere.organisationId, 'admin', ['scim.use'])
    expect(refusal(await ask('GET', `/Users/${made.id}`, undefined, {}, foreign))).toEqual([404, null])
    expect(refusal(await ask('DELETE', `/Users/${made.id}`, undefined, {}, foreign))).toEqual([404, null])
    const list = await ask('GET', '/Users', undefined, {}, foreign)
    expect(list.body.totalResults).toBe(1)
  })
  it('PUT replaces what is known; what is not said is gone, but not the role and not being switched off', async () => {
    const made = await makeUser({
      title: 'Guide',
      nickName: 'Babs',
      roles: [{ value: 'child' }],
      active: false,
    })
    expect(await userRow(made.id)).toMatchObject({ role: 'child', state: 'off' })
    const answer = await ask('PUT', `/Users/${made.id}`, {
      schemas: [USER],
      userName: made.userName,
      nickName: 'Barbara',
    })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ nickName: 'Barbara', active: false, roles: [{ value: 'child' }] })
    expect(answer.body.title).toBeUndefined()
  })
  it('who is taken away is switched off, unseen, and may come back', async () => {
    const made = await makeUser({ title: 'Guide' })
    const gone = await ask('DELETE', `/Users/${made.id}`)
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect(refusal(await ask('GET', `/Users/${made.id}`))).toEqual([404, null])
    expect(refusal(await ask('DELETE', `/Users/${made.id}`))).toEqual([404, null])
    expect(await userRow(made.id)).toMatchObject({ state: 'off' })
    const again = await ask('POST', '/Users', { schemas: [USER], userName: made.userName })
    expect([again.status, again.body.id, again.body.active]).toEqual([201, made.id, true])
    expect(again.body.title).toBeUndefined()
  })
  it('an owner can be read, and not be lowered, switched off, moved to another address or taken away', async () => {
    const path = `/Users/${owner.userId}`
    const before = resource(await ask('GET', path))
    expect(before).toMatchObject({ roles: [{ value: 'owner', primary: true }], active: true })
    for (const value of [
      { active: false },
      { roles: [{ value: 'guest' }] },
      { emails: [{ value: 'evil@example.com' }] },
    ])
      expect(refusal(await patch(owner.userId, [{ op: 'replace', value }]))).toEqual([403, null])
    expect(refusal(await ask('DELETE', path))).toEqual([403, null])
    expect(await userRow(owner.userId)).toMatchObject({ role: 'owner', state: 'active' })
  })
})

describe('[IDN-2.scim] PATCH, RFC 7644 §3.5.2', () => {
  const base = {
    name: { givenName: 'Barbara', familyName: 'Jensen' },
    emails: [
      { value: 'work@example.com', type: 'work', primary: true },
      { value: 'home@example.com', type: 'home' },
    ],
    addresses: [{ type: 'work', streetAddress: 'Old Street 1', locality: 'Hollywood' }],
  }
  const emailsAre =
    (...values: string[]) =>
    (it: Resource) =>
      expect((it.emails as { value: string }[]).map(({ value }) => value.replace(/^\d+/, ''))).toEqual(values)
  const cases: [string, unknown[], (it: Resource) => void][] = [
    [
      'add an attribute',
      [{ op: 'add', path: 'nickName', value: 'Babs' }],
      (it) => expect(it.nickName).toBe('Babs'),
    ],
    [
      'add without a path (figure of §3.5.2.1)',
      [{ op: 'add', value: { emails: [{ value: 'babs@jensen.org', type: 'other' }], nickname: 'Babs' } }],
      (it) => {
        expect(it.nickName).toBe('Babs')
        expect(it.emails).toHaveLength(3)
      },
    ],
    [
      'remove a value by filter',
      [{ op: 'remove', path: 'emails[type eq "home"]' }],
      emailsAre('work@example.com'),
    ],
    [
      'remove an attribute',
      [{ op: 'remove', path: 'addresses' }],
      (it) => expect(it.addresses).toBeUndefined(),
    ],
    [
      'replace within a value by filter',
      [{ op: 'replace', path: 'addresses[type eq "work"].streetAddress', value: '911 Universal City Plaza' }],
      (it) =>
        expect(it.addresses).toMatchObject([
          { streetAddress: '911 Universal City Plaza', locality: 'Hollywood' },
        ]),
    ],
    [
      'replace without a path (§3.5.2.3)',
      [{ op: 'replace', value: { emails: [{ value: 'new@example.com', type: 'work' }], nickName: 'Babs' } }],
      emailsAre('new@example.com'),
    ],
    [
      'replace a part',
      [{ op: 'replace', path: 'name.familyName', value: 'Smith' }],
      (it) => expect(it.name).toMatchObject({ familyName: 'Smith', givenName: 'Barbara' }),
    ],
    [
      '"True" and capital letters as some directories send them',
      [{ op: 'Replace', path: 'active', value: 'False' }],
      (it) => expect(it.active).toBe(false),
    ],
    [
      'an extension',
      [{ op: 'add', path: `${ENTERPRISE}:department`, value: 'Tours' }],
      (it) => expect(it[ENTERPRISE]).toMatchObject({ department: 'Tours' }),
    ],
    [
      'a role',
      [{ op: 'replace', path: 'roles', value: [{ value: 'guest' }] }],
      (it) => expect(it.roles).toMatchObject([{ value: 'guest' }]),
    ],
    [
      'several at once, in order',
      [
        { op: 'add', path: 'title', value: 'One' },
        { op: 'replace', path: 'title', value: 'Two' },
      ],
      (it) => expect(it.title).toBe('Two'),
    ],
  ]
  it.each(cases)('%s', async (_, operations, check) => {
    counter += 1
    const emails = base.emails.map((it) => ({ ...it, value: `${counter}${it.value}` }))
    const made = await makeUser({ ...base, emails })
    const answer = await patch(made.id, operations)
    expect(answer.status, answer.text).toBe(200)
    check(resource(answer))
    const read = await ask('GET', `/Users/${made.id}`)
    expect(read.body).toEqual(answer.body)
    expect(read.headers.etag).not.toBe(made.meta.version)
  })
  it.each([
    ['no operations', [], [400, 'invalidValue']],
    ['an unknown operation', [{ op: 'move', path: 'title', value: 'x' }], [400, 'invalidSyntax']],
    ['an unknown attribute', [{ op: 'add', path: 'nonsense', value: 'x' }], [400, 'invalidPath']],
    ['remove without a path', [{ op: 'remove' }], [400, 'noTarget']],
    [
      'no such value',
      [{ op: 'replace', path: 'emails[type eq "fax"].value', value: 'x@example.com' }],
      [400, 'noTarget'],
    ],
    ['what cannot be changed', [{ op: 'replace', path: 'id', value: 'x' }], [400, 'mutability']],
    ['a wrong value', [{ op: 'replace', path: 'active', value: 'perhaps' }], [400, 'invalidValue']],
    ['the name everybody must have', [{ op: 'remove', path: 'userName' }], [400, 'invalidValue']],
    ['a broken filter', [{ op: 'remove', path: 'emails[type zz "x"]' }], [400, 'invalidFilter']],
  ])('%s is refused, and nothing of it happened', async (_, operations, expected) => {
    const made = await makeUser({ emails: [{ value: `p${counter}@example.org`, type: 'work' }] })
    const answer = await patch(made.id, [
      ...(operations.length ? [{ op: 'add', path: 'title', value: 'Changed' }] : []),
      ...operations,
    ])
    expect(refusal(answer)).toEqual(expected)
    expect((await ask('GET', `/Users/${made.id}`)).body).toEqual(made)
  })
  it('without the schema of the message it is refused', async () => {
    const made = await makeUser()
    const answer = await ask('PATCH', `/Users/${made.id}`, {
      Operations: [{ op: 'add', path: 'title', value: 'x' }],
    })
    expect(refusal(answer)).toEqual([400, 'invalidSyntax'])
  })
  it('the same change twice gives the same', async () => {
    const made = await makeUser()
    const operations = [{ op: 'replace', path: 'title', value: 'Guide' }]
    const [first, second] = [await patch(made.id, operations), await patch(made.id, operations)]
    expect(second.headers.etag).toBe(first.headers.etag)
  })
  it('active: false ends sign-ins and keys at once', async () => {
    const person = await server.person('member', owner.organisationId)
    const cursor = await server.events.cursor()
    expect((await server.ask('GET', '/api/me', { as: person.secret })).status).toBe(200)
    expect((await patch(person.userId, [{ op: 'replace', path: 'active', value: false }])).status).toBe(200)
    expect((await server.ask('GET', '/api/me', { as: person.secret })).status).toBe(401)
    for await (const heard of server.events.subscribe({
      types: ['sign-in.ended'],
      after: cursor,
      signal: AbortSignal.timeout(30_000),
    })) {
      expect(heard.kind === 'event' && heard.event.data).toEqual({ signInId: person.signInId })
      break
    }
    expect((await patch(person.userId, [{ op: 'replace', path: 'active', value: true }])).body.active).toBe(
      true,
    )
  })
})

describe('[IDN-2.scim] versions', () => {
  it('If-None-Match answers 304 without a body; If-Match refuses what changed meanwhile', async () => {
    const made = await makeUser()
    const { version } = made.meta
    const same = await ask('GET', `/Users/${made.id}`, undefined, { 'if-none-match': version })
    expect([same.status, same.text, same.headers.etag]).toEqual([304, '', version])
    for (const tag of [`"x", ${version}`, '*'])
      expect((await ask('GET', `/Users/${made.id}`, undefined, { 'if-none-match': tag })).status).toBe(304)
    const changed = await patch(made.id, [{ op: 'add', path: 'title', value: 'x' }], { 'if-match': version })
    expect(changed.status).toBe(200)
    expect((await ask('GET', `/Users/${made.id}`, undefined, { 'if-none-match': version })).status).toBe(200)
    const put = { schemas: [USER], userName: made.userName }
    const late = { 'if-match': version }
    expect(refusal(await patch(made.id, [{ op: 'add', path: 'title', value: 'y' }], late))).toEqual([
      412,
      null,
    ])
    expect(refusal(await ask('PUT', `/Users/${made.id}`, put, late))).toEqual([412, null])
    expect(refusal(await ask('DELETE', `/Users/${made.id}`, undefined, late))).toEqual([412, null])
    expect(
      (await ask('DELETE', `/Users/${made.id}`, undefined, { 'if-match': String(changed.headers.etag) }))
        .status,
    ).toBe(204)
  })
  it('twenty changes by the same version: one', async () => {
    const made = await makeUser()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        patch(made.id, [{ op: 'add', path: 'title', value: `t${i}` }], { 'if-match': made.meta.version }),
      ),
    )
    expect(answers.filter((it) => it.status === 200)).toHaveLength(1)
    expect(answers.filter((it) => it.status === 412)).toHaveLength(19)
  })
})

describe('[IDN-2.scim] lists', () => {
  let byList: string
  beforeAll(async () => {
    const home = await server.person('owner')
    byList = await keyOf(home.organisationId, 'admin', ['scim.use'])
    for (const [name, more] of [
      ['cecilia', { title: 'B', name: { familyName: 'Zed' } }],
      ['ada', { title: 'C' }],
      ['bob', { title: 'A', active: false }],
    ] as const) {
      const answer = await ask('POST', '/Users', { schemas: [USER], userName: name, ...more }, {}, byList)
      expect(answer.status).toBe(201)
    }
  })
  const list = async (query: string) => {
    const answer = await ask('GET', `/Users?${query}`, undefined, {}, byList)
    const { Resources, totalResults, startIndex, itemsPerPage } = answer.body as never as {
      Resources: Resource[]
      totalResults: number
      startIndex: number
      itemsPerPage: number
    }
    return { answer, names: Resources?.map((it) => it.userName), totalResults, startIndex, itemsPerPage }
  }
  const f = (text: string) => `filter=${encodeURIComponent(text)}`
  it.each([
    [f('userName eq "ADA"'), ['ada']],
    [f('userName sw "b" or userName sw "c"'), ['cecilia', 'bob']],
    [`${f('title pr')}&sortBy=userName`, ['ada', 'bob', 'cecilia']],
    [`${f('title pr')}&sortBy=title&sortOrder=descending`, ['ada', 'cecilia', 'bob']],
    [`${f('title pr')}&sortBy=name.familyName`, ['cecilia', 'ada', 'bob']],
    [`${f('title pr')}&sortBy=userName&startIndex=2&count=1`, ['bob']],
    [`${f('title pr')}&startIndex=-5&count=2`, ['cecilia', 'ada']],
    [`${f('title pr')}&startIndex=99`, []],
    [`${f('title pr')}&count=0`, []],
    [f('active eq false'), ['bob']],
    [
      f('meta.created gt "2020-01-01T00:00:00Z" and title pr and not (userName eq "bob")'),
      ['cecilia', 'ada'],
    ],
  ])('%s', async (query, expected) => {
    const { answer, names } = await list(query)
    expect(answer.status, answer.text).toBe(200)
    expect(names).toEqual(expected)
    expect(answer.body.schemas).toEqual(['urn:ietf:params:scim:api:messages:2.0:ListResponse'])
  })
  it('says how many there are and which these are', async () => {
    const { totalResults, startIndex, itemsPerPage } = await list(`${f('title pr')}&startIndex=2&count=1`)
    expect({ totalResults, startIndex, itemsPerPage }).toEqual({
      totalResults: 3,
      startIndex: 2,
      itemsPerPage: 1,
    })
  })
  it.each([
    ['filter=nonsense', 'invalidFilter'],
    ['startIndex=x', 'invalidValue'],
    ['count=1.5', 'invalidValue'],
    ['sortBy=userName&sortOrder=sideways', 'invalidValue'],
  ])('%s is refused', async (query, name) => {
    expect(refusal((await list(query)).answer)).toEqual([400, name])
  })
  it('shows what is asked for, and always the id', async () => {
    const { answer } = await list(`${f('userName eq "cecilia"')}&attributes=userName,name.familyName`)
    expect((answer.body.Resources as Resource[])[0]).toEqual({
      schemas: [USER],
      id: expect.any(String),
      userName: 'cecilia',
      name: { familyName: 'Zed' },
    })
    const without = (await list(`${f('userName eq "cecilia"')}&excludedAttributes=meta,NAME,title,id`)).answer
    const shown = (without.body.Resources as Resource[])[0]
    expect(Object.keys(shown ?? {}).sort()).toEqual([
      'active',
      'displayName',
      'id',
      'roles',
      'schemas',
      'userName',
    ])
  })
  it('the same question in a body (RFC 7644 §3.4.3)', async () => {
    const question = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      attributes: ['userName'],
      filter: 'title pr',
      sortBy: 'userName',
      startIndex: 2,
      count: 1,
    }
    const answer = await ask('POST', '/Users/.search', question, {}, byList)
    expect(answer.body).toMatchObject({
      totalResults: 3,
      startIndex: 2,
      itemsPerPage: 1,
      Resources: [{ userName: 'bob' }],
    })
    expect((answer.body.Resources as Resource[])[0]?.title).toBeUndefined()
    expect(refusal(await ask('POST', '/Groups/.search', { filter: 'nonsense' }, {}, byList))).toEqual([
      400,
      'invalidFilter',
    ])
  })
  it('an address that is none is refused in the form of the protocol too', async () => {
    for (const path of ['/Me', '/Bulk', '/Nonsense/1'])
      expect(refusal(await ask('GET', path, undefined, {}, byList))).toEqual([404, null])
  })
  it('service accounts are nobody it could keep in step', async () => {
    expect((await list('count=200')).names).not.toContain('Directory')
  })
})

describe('[IDN-2.scim] groups', () => {
  const members = (it: Resource) =>
    ((it.members ?? []) as { value: string }[]).map(({ value }) => value).sort()
  it('made with members, renamed, filled and emptied by PATCH, replaced, removed; they stand at their people', async () => {
    const [one, two] = [await makeUser(), await makeUser()]
    const answer = await ask('POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'Tour Guides',
      externalId: 'tours',
      members: [{ value: one.id, display: 'ignored' }],
    })
    expect(answer.status, answer.text).toBe(201)
    const group = resource(answer)
    expect(group).toMatchObject({
      displayName: 'Tour Guides',
      externalId: 'tours',
      meta: { resourceType: 'Group' },
    })
    expect(members(group)).toEqual([one.id])
    expect((await ask('GET', `/Users/${one.id}`)).body.groups).toMatchObject([
      { value: group.id, display: 'Tour Guides' },
    ])
    const change = (operations: unknown[]) => patch(group.id, operations, {}, 'Groups').then(resource)
    expect(members(await change([{ op: 'add', path: 'members', value: [{ value: two.id }] }]))).toEqual(
      [one.id, two.id].sort(),
    )
    expect(members(await change([{ op: 'remove', path: `members[value eq "${one.id}"]` }]))).toEqual([two.id])
    expect(members(await change([{ op: 'replace', path: 'members', value: [{ value: one.id }] }]))).toEqual([
      one.id,
    ])
    expect(members(await change([{ op: 'remove', path: 'members' }]))).toEqual([])
    expect((await change([{ op: 'replace', value: { displayName: 'Guides' } }])).displayName).toBe('Guides')
    const put = await ask('PUT', `/Groups/${group.id}`, {
      schemas: [GROUP],
      displayName: 'All',
      members: [{ value: one.id }, { value: two.id }],
    })
    expect(members(resource(put))).toEqual([one.id, two.id].sort())
    expect(put.body.externalId).toBeUndefined()
    expect(
      (await ask('GET', `/Groups?filter=${encodeURIComponent(`members.value eq "${two.id}"`)}`)).body
        .totalResults,
    ).toBe(1)
    expect((await ask('GET', '/Groups?excludedAttributes=members')).text).not.toContain(two.id)
    expect((await ask('DELETE', `/Groups/${group.id}`)).status).toBe(204)
    expect(refusal(await ask('GET', `/Groups/${group.id}`))).toEqual([404, null])
    expect((await ask('GET', `/Users/${one.id}`)).body.groups).toBeUndefined()
  })
  it('two of one name, nobody as a member, somebody of another organisation', async () => {
    const make = (displayName: unknown, value?: string) =>
      ask('POST', '/Groups', { schemas: [GROUP], displayName, members: value ? [{ value }] : [] })
    expect((await make('Twice')).status).toBe(201)
    expect(refusal(await make('twice'))).toEqual([409, 'uniqueness'])
    expect(refusal(await make('Nobody', newId()))).toEqual([400, 'invalidValue'])
    expect(refusal(await make('Nobody', 'x'))).toEqual([400, 'invalidValue'])
    expect(refusal(await make('Foreign', (await server.person('owner')).userId))).toEqual([
      400,
      'invalidValue',
    ])
    expect(refusal(await make(7))).toEqual([400, 'invalidValue'])
    expect(
      (await ask('GET', `/Groups?filter=${encodeURIComponent('displayName eq "Nobody"')}`)).body.totalResults,
    ).toBe(0)
  })
})

describe('[IDN-2.scim] what the server says of itself', () => {
  it('what it can do', async () => {
    const { body } = await ask('GET', '/ServiceProviderConfig')
    expect(body).toMatchObject({
      patch: { supported: true },
      filter: { supported: true, maxResults: 200 },
      etag: { supported: true },
      sort: { supported: true },
      bulk: { supported: false },
      changePassword: { supported: false },
      authenticationSchemes: [{ type: 'oauthbearertoken' }],
    })
  })
  it('kinds and schemas, all and one by one', async () => {
    const types = await ask('GET', '/ResourceTypes')
    expect(types.body).toMatchObject({
      totalResults: 2,
      Resources: [{ id: 'User', endpoint: '/Users', schema: USER }, { id: 'Group' }],
    })
    expect((await ask('GET', '/ResourceTypes/User')).body).toMatchObject({
      schemaExtensions: [{ schema: ENTERPRISE }],
    })
    const schemas = await ask('GET', '/Schemas')
    expect((schemas.body.Resources as Resource[]).map(({ id }) => id).sort()).toEqual(
      [USER, GROUP, ENTERPRISE].sort(),
    )
    for (const id of [USER, GROUP, ENTERPRISE]) {
      const { body } = await ask('GET', `/Schemas/${id}`)
      expect(body).toMatchObject({ id, attributes: expect.any(Array) })
    }
    expect(refusal(await ask('GET', '/Schemas/nonsense'))).toEqual([404, null])
    expect(refusal(await ask('GET', '/ResourceTypes/nonsense'))).toEqual([404, null])
  })
})
