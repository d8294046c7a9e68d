/** `kalnet key …` and `kalnet access` over a real unix socket: what each line asks for, and what is said. */
import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { SCOPE_PRESETS, type ServiceAccount, type ServiceKey } from '@kalnet/contracts/key'
import { PERMISSIONS, SCOPES } from '@kalnet/contracts/permission'
import { ROUTES } from '@kalnet/contracts/routes'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

const key = (end: string, change: Partial<ServiceKey>): ServiceKey => ({
  id: `01a1fd3c-b7fd-7166-abd0-${end}`,
  begins: `kal_${end}`,
  name: 'backup',
  userId: '01a1fd3c-b7fd-7166-abd0-0000000000ff',
  userName: 'Ada',
  userKind: 'person',
  scopes: ['me.read'],
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-04-01T00:00:00.000Z',
  lastUsedAt: null,
  lastUsedAddress: null,
  overlapUntil: null,
  ...change,
})
const BACKUP = key('00000000000a', {})
const SCIM = key('00000000000b', {
  name: 'scim',
  userName: 'Directory',
  userKind: 'service',
  expiresAt: null,
})
const ACCOUNT: ServiceAccount = {
  id: '01a1fd3c-b7fd-7166-abd0-0000000000cc',
  name: 'Directory',
  role: 'admin',
  state: 'active',
  createdAt: '2026-01-01T00:00:00.000Z',
  keys: [SCIM],
}
const TOKEN = `kal_00000000000a_${'x'.repeat(43)}`

const asked: string[] = []
let home = NO_HOME
let server: Server
beforeAll(async () => {
  home = await temporaryHome()
  await mkdir(join(home.home, 'run'))
  server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { pathname } = new URL(request.url ?? '', 'http://x')
      const reading = request.method === 'GET'
      if (!reading) asked.push(`${request.method} ${pathname.slice(4)} ${Buffer.concat(chunks)}`.trim())
      const said = reading
        ? { items: pathname === '/api/keys' ? [BACKUP, SCIM] : [ACCOUNT], next: null }
        : request.method === 'DELETE'
          ? {}
          : pathname === '/api/service-accounts'
            ? { ...ACCOUNT, keys: [] }
            : { key: BACKUP, token: TOKEN }
      answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said))
    })
  })
  await new Promise<void>((resolve) => server.listen(join(home.home, 'run/control.sock'), resolve))
})
afterAll(async () => {
  server.close()
  await home.remove()
})
beforeEach(() => void asked.splice(0))

