/** What a proxy would say of a request, a client can say too: none of it is believed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestServer, testServer } from '../testing/server.ts'
import { sql } from './store.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.end())

const SAID = {
  forwarded: 'for=203.0.113.9;host=evil.example;proto=https',
  'x-forwarded-for': '203.0.113.9',
  'x-real-ip': '203.0.113.9',
  'x-client-ip': '203.0.113.9',
  'true-client-ip': '203.0.113.9',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-forwarded-user': 'ada',
  'x-remote-user': 'ada',
  'x-user-id': 'ada',
  'x-kalnet-user': 'ada',
  'x-http-method-override': 'DELETE',
  'x-original-url': '/api/status',
}
const PASSWORD = 'a lantern by the river'

async function person() {
  const it = await server.person('member')
  const hash = await server.identity.passwords.hash(PASSWORD)
  await server.store.system.transaction((tx) =>
    sql`update users set password_hash = ${hash} where id = ${it.userId}`.execute(tx),
  )
  return { ...it, email: `${it.userId}@example.org` }
}

describe('[SEC-7.forwarded] what a client says as if a proxy had said it', () => {
  it('signs nobody in, and changes neither address nor method', async () => {
    expect((await server.ask('GET', '/api/me', { headers: SAID })).status).toBe(401)
  })
  it('changes no address: not on record, not in the list of devices', async () => {
    const { email, userId } = await person()
    const answer = await server.ask('POST', '/api/sign-in', {
      headers: SAID,
      body: { email, password: PASSWORD },
    })
    expect(answer.status).toBe(200)
    const { rows } = await server.store.system.read((tx) =>
      sql<{ address: string }>`select address from audit where user_id = ${userId}
        union all select address from sign_ins where user_id = ${userId} and method = 'password'`.execute(tx),
    )
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain('203.0.113')
  })
  it('makes no cookie for https of one for plain http', async () => {
    const { email } = await person()
    const answer = await server.ask('POST', '/api/sign-in', {
      headers: SAID,
      body: { email, password: PASSWORD },
    })
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^kalnet=[^;]+;(?!.*Secure)/)
    expect(answer.headers['strict-transport-security']).toBeUndefined()
  })
  it('is no way around being slowed down', async () => {
    const { email } = await person()
    const codes = []
    for (let each = 0; each < 8; each++) {
      const headers = { ...SAID, 'x-forwarded-for': `198.51.100.${each}` }
      const answer = await server.ask('POST', '/api/sign-in', { headers, body: { email, password: 'wrong' } })
      codes.push(answer.body.error?.code)
    }
    expect(codes).toContain('sign-in.throttled')
  })
  it('is no way around being asked from our own pages', async () => {
    const headers = { ...SAID, origin: 'https://evil.example' }
    const { body } = await server.ask('POST', '/api/sign-in', {
      headers,
      body: { email: 'a@b.co', password: 'x' },
    })
    expect(body.error?.code).toBe('origin.foreign')
  })
})
