/** The life of a service as a family has it, by the API and through the gateway: installed, opened, used, updated, started afresh, removed. */
import { createSocket } from 'node:dgram'
import { type GatewayRoute, gatewayRoutes } from '@kalnet/contracts/gateway'
import type { PlatformName } from '@kalnet/contracts/instance'
import { type Service, serviceRoutes } from '@kalnet/contracts/service'
import { systemClock } from '@kalnet/io/clock'
import { expect } from 'vitest'
import type { Client } from '../support/client.ts'
import type { Product } from '../support/product.ts'
import { signInToChat } from './chat.ts'
import { TALKS } from './talks.ts'
import { createVisitor, openFront } from './visitor.ts'
import type { Door, Way } from './way.ts'

export const LIFE_MS = 30 * 60_000
const STEP_MS = 900_000

export interface Household {
  product: Product
  client: Client
  gatewayPort: number
  /** Opened on the way; whoever began closes them. */
  fronts: Door[]
}
export interface Wanted {
  templateId: string
  platform: PlatformName
}

const runs = (release: number) => (it: Service) =>
  it.state === 'running' &&
  it.release === release &&
  it.instances.every((one) => one.release === release && one.health?.state === 'healthy')

/** Installed, healthy, and open to whoever is signed in. */
export async function setUp(household: Household, { templateId, platform }: Wanted) {
  const { product, client, gatewayPort } = household
  const visitor = createVisitor(client, gatewayPort)
  const made = await client.call(serviceRoutes.install, {
    body: { templateId, platform, answers: TALKS[templateId]?.answers ?? {} },
  })
  const params = { id: made.id }
  const read = () => client.call(serviceRoutes.read, { params })
  async function until(fits: (it: Service) => boolean, what: string): Promise<Service> {
    const end = Date.now() + STEP_MS
    for (;;) {
      const it = await read()
      if (fits(it)) return it
      if (Date.now() > end || it.state === 'failed')
        throw new Error(
          `it is not ${what}: ${JSON.stringify(it, null, 1)}\n${await product.log('controller')}`,
        )
      await systemClock.sleep(200, AbortSignal.timeout(LIFE_MS))
    }
  }
  const doorOf = async (): Promise<GatewayRoute | undefined> =>
    (await client.call(gatewayRoutes.list, { query: { limit: '100' } })).items.find(
      (it) => it.serviceId === made.id,
    )
  /** Until nobody knows it and nothing leads to it. */
  async function remove(data: 'keep' | 'remove'): Promise<void> {
    await client.call(serviceRoutes.remove, { params, query: { data } })
    const gone = async () => (await client.attempt(serviceRoutes.read, { params })).status
    await expect.poll(gone, { timeout: 60_000 }).toBe(404)
    expect(await doorOf()).toBeUndefined()
  }
  try {
    const service = await until(runs(1), 'running')
    expect(service.instances.map((it) => it.platform)).toEqual(service.instances.map(() => platform))
    const door = await doorOf()
    if (service.url && door?.access === 'people') await visitor.enter(new URL(service.url).host)
    // A database has no door: only other services reach it.
    const way = door && (await wayTo(household, service, door, visitor))
    return { service, way, params, read, until, remove }
  } catch (error) {
    await remove('remove')
    throw error
  }
}

/** `glance`: what else is looked at while it runs. `data`: what happens to it in the end. */
export async function liveThrough(
  household: Household,
  wanted: Wanted,
  { glance, data = 'remove' }: { glance?(it: Service): Promise<void>; data?: 'keep' | 'remove' } = {},
): Promise<Service> {
  const { product, client } = household
  const talk = TALKS[wanted.templateId]
  const { service, way, params, read, until, remove } = await setUp(household, wanted)
  try {
    if (way) await talk?.write(way)
    await glance?.(service)
    await client.call(serviceRoutes.update, { params, body: {} })
    await until(runs(2), 'updated')
    if (way) await talk?.read(way)
    // By OpenID Connect, through its link to our sign-in: no second password.
    if (way && wanted.templateId === 'synapse')
      expect(await signInToChat(way, client, product.url)).toMatch(/^@ada.*:synapse\.localhost$/)
    const before = await read()
    await client.call(serviceRoutes.restart, { params, body: {} })
    const generation = before.instances[0]?.generation ?? 0
    const isFresh = (it: Service) => it.instances.every((one) => one.generation > generation)
    await until((it) => runs(2)(it) && isFresh(it), 'started afresh')
    if (way) await talk?.read(way)
  } finally {
    await remove(data)
  }
  return service
}

/** Through the gateway and nothing else. */
async function wayTo(
  { gatewayPort, fronts }: Household,
  service: Service,
  door: GatewayRoute,
  visitor: ReturnType<typeof createVisitor>,
): Promise<Way> {
  const host = service.url ? new URL(service.url).host : ''
  let listen = 0
  let program: Way['program']
  if (door.match.kind !== 'http') listen = door.match.listen
  else if (door.appPasswords) {
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
