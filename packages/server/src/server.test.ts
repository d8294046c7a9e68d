/** The whole control plane as composed: complete, over http and https, and gone when closed. */
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { type RequestOptions, request } from 'node:https'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { localRoutes } from '@kalnet/contracts/local'
import { createLog } from '@kalnet/io/log'
import { fastify } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MATRIX } from './access/matrix.ts'
import { serveDashboard } from './core/dashboard.ts'
import { testDatabase } from './core/testing.ts'
import { ensureTls } from './core/tls.ts'
import { createServer } from './server.ts'
import { askAt, freePort } from './testing/server.ts'

const log = createLog('test', 'silent')
let home: string
let database: Awaited<ReturnType<typeof testDatabase>>
const folders = () => ({ data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') })
beforeAll(async () => {
  home = await mkdtemp('/tmp/kalnet-test-')
  database = await testDatabase({ migrated: false })
})
afterAll(async () => {
  await database.drop()
  await rm(home, { recursive: true, force: true })
})

describe('[CTL-1.serve] the control plane', () => {
  it('binds exactly the routes of the contract, answers, closes, and starts again', async () => {
    for (let round = 0; round < 2; round++) {
      const port = await freePort()
      const config = configSchema.parse({ listen: { port } })
      const server = await createServer({ config, folders: folders(), log, databaseUrl: database.url })
      expect(
        server.http
          .routes()
          .map((route) => `${route.method} ${route.path}`)
          .sort(),
      ).toEqual(Object.keys(MATRIX).sort())
      await server.listen()
      expect((await askAt({ port }, 'GET', '/api/status')).body.claimed).toBe(false)
      const socketPath = join(folders().runtime, 'control.sock')
      expect((await stat(socketPath)).mode & 0o777).toBe(0o600)
      expect((await stat(join(folders().config, 'master.key'))).mode & 0o777).toBe(0o400)
      const { link } = localRoutes.claimLink.answer.parse(
        (await askAt({ socketPath }, 'POST', '/api/local/claim-link')).body,
      )
      expect(link?.url).toMatch(new RegExp(`^http://127.0.0.1:${port}/claim#[\\w-]{43}$`))
      await server.close()
      await expect(askAt({ port }, 'GET', '/api/status')).rejects.toThrow(/ECONNREFUSED/)
    }
  })
  it('a port that is taken is explained', async () => {
    const port = await freePort()
    const options = { config: configSchema.parse({ listen: { port } }), log, databaseUrl: database.url }
    const first = await createServer({ ...options, folders: folders() })
    await first.listen()
    const second = await createServer({ ...options, folders: { ...folders(), runtime: join(home, 'run2') } })
    await expect(second.listen()).rejects.toThrow(/is held by/)
    await second.close()
    await first.close()
  })
})

describe('[SEC-4.https] over https', () => {
  it('the cookie is bound to the host and to https, and browsers are told to stay there', async () => {
    const port = await freePort()
    const tls = await ensureTls(folders().config, ['localhost', '127.0.0.1', 'kalnet.test'])
    const config = configSchema.parse({
      listen: { host: '0.0.0.0', port },
      tls: { enabled: true, names: ['kalnet.test'] },
    })
    const server = await createServer({
      config,
      folders: folders(),
      log,
      databaseUrl: database.url,
      tls: { key: tls.key, cert: tls.certificate },
    })
    await server.listen()
    const link = await server.identity.claims.issue()
    const body = JSON.stringify({
      token: link?.url.split('#')[1],
      name: 'Ada',
      email: 'ada@example.org',
      password: 'correct horse',
      organisationName: 'Home',
    })
    const ask = (more: RequestOptions, text?: string) =>
      new Promise<{ status: number; cookie: string; hsts: string; body: string }>((resolve, reject) => {
        const call = request(
          {
            host: '127.0.0.1',
            port,
            ca: tls.authority,
            servername: 'kalnet.test',
            path: '/api/status',
            ...more,
          },
          (answer) => {
            let said = ''
            answer.on('data', (piece) => {
              said += piece
            })
            answer.on('end', () =>
              resolve({
                status: answer.statusCode ?? 0,
                cookie: answer.headers['set-cookie']?.[0] ?? '',
                hsts: answer.headers['strict-transport-security'] ?? '',
                body: said,
              }),
            )
          },
        )
        call.once('error', reject)
        call.end(text)
      })
    const origin = `https://kalnet.test:${port}`
    const headers = {
      host: `kalnet.test:${port}`,
      origin,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const foreign = await ask(
      { method: 'POST', path: '/api/claim', headers: { ...headers, origin: `http://kalnet.test:${port}` } },
      body,
    )
    expect(foreign.status).toBe(403)
    const claimed = await ask({ method: 'POST', path: '/api/claim', headers }, body)
    expect(claimed.status).toBe(200)
    expect(claimed.cookie).toMatch(
      /^__Host-kalnet=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    )
    expect(claimed.hsts).toBe('max-age=31536000; includeSubDomains')
    const cookie = claimed.cookie.split(';')[0] ?? ''
    expect((await ask({ path: '/api/me', headers: { cookie } })).status).toBe(200)
    // The plain name of loopback is nothing here: another program on this host could set it.
    expect((await ask({ path: '/api/me', headers: { cookie: cookie.replace('__Host-', '') } })).status).toBe(
      401,
    )
    await server.close()
  })
})

describe('[UI-2.files] the dashboard’s files', () => {
  it('hashed ones for ever, pages never; a strict policy; addresses of pages are the application’s', async () => {
    const folder = join(home, 'dist')
    await mkdir(join(folder, 'assets'), { recursive: true })
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>Kalnet</title>')
    await writeFile(join(folder, 'assets/app-abc.js'), 'plain')
    await writeFile(join(folder, 'assets/app-abc.js.br'), 'packed')
    await writeFile(join(home, 'secret.txt'), 'canary')
    const app = fastify({ exposeHeadRoutes: false })
    await serveDashboard(app, folder)
    const at = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers })
    const page = await at('/sessions/01920000-0000-7000-8000-000000000001')
    expect([page.statusCode, page.body]).toEqual([200, expect.stringContaining('Kalnet')])
    expect(page.headers['content-security-policy']).toContain("default-src 'none'")
    expect(page.headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/)
    expect(page.headers['cache-control']).toBe('no-cache')
    const script = await at('/assets/app-abc.js', { 'accept-encoding': 'br' })
    expect([script.body, script.headers['content-encoding'], script.headers['cache-control']]).toEqual([
      'packed',
      'br',
      'public, max-age=31536000, immutable',
    ])
    for (const url of [
      '/assets/none.js',
      '/api/none',
      '/favicon.ico',
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
    ]) {
      const answer = await at(url)
      expect(answer.body).not.toContain('canary')
      if (!url.includes('secret')) expect([url, answer.statusCode]).toEqual([url, 404])
    }
    await app.close()
  })
})
