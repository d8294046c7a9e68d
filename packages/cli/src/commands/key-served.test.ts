/** `kalnet key` against the real control plane through its control socket: made, used from outside, changed, revoked; SCIM by it. */
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { createLog } from '@kalnet/io/log'
import { testDatabase } from '@kalnet/server/core/testing'
import { createServer } from '@kalnet/server/server'
import { askAt, freePort } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

describe('[IDN-4.key-cli] kalnet key with a real control plane', () => {
  let home = NO_HOME
  let database: Awaited<ReturnType<typeof testDatabase>>
  let server: Awaited<ReturnType<typeof createServer>>
  let port: number
  beforeAll(async () => {
    home = await temporaryHome()
    database = await testDatabase()
    port = await freePort()
    const folder = (name: string) => join(home.home, name)
    server = await createServer({
      config: configSchema.parse({ listen: { port } }),
      folders: { data: folder('data'), runtime: folder('run'), config: folder('config') },
      log: createLog('test', 'silent'),
      databaseUrl: database.url,
    })
    await server.listen()
    const socketPath = join(folder('run'), 'control.sock')
    const { body } = await askAt({ socketPath }, 'POST', '/api/local/claim-link')
    const { url } = body.link as { url: string }
    const person = { name: 'Ada', email: 'ada@example.org', password: 'larch needles in winter' }
    const token = new URL(url).hash.slice(1)
    const claimed = await askAt({ port }, 'POST', '/api/claim', {
      body: { token, organisationName: 'Home', ...person },
    })
    expect(claimed.status, claimed.text).toBe(200)
  })
  afterAll(async () => {
    await server.close()
    await database.drop()
    await home.remove()
  })

  async function key(...line: string[]) {
    const { code, out, err } = await cli(home.home, 'key', ...line, '--json')
    expect(code, out + err).toBe(0)
    return JSON.parse(out) as { token: string; items: { name: string; lastUsedAt: string | null }[] }
  }
  const by = (token: string, path: string) =>
    askAt({ port }, 'GET', path, { headers: { authorization: `Bearer ${token}` } })

  it('a key acts as the owner until it is changed or revoked', async () => {
    const { token } = await key('add', 'backup', '--preset', 'read')
    expect((await by(token, '/api/me')).body).toMatchObject({ name: 'Ada', role: 'owner' })
    expect((await by(token, '/api/keys')).status).toBe(403)
    expect((await key('list')).items).toMatchObject([{ name: 'backup', lastUsedAt: expect.any(String) }])
    const second = await key('rotate', 'backup', '--overlap', '0')
    expect((await by(token, '/api/me')).status).toBe(401)
    expect((await by(second.token, '/api/me')).status).toBe(200)
    await key('revoke', second.token)
    expect((await by(second.token, '/api/me')).status).toBe(401)
    expect((await key('list')).items).toEqual([])
  })
  it('a service account keeps people in step by SCIM', async () => {
    await key('account', 'add', 'Directory', '--role', 'admin')
    const { token } = await key('add', 'scim', '--preset', 'scim', '--account', 'Directory')
    const people = await by(token, '/api/scim/v2/Users?filter=userName%20eq%20%22ada%40example.org%22')
    expect(people.body).toMatchObject({ totalResults: 1, Resources: [{ roles: [{ value: 'owner' }] }] })
    expect((await by(token, '/api/people')).status).toBe(403)
    await key('account', 'remove', 'Directory', '--yes')
    expect((await by(token, '/api/scim/v2/Users')).status).toBe(401)
  })
})
