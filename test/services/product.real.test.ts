/**
 * Services as a family has them: installed by the API, opened through the gateway by somebody who is signed in, updated, started afresh,
 * removed with their data. Three always; all nine on both platforms with KALNET_SERVICES=all.
 */

import { createSocket } from 'node:dgram'
import { type GatewayRoute, gatewayRoutes } from '@kalnet/contracts/gateway'
import { type Service, serviceRoutes } from '@kalnet/contracts/service'
import { isDemanded, missing } from '@kalnet/controller/platforms/testing'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, createClient } from '../support/client.ts'
import { freePort, type Product, startProduct, tokenOf } from '../support/product.ts'
import { signInToChat } from './chat.ts'
import { homeWithImages } from './home.ts'
import { note } from './results.ts'
import { TALKS } from './talks.ts'
import { createVisitor, openFront } from './visitor.ts'
import type { Door, Way } from './way.ts'

const LIMIT_MS = 30 * 60_000
const isAll = process.env.KALNET_SERVICES === 'all'
const SHORT: [string, 'process' | 'docker'][] = [
  ['site', 'process'],
  ['radicale', 'process'],
  ['postgresql', 'process'],
  ['site', 'docker'],
]
const ALL = Object.keys(TALKS).flatMap(
  (id) =>
    [
      [id, 'process'],
      [id, 'docker'],
    ] as [string, 'process' | 'docker'][],
)
const lacks =
  process.getuid?.() === 0 ? await missing(['mmdebstrap', 'flock', 'bwrap', 'npm', 'dockerd']) : 'root'

if (lacks && !isDemanded) test.skip(`services of the whole product: ${lacks} is missing`)
else
  describe('a service of the whole product', () => {
    let product: Product
    let client: Client
    let gatewayPort = 0
    const fronts: Door[] = []
    beforeAll(async () => {
      gatewayPort = await freePort()
      product = await startProduct({
        home: await homeWithImages(),
        env: { KALNET_GATEWAY_HTTP_PORT: String(gatewayPort) },
      })
      client = createClient(product.url)
      await client.claim(tokenOf(product.claim))
    }, 300_000)
    afterAll(async () => {
      for (const front of fronts) await front.close()
      await product?.down()
    }, 120_000)

    const read = (id: string) => client.call(serviceRoutes.read, { params: { id } })
    async function until(id: string, fits: (it: Service) => boolean, what: string): Promise<Service> {
      const end = Date.now() + 900_000
      for (;;) {
        const it = await read(id)
        if (fits(it)) return it
        if (Date.now() > end || it.state === 'failed')
          throw new Error(
            `it is not ${what}: ${JSON.stringify(it, null, 1)}\n${await product.log('controller')}`,
          )
        await systemClock.sleep(200, AbortSignal.timeout(LIMIT_MS))
      }
    }
    const runs = (release: number) => (it: Service) =>
      it.state === 'running' &&
      it.release === release &&
      it.instances.every((one) => one.release === release && one.health?.state === 'healthy')

    async function doorOf(id: string): Promise<GatewayRoute | undefined> {
      const { items } = await client.call(gatewayRoutes.list, { query: { limit: '100' } })
      return items.find((it) => it.serviceId === id)
    }

    /** Through the gateway and nothing else. */
    async function wayTo(service: Service, visitor: ReturnType<typeof createVisitor>): Promise<Way> {
      const door = await doorOf(service.id)
      const host = service.url ? new URL(service.url).host : ''
      let listen = 0
      let program: Way['program']
      if (door && door.match.kind !== 'http') listen = door.match.listen
      else if (door?.appPasswords) {
        const front = await openFront(gatewayPort, host)
        fronts.push(front)
        listen = front.port
        program = await visitor.passwordFor(host)
      }
      return {
        secrets: {},
        program,
        http: (path, options = {}) => visitor.visit(host, path, options),
        place: async () => ({ host: '127.0.0.1', port: listen }),
        async packet(payload) {
          const socket = createSocket('udp4')
          try {
            const first = new Promise<Buffer>((resolve, reject) => {
              socket.once('message', resolve)
              socket.once('error', reject)
            })
            socket.send(payload, listen, '127.0.0.1')
            const late = systemClock
              .sleep(10_000, AbortSignal.timeout(15_000))
              .then(() => Promise.reject(new Error('no packet came back')))
            return await Promise.race([first, late])
          } finally {
            socket.close()
          }
        },
      }
    }

    test.each(isAll ? ALL : SHORT)(
      '[TPL-1.service-product] %s on %s: installed, opened, updated, started afresh, removed',
      async (templateId, platform) => {
        const begin = performance.now()
        const talk = TALKS[templateId]
        const visitor = createVisitor(client, gatewayPort)
        const made = await client.call(serviceRoutes.install, {
          body: { templateId, platform, answers: talk?.answers ?? {} },
        })
        const params = { id: made.id }
        try {
          const service = await until(made.id, runs(1), 'running')
          const door = await doorOf(made.id)
          if (service.url && door?.access === 'people') await visitor.enter(new URL(service.url).host)
          // A database has no door: only other services reach it.
          const canTalk = door !== undefined
          const way = await wayTo(service, visitor)
          if (canTalk) await talk?.write(way)
          await client.call(serviceRoutes.update, { params, body: {} })
          await until(made.id, runs(2), 'updated')
          if (canTalk) await talk?.read(way)
          // By OpenID Connect, through its link to our sign-in: no second password.
          if (templateId === 'synapse')
            expect(await signInToChat(way, client, product.url)).toMatch(/^@ada.*:synapse\.localhost$/)
          const before = await read(made.id)
          await client.call(serviceRoutes.restart, { params, body: {} })
          const generation = before.instances[0]?.generation ?? 0
          await until(
            made.id,
            (it) => runs(2)(it) && it.instances.every((one) => one.generation > generation),
            'started afresh',
          )
          if (canTalk) await talk?.read(way)
        } finally {
          await client.call(serviceRoutes.remove, { params, query: { data: 'remove' } })
        }
        const gone = async () => (await client.attempt(serviceRoutes.read, { params })).status
        await expect.poll(gone, { timeout: 60_000 }).toBe(404)
        expect(await doorOf(made.id)).toBeUndefined()
        if (isAll)
          await note(`the whole product, ${platform}`, templateId, {
            version: made.version,
            wholeLifeMs: Math.round(performance.now() - begin),
            at: new Date().toISOString(),
          })
      },
      LIMIT_MS,
    )
  })
