/** `kalnet apps …` and `kalnet guard …` over a real unix socket: what each line asks for, and what is said. */
import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { App } from '@kalnet/contracts/app'
import type { ForwardRoute } from '@kalnet/contracts/forward'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

const everybody = { roles: [], groups: [] }
const at = '2026-01-01T00:00:00.000Z'
const PHOTOS: App = {
  id: '01a1fd3c-b7fd-7166-abd0-00000000000a',
  name: 'Photos',
  clientId: 'app-1234',
  kind: 'confidential',
  redirectUris: ['https://photos.example.org/callback'],
  leaveUris: [],
  logoutUri: null,
  allowed: everybody,
  trusted: false,
  createdAt: at,
  changedAt: at,
}
const PRINTER: ForwardRoute = {
  id: '01a1fd3c-b7fd-7166-abd0-00000000000b',
  name: 'Printer',
  host: 'printer.example.org',
  pathPrefix: '/',
  who: 'people',
  allowed: { roles: ['member'], groups: [] },
  appPasswords: true,
  createdAt: at,
  changedAt: at,
}
const asked: string[] = []
let home = NO_HOME
let server: Server
beforeAll(async () => {
  home = await temporaryHome()
  await mkdir(join(home.home, 'run'))
  const answers: Record<string, unknown> = {
    'GET /api/apps': { items: [PHOTOS], next: null },
    'GET /api/apps/issuer': {
      issuer: 'https://k.example/oidc',
      discovery: 'https://k.example/oidc/.well-known',
    },
    'GET /api/forward-routes': { items: [PRINTER], next: null },
    'POST /api/apps': { app: PHOTOS, secret: 'shown-once' },
    [`POST /api/apps/${PHOTOS.id}/secret`]: { secret: 'another-one' },
    'POST /api/forward-routes': PRINTER,
    'POST /api/local/signing-keys': { keys: ['new', 'next', 'old'] },
  }
  server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const name = `${request.method} ${new URL(request.url ?? '', 'http://x').pathname}`
      if (request.method !== 'GET') asked.push(`${name} ${Buffer.concat(chunks)}`.trim())
      answer.setHeader('content-type', 'application/json')
      answer.end(JSON.stringify(answers[name] ?? {}))
    })
  })
  await new Promise<void>((resolve) => server.listen(join(home.home, 'run/control.sock'), resolve))
})
beforeEach(() => {
  asked.length = 0
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await home.remove()
})
const run = (...args: string[]) => cli(home.home, ...args)

describe('[IDN-2.provider-cli] apps and guarded addresses on the command line', () => {
  it('lists, shows without the secret, and finds by name', async () => {
    const list = await run('apps', 'list')
    expect(list.code).toBe(0)
    expect(list.out).toContain('app-1234')
    const show = await run('apps', 'show', 'photos')
    expect(show.out).toContain('https://k.example/oidc')
    expect(show.out).not.toContain('secret')
    expect((await run('apps', 'show', 'Fotos')).code).toBe(2)
    expect(JSON.parse((await run('guard', 'list', '--json')).out)).toMatchObject({
      items: [{ name: 'Printer' }],
    })
  })
  it('registers with exactly what was said, and shows the secret once', async () => {
    const added = await run(
      'apps',
      'add',
      'Photos',
      '--redirect',
      'https://photos.example.org/callback',
      '--role',
      'member',
      '--trusted',
    )
    expect(added.out).toContain('shown-once')
    expect(JSON.parse(asked[0]?.slice('POST /api/apps '.length) ?? '{}')).toEqual({
      name: 'Photos',
      redirectUris: ['https://photos.example.org/callback'],
      leaveUris: [],
      logoutUri: null,
      kind: 'confidential',
      trusted: true,
      allowed: { roles: ['member'], groups: [] },
    })
    expect(
      (await run('apps', 'add', 'Photos', '--redirect', 'https://x.example', '--role', 'king')).code,
    ).toBe(2)
    expect((await run('apps', 'add', 'Photos')).code).toBe(2)
  })
  it('renews, removes, rotates', async () => {
    expect((await run('apps', 'secret', 'Photos')).out).toContain('another-one')
    expect((await run('apps', 'remove', 'Photos')).code).toBe(0)
    expect((await run('apps', 'rotate-keys')).out).toContain('3 keys')
    expect((await run('guard', 'remove', 'Printer')).code).toBe(0)
    expect(asked.map((it) => it.split(' {')[0])).toEqual([
      `POST /api/apps/${PHOTOS.id}/secret`,
      `DELETE /api/apps/${PHOTOS.id}`,
      'POST /api/local/signing-keys',
      `DELETE /api/forward-routes/${PRINTER.id}`,
    ])
  })
  it('guards, and says what to write into Traefik', async () => {
    expect((await run('guard', 'add', 'Printer', 'printer.example.org', '--app-passwords')).code).toBe(0)
    expect(asked[0]).toContain('"appPasswords":true')
    const text = (await run('guard', 'traefik', 'https://k.example/')).out
    expect(text).toContain('address: https://k.example/api/forward-auth')
    for (const name of ['X-Kalnet-User', 'Cookie', 'Authorization']) expect(text).toContain(`- ${name}`)
  })
})