const scopes = JSON.stringify(SCOPE_PRESETS.read.scopes)
type Line = [string[], number, RegExp, string[]]
const lines: Line[] = [
  [['list'], 0, /backup +Ada +2026-04-01 +never +kal_00000000000a +me\.read/, []],
  [['list'], 0, /scim +Directory +never/, []],
  [['scopes'], 0, /read +Only look[\s\S]*stream\.open +Look at screens/, []],
  [
    ['add', 'backup', '--preset', 'read'],
    0,
    /kal_00000000000a_x{43}[\s\S]*acts as Ada until 2026-04-01, and is not shown again/,
    [`POST /me/keys {"name":"backup","scopes":${scopes},"expiresInDays":90}`],
  ],
  [
    ['add', 'x', '--scope', 'me.read', '--scope', 'session.read', '--days', '3'],
    0,
    /kal_/,
    ['POST /me/keys {"name":"x","scopes":["me.read","session.read"],"expiresInDays":3}'],
  ],
  [
    ['add', 'x', '--preset', 'scim', '--never', '--account', 'directory'],
    0,
    /kal_/,
    [`POST /service-accounts/${ACCOUNT.id}/keys {"name":"x","scopes":["scim.use"],"expiresInDays":null}`],
  ],
  [['add', 'x'], 2, /Say what the key may do/, []],
  [['add', 'x', '--scope', 'me.secure'], 2, /There is no scope me\.secure/, []],
  [['add', 'x', '--preset', 'root'], 2, /There is no preset root/, []],
  [['add', 'x', '--preset', 'read', '--days', '400'], 2, /1 to 365/, []],
  [['add', 'x', '--preset', 'scim', '--account', 'nobody'], 2, /There is no service account nobody/, []],
  [
    ['rotate', 'backup'],
    0,
    /The new secret of backup/,
    [`POST /me/keys/${BACKUP.id}/rotate {"overlapMinutes":60}`],
  ],
  [['rotate', 'scim', '--overlap', '0'], 0, /kal_/, [`POST /keys/${SCIM.id}/rotate {"overlapMinutes":0}`]],
  [['rotate', 'backup', '--overlap', '1441'], 2, /0 to 1440/, []],
  [['revoke', TOKEN], 0, /^backup is revoked\.$/m, [`DELETE /keys/${BACKUP.id}`]],
  [['revoke', 'kal_00000000000b'], 0, /^scim is revoked\.$/m, [`DELETE /keys/${SCIM.id}`]],
  [['revoke', 'bakup'], 2, /Did you mean backup\?/, []],
  [['account', 'list'], 0, /Directory +admin +on +1/, []],
  [
    ['account', 'add', 'Directory', '--role', 'admin'],
    0,
    /is here, as admin/,
    ['POST /service-accounts {"name":"Directory","role":"admin"}'],
  ],
  [['account', 'add', 'Directory', '--role', 'owner'], 2, /cannot be owner/, []],
  [['account', 'remove', 'Directory'], 4, /1 key are removed|1 key[\s\S]*--yes/, []],
  [
    ['account', 'remove', 'Directory', '--yes'],
    0,
    /Directory is removed/,
    [`DELETE /service-accounts/${ACCOUNT.id}`],
  ],
]

describe('[IDN-4.key-cli] kalnet key', () => {
  it.each(lines)('%j', async (line, code, words, expected) => {
    const result = await cli(home.home, 'key', ...line)
    expect(`${result.out}${result.err}`).toMatch(words)
    expect(result.code).toBe(code)
    expect(asked).toEqual(expected)
  })
  it('as JSON the secret is there once, and help has examples', async () => {
    const { out } = await cli(home.home, 'key', 'add', 'x', '--preset', 'launch', '--json')
    expect(JSON.parse(out)).toMatchObject({ token: TOKEN, key: { name: 'backup' } })
    expect((await cli(home.home, 'key', '--help')).out).toContain('kalnet key revoke backup')
  })
})

describe('[IDN-3.access] kalnet access', () => {
  it('prints who may do what from the table, without a running Kalnet', async () => {
    const { out, code } = await cli('/nonexistent', 'access')
    expect(code).toBe(0)
    expect(out).toMatch(/session\.stop +all +all +own +own +own +yes/)
    expect(out).toMatch(/stream\.open +own +own +own +own +own +yes/)
    expect(out).toMatch(/organisation\.manage +all +no +no +no +no +no/)
    expect(out).toMatch(/key\.own +own +own +own +no +no +no/)
  })
  it('as JSON every permission and every route is there', async () => {
    const { out } = await cli('/nonexistent', 'access', '--json')
    const { permissions, routes } = JSON.parse(out) as {
      permissions: { permission: string; key: boolean }[]
      routes: { path: string }[]
    }
    expect(permissions.map((it) => it.permission)).toEqual(Object.keys(PERMISSIONS))
    expect(permissions.filter((it) => it.key).map((it) => it.permission)).toEqual(SCOPES)
    expect(routes.length).toBe(Object.values(ROUTES).flatMap((group) => Object.values(group)).length)
  })
  it('one role, all routes, a wrong role', async () => {
    const child = await cli('/nonexistent', 'access', '--role', 'child')
    expect(child.out).not.toContain('controller.manage')
    const routes = await cli('/nonexistent', 'access', '--routes')
    expect(routes.out).toMatch(/POST +\/api\/me\/keys +key\.own +yes +key\.made/)
    expect((await cli('/nonexistent', 'access', '--role', 'king')).code).toBe(2)
  })
})
