/** `kalnet providers …` against a real control plane by its socket: what each line does, and what is said. */
import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { makeKeys, metadataOf } from '@kalnet/server/testing/saml-provider'
import { type TestServer, testServer } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

let home = NO_HOME
let server: TestServer
/** Only as much of a provider as a test of it looks at. */
let provider: Server
let issuer = ''
beforeAll(async () => {
  home = await temporaryHome()
  server = await testServer({ doors: true, http: { controlSocket: join(home.home, 'run/control.sock') } })
  await server.person('owner')
  provider = createServer((request, answer) => {
    const document = {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    }
    const keys = request.url?.startsWith('/keys')
    answer
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(keys ? { keys: [] } : document))
  })
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  const address = provider.address()
  issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  await writeFile(join(home.home, 'secret'), 'the client secret\n')
  await writeFile(join(home.home, 'metadata.xml'), metadataOf(await makeKeys()))
})
afterAll(async () => {
  provider?.close()
  await server?.end()
  await home.remove()
})
const run = (...args: string[]) => cli(home.home, 'providers', ...args)

describe('[IDN-2.providers] kalnet providers', () => {
  it('nothing yet', async () => {
    expect(await run('list')).toMatchObject({ code: 0, out: expect.stringContaining('no provider') })
  })
  it('adds both kinds, off, and says what to enter there', async () => {
    const secret = join(home.home, 'secret')
    const openId = await run(
      'add-openid',
      'School',
      '--issuer',
      issuer,
      '--client-id',
      'kalnet',
      '--client-secret-file',
      secret,
      '--rule',
      'parents=admin',
      '--create-people',
    )
    expect(openId.out + openId.err).toMatch(/School is added, and off[\s\S]*\/callback/)
    const saml = await run('add-saml', 'Club', '--metadata-file', join(home.home, 'metadata.xml'))
    expect(saml.out + saml.err).toMatch(/Club is added, and off[\s\S]*\/metadata[\s\S]*\/acs/)
    const { items } = JSON.parse((await run('list', '--json')).out) as { items: Record<string, unknown>[] }
    expect(items).toMatchObject([
      {
        name: 'School',
        kind: 'openid',
        enabled: false,
        hasSecret: true,
        createsPeople: true,
        rules: [{ group: 'parents', role: 'admin' }],
      },
      { name: 'Club', kind: 'saml', enabled: false, createsPeople: false },
    ])
  })
  it('tests, switches on and off, removes', async () => {
    expect(await run('test', 'School')).toMatchObject({ code: 0, out: expect.stringContaining('✓ Address') })
    expect((await run('on', 'School')).out).toContain('School is on.')
    expect((await run('list')).out).toMatch(/School +OpenID Connect +on/)
    expect((await run('off', 'school')).out).toContain('School is off.')
    expect((await run('remove', 'School', '--yes')).out).toContain('School is removed.')
    expect((await run('list')).out).not.toContain('School')
  })
  const wrong: [string[], number, RegExp][] = [
    [['on', 'Nowhere'], 2, /no provider Nowhere/],
    [['add-saml', 'X'], 2, /metadata-url or --metadata-file/],
    [
      ['add-openid', 'X', '--issuer', 'https://x.example', '--client-id', 'k', '--rule', 'parents=owner'],
      2,
      /no rule/,
    ],
    [
      ['add-openid', 'X', '--issuer', 'https://x.example', '--client-id', 'k', '--default-role', 'owner'],
      2,
      /no such role/,
    ],
    [
      [
        'add-openid',
        'X',
        '--issuer',
        'https://x.example',
        '--client-id',
        'k',
        '--client-secret-file',
        '/nowhere',
      ],
      2,
      /cannot be read/,
    ],
  ]
  it.each(wrong)('%j', async (args, code, words) => {
    const answer = await run(...args)
    expect(answer.code).toBe(code)
    expect(answer.out + answer.err).toMatch(words)
  })
})
