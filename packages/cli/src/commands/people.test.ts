/** `kalnet user|group|organisation` over a real control socket and the real pipeline: what is said, and what has happened. */
import { join } from 'node:path'
import { type TestServer, testServer } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

let home = NO_HOME
let server: TestServer
beforeAll(async () => {
  home = await temporaryHome()
  server = await testServer({ doors: true, http: { controlSocket: join(home.home, 'run/control.sock') } })
  await server.person('owner')
})
afterAll(async () => {
  await server?.end()
  await home.remove()
})
const run = (...args: string[]) => cli(home.home, ...args)
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)

/** Accepts the link that a command printed, as a browser would. */
async function accepted(url: string, name: string, email?: string) {
  const token = new URL(url).hash.slice(1)
  const body = { token, name, password: 'seven purple teapots', ...(email && { email }) }
  const answer = await server.ask('POST', '/api/invitations/accept', { body })
  expect(answer.status).toBe(200)
  return /kalnet=([\w-]{43})/.exec(answer.headers['set-cookie']?.[0] ?? '')?.[1] ?? ''
}

describe('[IDN-3.cli] people on the command line', () => {
  it('are invited with a link, once each; again: a new link', async () => {
    const { code, out } = await run('user', 'invite', 'grace@example.org', '--role', 'admin')
    expect(code).toBe(0)
    expect(out).toMatch(/\/join#[\w-]{43}/)
    const { link } = await json('user', 'invite', 'grace@example.org', '--role', 'admin')
    expect((await run('user', 'invite', 'grace@example.org', '--role', 'guest')).code).toBe(2)
    expect((await json('user', 'invitations')).items).toMatchObject([
      { email: 'grace@example.org', state: 'open' },
    ])
    const secret = await accepted(link.url, 'Grace')
    expect((await server.ask('GET', '/api/me', { as: secret })).body).toMatchObject({ role: 'admin' })
    await run('user', 'invite', 'max@example.org')
    expect((await run('user', 'uninvite', 'max@example.org')).out).toContain('taken back')
  })
  it('are listed, shown, and found by what one knows of them', async () => {
    expect((await json('user', 'list', '--search', 'grace')).items).toMatchObject([
      { name: 'Grace', role: 'admin' },
    ])
    expect((await run('user', 'show', 'grace@example.org')).out).toContain('admin')
    expect((await run('user', 'show', 'GRACE')).code).toBe(0)
    const wrong = await run('user', 'show', 'grase')
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('Did you mean Grace?')])
  })
  it('get another role, are switched off and on, signed out, and a link for a new password', async () => {
    expect((await run('user', 'role', 'Grace', 'member')).out).toContain('is member now')
    expect((await run('user', 'role', 'Grace', 'king')).code).toBe(2)
    expect((await json('user', 'off', 'Grace')).state).toBe('off')
    expect((await json('user', 'on', 'Grace')).state).toBe('active')
    expect((await json('user', 'sign-out', 'Grace')).ended).toBe(0)
    expect((await json('user', 'reset', 'Grace')).url).toMatch(/\/reset#/)
    expect((await run('user', 'role', 'Ada', 'guest')).code).toBe(4)
  })
  it('are put into groups', async () => {
    expect((await run('group', 'add', 'Kids')).code).toBe(0)
    expect((await json('group', 'members', 'Kids', '+Grace')).items).toMatchObject([{ name: 'Grace' }])
    expect((await run('group', 'rename', 'Kids', 'Children')).out).toContain('Children')
    expect((await json('user', 'list', '--group', 'children')).items.length).toBe(1)
    expect((await json('group', 'members', 'Children', '-Grace')).items).toEqual([])
    await run('group', 'members', 'Children', '+grace@example.org')
    expect((await run('group', 'remove', 'Children')).code).toBe(4)
    expect((await run('group', 'remove', 'Children', '--yes')).code).toBe(0)
    expect((await json('group', 'list')).items).toEqual([])
  })
  it('are removed only when one says so', async () => {
    const asked = await run('user', 'remove', 'Grace')
    expect([asked.code, asked.err]).toEqual([4, expect.stringContaining('cannot be undone')])
    expect((await run('user', 'remove', 'Grace', '--yes')).code).toBe(0)
    expect((await json('user', 'list')).items.length).toBe(1)
  })
})

describe('[IDN-3.organisations] another organisation by the command line', () => {
  it('is made with a link for its first owner; again: a new link, until somebody has come', async () => {
    await run('organisation', 'add', 'The Rowing Club', '--kind', 'team')
    const { link } = await json('organisation', 'add', 'The Rowing Club')
    expect((await run('organisation', 'list')).out).toContain('waits for its first owner')
    await accepted(link.url, 'Kim', 'kim@example.org')
    expect((await json('organisation', 'list')).items).toMatchObject([
      {},
      { name: 'The Rowing Club', kind: 'team', people: 1, owners: ['Kim'] },
    ])
    expect((await run('organisation', 'add', 'The Rowing Club')).code).toBe(1)
    expect((await json('user', 'list')).items.length).toBe(1)
  })
})

it.each([
  ['user', 'list'],
  ['user', 'show'],
  ['user', 'invite'],
  ['user', 'role'],
  ['user', 'off'],
  ['user', 'remove'],
  ['user', 'reset'],
  ['user', 'sign-out'],
  ['group', 'add'],
  ['group', 'members'],
  ['organisation', 'add'],
])('%s %s --help shows an example', async (...line) => {
  const { code, out } = await run(...line, '--help')
  expect([code, out]).toEqual([0, expect.stringContaining(`kalnet ${line.join(' ')} `)])
})
