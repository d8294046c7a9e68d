/**
 * Traefik's own dashboard behind our sign-in: a real Traefik, given what we render for it, asks our real forward-auth. Its API is what is
 * asked: the page's own files are not among the modules that the peer is built from.
 */
import { createServer, type Server } from 'node:http'
import { portOf, snapshotOf } from '@kalnet/server/gateway/engine/testing/bench'
import { renderTraefik } from '@kalnet/server/gateway/render/traefik'
import { type AppServer, appServer, createBrowser } from '@kalnet/server/testing/apps'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTraefik, type Traefik } from '../peers/60-traefik.ts'
import { lacking } from '../support/parts.ts'

const skip = await lacking(['traefik'], "Traefik's own dashboard opens for owners and administrators only")
const HOST = 'traefik.localhost'

describe.skipIf(skip)("[NET-2.dashboard] Traefik's own dashboard", () => {
  let server: AppServer
  let provider: Server
  let traefik: Traefik
  let origin: string
  /** The first organisation runs the installation. */
  let home: string
  beforeAll(async () => {
    server = await appServer({ traefikHost: HOST })
    home = (await server.person('owner')).organisationId
    provider = createServer((_request, response) => {
      const { config } = renderTraefik(snapshotOf([], []), {
        entryPoints: { web: 'web', secure: null },
        resolver: null,
        forwardAuth: `${server.origin}/api/forward-auth`,
        own: { hosts: [], url: server.origin },
        dashboardHost: HOST,
        trust: null,
        reach: () => null,
      })
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(config))
    })
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
    traefik = await startTraefik({ endpoint: `http://127.0.0.1:${portOf(provider)}/` })
    origin = `http://${HOST}:${traefik.port}`
  })
  afterAll(async () => {
    await traefik?.stop()
    provider?.close()
    await server?.end()
  })

  /** As a browser that asks for the page and is sent to the dashboard; answers what it is told there. */
  async function come(secret: string) {
    const browser = createBrowser()
    const sent = await browser.go(`${origin}/dashboard/`)
    const at = new URL(sent.location)
    const answer = await server.ask('POST', '/api/enter', {
      as: secret,
      body: { to: at.searchParams.get('to'), state: at.searchParams.get('state') },
    })
    return { browser, answer }
  }

  it.each(['/', '/dashboard/', '/api/overview', '/api/rawdata'])(
    'a stranger who asks for %s is sent to the sign-in, a program is told no',
    async (path) => {
      const page = await createBrowser().go(origin + path)
      expect(page.status).toBe(302)
      expect(page.location).toContain(`${server.origin}/enter?`)
      const program = await createBrowser().go(origin + path, { headers: { accept: 'application/json' } })
      expect(program.status).toBe(401)
    },
  )

  it.each(['owner', 'admin'] as const)('an %s passes and reads what Traefik has', async (role) => {
    const { browser, answer } = await come((await server.person(role, home)).secret)
    expect(answer.status).toBe(200)
    const back = await browser.go(String(answer.body.to))
    expect(back.location).toBe(`${origin}/dashboard/`)
    const { status, text } = await browser.go(`${origin}/api/overview`)
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({ http: { routers: { errors: 0 } }, providers: ['HTTP'] })
  })

  it.each(['member', 'child', 'guest'] as const)('a %s does not', async (role) => {
    const { answer } = await come((await server.person(role, home)).secret)
    expect(answer.status).toBe(403)
  })

  it('nobody opens it to others: a guarded address of the same name changes nothing', async () => {
    const owner = await server.person('owner', home)
    for (const host of [HOST, `${HOST}:${traefik.port}`])
      await server.ask('POST', '/api/forward-routes', {
        as: owner.secret,
        body: { name: 'Open', host, who: 'public' },
      })
    expect((await createBrowser().go(`${origin}/api/overview`)).status).toBe(302)
  })

  it('an administrator of another household does not pass: it shows the routes of all', async () => {
    const other = await server.person('owner')
    expect((await come(other.secret)).answer.status).not.toBe(200)
  })
})
