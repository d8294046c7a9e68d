/**
 * The compose files as somebody runs them: built, started by docker-compose, claimed, used through Traefik with a service of the docker
 * platform, restarted and killed. Takes minutes and the ports 80, 443 and 7400 of this machine: with KALNET_COMPOSE=all. What others publish
 * (PostgreSQL, NATS, Traefik) are images made here of the same programs, not the published ones.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CONTROLLER_HOME, IMAGE_USER } from '@kalnet/cli/render/dockerfile'
import { type Service, serviceRoutes } from '@kalnet/contracts/service'
import { portTaken } from '@kalnet/io/ports'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, type Client, createClient, OWNER } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { lacking } from '../support/parts.ts'
import { tokenOf } from '../support/product.ts'
import { dropImages, makeImages } from './images.ts'
import { bringCertificate, DIAL, inImage, LOOKED_UP, memberOf, untilRuns } from './inside.ts'
import { note } from './results.ts'
import { openStack, type Stack } from './stack.ts'
import { createVisitor } from './visitor.ts'

const isAsked = process.env.KALNET_COMPOSE === 'all'
const skip =
  !isAsked ||
  (await lacking(['root', 'docker', 'compose', 'mmdebstrap', 'traefik'], 'the compose files, really started'))
const HOST = 'kalnet.home.arpa'
const BASE = `https://${HOST}`
const LONG = 30 * 60_000

describe.skipIf(skip)('the compose files, started with images made here of the same programs', () => {
  let made: Awaited<ReturnType<typeof makeImages>>
  beforeAll(async () => {
    for (const port of [80, 443, 7400]) {
      const taken = await portTaken('0.0.0.0', port)
      if (taken) throw new Error(`the compose files open the usual ports: ${taken.message}`)
    }
    if (existsSync(CONTROLLER_HOME))
      throw new Error(`${CONTROLLER_HOME} is somebody's: a controller runs here`)
    made = await makeImages()
  }, LONG)
  afterAll(async () => {
    if (process.env.KALNET_COMPOSE_KEEP !== '1') await dropImages()
  }, LONG)

  it('[NET-7.image] the image builds from its Dockerfile, small, for a user without rights', async () => {
    await note('images', made)
    // 268 MB of it are the base: Debian, Node and npm.
    expect(made['kalnet:local']?.bytes).toBeLessThan(500e6)
    expect(await inImage(['--cap-drop=ALL', '--entrypoint=id'], '-u')).toBe(String(IMAGE_USER))
    for (const command of ['serve', 'controller', 'gateway']) {
      expect(await inImage(['--network=none'], command, '--help')).toContain(`kalnet ${command}`)
    }
  })

  describe('docker-compose.prod.yml', () => {
    let stack: Stack
    let ca: string
    let client: Client
    let visitor: ReturnType<typeof createVisitor>
    let service: Service
    const secrets: Record<string, string> = { POSTGRES_PASSWORD: 'of-the-database-41', KALNET_HOST: HOST }

    beforeAll(async () => {
      stack = await openStack('docker-compose.prod.yml', 'kalnet-test-prod')
      // A certificate of one's own: no authority of the internet is reached here, nor would it know this name.
      ca = await bringCertificate(join(stack.folder, 'traefik/compose'), [HOST, `*.${HOST}`])
      client = createClient(BASE, ca, '127.0.0.1')
      visitor = createVisitor({ client, ca })
    }, LONG)
    afterAll(async () => {
      await stack?.close()
    }, LONG)

    it('[NET-2.compose] without a password nothing starts, and it says which', async () => {
      const { code, stderr } = await stack.attempt('up', '--detach', '--no-build')
      expect(code).not.toBe(0)
      expect(stderr).toContain('choose one in .env')
    })

    it(
      '[NET-2.started] everything starts and says that it is healthy',
      async () => {
        const began = performance.now()
        await stack.env(secrets)
        await stack.compose('up', '--detach', '--no-build')
        await stack.healthy('postgres', 'nats', 'control-plane', 'traefik')
        await note('prod', { healthyMs: Math.round(performance.now() - began) })
      },
      LONG,
    )

    it('[NET-2.started] it is claimed through Traefik, over TLS, before Traefik has a key', async () => {
      const plain = await ask(`http://${HOST}`, { method: 'GET', path: '/claim', at: '127.0.0.1' })
      expect([301, 302, 307, 308]).toContain(plain.status)
      expect(plain.headers.location).toBe(`${BASE}/claim`)
      const page = await visitor.visit(`${BASE}/claim`)
      expect(page.status).toBe(200)
      expect(String(page.body)).toContain('<div id="root">')
      const { claim } = await stack.kalnet<{ claim: string | null }>('claim')
      expect(claim).toContain(`${BASE}/claim#`)
      await client.claim(tokenOf(claim))
      expect(await stack.kalnet<{ claim: string | null }>('claim')).toEqual({ claim: null })
    })

    it(
      '[NET-2.started] given its key and a controller, a service of the docker platform opens by its name, for those who are let in',
      async () => {
        const key = await stack.kalnet<{ token: string }>('key', 'add', 'traefik', '--scope', 'gateway.serve')
        const enrolled = await stack.kalnet<{ token: string; command: string }>(
          'controllers',
          'enrol',
          'docker',
        )
        Object.assign(secrets, {
          TRAEFIK_KEY: key.token,
          KALNET_CONTROLLER_TOKEN: enrolled.token,
          KALNET_CA_FINGERPRINT: /--ca-fingerprint (\S+)/.exec(enrolled.command)?.[1] ?? '',
        })
        await stack.env(secrets)
        stack.use('controller')
        await stack.compose('up', '--detach', '--no-build')
        await stack.healthy('traefik')
        await eventually(
          'the controller is connected',
          async () => {
            const { items } = await stack.kalnet<{
              items: { state: string; fingerprints: { usable: boolean }[] }[]
            }>('controllers', 'list')
            return items.some((one) => one.state === 'online' && one.fingerprints.some((two) => two.usable))
          },
          120_000,
        )
        const began = performance.now()
        service = await client.call(serviceRoutes.install, {
          body: { templateId: 'site', platform: 'docker' },
        })
        await untilRuns(client, stack, service.id)
        await note('service', { installedMs: Math.round(performance.now() - began) })
        service = await client.call(serviceRoutes.read, { params: { id: service.id } })
        expect(service.url).toMatch(/^https:\/\/[a-z-]+\.kalnet\.home\.arpa\/?$/)
        const address = service.url ?? ''
        await eventually(
          'Traefik knows it',
          async () => (await visitor.visit(address)).status === 302,
          20_000,
        )
        expect((await visitor.visit(address)).location).toContain(`${BASE}/enter?`)
        expect(await visitor.enter(address)).toBe(200)
        await opens()
      },
      LONG,
    )

    it("[NET-2.dashboard] Traefik's own dashboard: a stranger is sent to the sign-in, a member refused, the owner passes", async () => {
      const address = `https://traefik.${HOST}/dashboard/`
      const sent = await visitor.visit(address)
      expect(sent.status).toBe(302)
      expect(sent.location).toContain(`${BASE}/enter?`)
      const member = await memberOf(client, BASE, ca)
      expect(await createVisitor({ client: member, ca }).enter(address, member)).toBe(403)
      expect(await visitor.enter(address)).toBe(200)
      const overview = await visitor.visit(`https://traefik.${HOST}/api/overview`)
      expect(overview.status).toBe(200)
      expect(overview.body).toMatchObject({ http: { routers: { errors: 0 } }, providers: ['File', 'HTTP'] })
      // Not by a port of its own; whoever else answers there is not Traefik.
      const elsewhere = await ask('http://127.0.0.1:8080', { method: 'GET', path: '/api/overview' }).catch(
        () => null,
      )
      expect(elsewhere?.status).not.toBe(200)
    })

    it('[NET-7.compose] limits hold, nobody has rights he does not need', async () => {
      for (const name of ['traefik', 'postgres', 'nats', 'control-plane', 'controller']) {
        const { HostConfig } = await stack.inspect(name)
        expect(HostConfig.Memory, name).toBeGreaterThan(0)
        expect(HostConfig.NanoCpus, name).toBeGreaterThan(0)
        expect(HostConfig.PidsLimit, name).toBeGreaterThan(0)
        expect(HostConfig.Privileged, name).toBe(false)
        if (name === 'controller') continue
        expect(HostConfig.CapDrop, name).toEqual(['ALL'])
        expect(HostConfig.SecurityOpt, name).toContain('no-new-privileges:true')
        if (name !== 'postgres') expect(HostConfig.ReadonlyRootfs, name).toBe(true)
      }
      expect((await stack.inspect('control-plane')).Config.User).toBe(`${IMAGE_USER}:${IMAGE_USER}`)
    })

    it('[NET-7.segmented] from the edge nobody reaches the database or NATS; the data network leads nowhere else', async () => {
      const addresses = await stack.compose('exec', '-T', 'control-plane', 'node', '-e', LOOKED_UP)
      const { postgres, nats } = JSON.parse(addresses.stdout) as { postgres: string; nats: string }
      const reaches = (network: string, host: string, port: number) =>
        inImage([`--network=kalnet-test-prod_${network}`, '--entrypoint=node'], '-e', DIAL, host, `${port}`)
      for (const host of ['postgres', postgres]) expect(await reaches('edge', host, 5432), host).toBe('no')
      for (const host of ['nats', nats]) expect(await reaches('edge', host, 4222), host).toBe('no')
      // The same question asked from where it is allowed: it is the network that says no.
      expect(await reaches('data', postgres, 5432)).toBe('yes')
      expect(await reaches('data', nats, 4222)).toBe('yes')
    })

    it('[NET-2.nats] the control plane is connected to NATS', async () => {
      await eventually('a connection', async () => {
        const { stdout } = await stack.compose(
          'exec',
          '-T',
          'nats',
          'wget',
          '-q',
          '-O',
          '-',
          'http://127.0.0.1:8222/connz',
        )
        return (JSON.parse(stdout) as { num_connections: number }).num_connections > 0
      })
    })

    it(
      '[NET-2.kept] a restart of all loses nothing',
      async () => {
        const began = performance.now()
        await stack.compose('restart')
        await stack.healthy('postgres', 'nats', 'control-plane', 'traefik')
        await note('prod-restart', { healthyMs: Math.round(performance.now() - began) })
        await untilRuns(client, stack, service.id)
        await opens()
      },
      LONG,
    )

    it.each(['control-plane', 'traefik', 'postgres', 'controller', 'nats'])(
      '[NET-2.kept] %s, killed, comes back by itself and nothing is lost',
      async (name) => {
        await stack.kill(name)
        if (name !== 'controller') await stack.healthy(name)
        await untilRuns(client, stack, service.id)
        await opens()
      },
      LONG,
    )

    it(
      'the service goes with what it had in the engine',
      async () => {
        const params = { id: service.id }
        await client.call(serviceRoutes.remove, { params, query: { data: 'remove' } })
        await eventually(
          'it is gone',
          async () => (await client.attempt(serviceRoutes.read, { params })).status === 404,
          60_000,
        )
      },
      LONG,
    )

    /** Through Traefik, as somebody who is signed in. */
    async function opens(): Promise<void> {
      const look = () => visitor.visit(service.url ?? '')
      // Traefik asks every two seconds who there is.
      await eventually('it opens', async () => (await look()).status === 200, 120_000)
      expect(String((await look()).body)).toMatch(/<html/i)
    }
  })

  describe('docker-compose.yml', () => {
    let stack: Stack
    beforeAll(async () => {
      stack = await openStack('docker-compose.yml', 'kalnet-test-plain')
    })
    afterAll(() => stack?.close(), LONG)

    it(
      "[NET-7.started] starts without Traefik: claimed over TLS by the house's own authority, and kept through a restart",
      async () => {
        await stack.env({ POSTGRES_PASSWORD: 'of-the-database-42', KALNET_HOST: HOST })
        const began = performance.now()
        await stack.compose('up', '--detach', '--no-build')
        await stack.healthy('postgres', 'control-plane')
        await note('plain', { healthyMs: Math.round(performance.now() - began) })
        const { stdout: ca } = await stack.compose(
          'exec',
          '-T',
          'control-plane',
          'cat',
          '/etc/kalnet/ca/authority.crt',
        )
        const client = createClient(BASE, ca, '127.0.0.1')
        const visitor = createVisitor({ client, ca })
        expect((await visitor.visit(`${BASE}/`)).status).toBe(200)
        const { claim } = await stack.kalnet<{ claim: string }>('claim')
        await client.claim(tokenOf(claim))
        await stack.compose('restart')
        await stack.healthy('postgres', 'control-plane')
        expect((await visitor.visit(`${BASE}/`)).status).toBe(200)
        const again = createClient(BASE, ca, '127.0.0.1')
        expect((await again.signIn()).email).toBe(OWNER.email)
      },
      LONG,
    )
  })
})
