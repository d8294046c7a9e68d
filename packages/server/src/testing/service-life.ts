/** For tests: services behind the real HTTP pipeline, with machines that are rows only; what they report is said by the test. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import type { DesiredInstance, ObservedInstance } from '@kalnet/contracts/instance'
import type { Actor } from '@kalnet/contracts/permission'
import type { Service } from '@kalnet/contracts/service'
import type { Clock } from '@kalnet/io/clock'
import { createLog, type Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import { expect } from 'vitest'
import { createCatalog } from '../catalog/catalog.ts'
import { createControllers } from '../controllers/controllers.ts'
import { sql } from '../core/store.ts'
import { createInstances } from '../instances/instances.ts'
import { addressOfService } from '../services/address.ts'
import { routesOfServices } from '../services/routes.ts'
import { createServices, type ServicesOptions } from '../services/services.ts'
import { type Answer, type TestServer, testServer } from './server.ts'

/** Time stands until the test moves it. */
export function standingClock(): Clock & { move(ms: number): void } {
  let now = Date.now()
  return {
    now: () => new Date(now),
    sleep: async () => undefined,
    move(ms) {
      now += ms
    },
  }
}

/** A template of nothing but what a test is about. */
export const serviceTemplate = (id: string, more: object, version = '1.0.0') =>
  JSON.stringify({
    id,
    version,
    name: id,
    summary: 'Runs nothing',
    category: 'tools',
    licence: 'MIT',
    kind: 'service',
    platforms: ['fake'],
    parts: [{ name: 'web', image: { reference: 'none' }, command: ['program'], ports: [webPort] }],
    ...more,
  })
export const webPort = { name: 'web', kind: 'http', at: { tcp: 8080 } }
export const probe = { kind: 'http', port: 'web' }

interface Beside {
  server: TestServer
  clock: ReturnType<typeof standingClock>
  folder: string
}

/** `beside`: a second server on the database and the clock of this one. */
export async function testServices(
  templates: Record<string, string>,
  options: { beside?: Beside; given?: Partial<ServicesOptions>; log?: Log } = {},
) {
  const { beside, log = createLog('test', 'silent') } = options
  const clock = beside?.clock ?? standingClock()
  const folder = beside?.folder ?? (await mkdtemp('/tmp/kalnet-test-'))
  const put = async (id: string, yaml: string) => {
    await mkdir(join(folder, 'templates', id), { recursive: true })
    await writeFile(join(folder, 'templates', id, 'template.yaml'), yaml)
    await writeFile(join(folder, 'templates', id, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  }
  for (const [id, yaml] of Object.entries(templates)) await put(id, yaml)
  const server: TestServer = await testServer({ clock, log, listen: false, beside: beside?.server })
  const { store, events, secrets } = server
  const controllers = createControllers({ store, events, clock })
  const instances = createInstances({ store, clock, log, secrets })
  /** Everything controllers were told, in order. */
  const pushed: string[] = []
  const forgotten: string[] = []
  const services = createServices({
    store,
    events,
    clock,
    log,
    secrets,
    controllers,
    instances,
    catalog: createCatalog({ folder, clock, log }),
    addressOf: addressOfService(configSchema.parse({})),
    push: (_controllerId, instanceId) => void pushed.push(instanceId),
    forget: (_controllerId, instanceId) => void forgotten.push(instanceId),
    forgetVolume: (_controllerId, volumeId) => void forgotten.push(`volume ${volumeId}`),
    addDoors: async () => undefined,
    removeDoors: async () => undefined,
    readLogs: async (_controllerId, instanceId) => [`printed by ${instanceId}`],
    ...options.given,
  })
  server.http.add(routesOfServices({ services }))
  await server.http.listen()
  const owner = await server.person('owner')

  const ask = (method: string, path: string, body?: object, as = owner.secret): Promise<Answer> =>
    server.ask(method, path, { as, body: body ?? (method === 'POST' ? {} : undefined) })
  const good = async (method: string, path: string, body?: object): Promise<Service> => {
    const answer = await ask(method, path, body)
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
    return answer.body as unknown as Service
  }
  const read = (id: string): Promise<Service> => good('GET', `/api/services/${id}`)
  const here = {
    server,
    services,
    instances,
    store,
    clock,
    folder,
    put,
    pushed,
    forgotten,
    owner,
    ask,
    /** A machine of the installation that is connected and has room. */
    async machine(name: string): Promise<string> {
      const id = newId()
      const fingerprint = {
        platform: 'fake',
        usable: true,
        detail: '',
        version: '1',
        isolation: 'none',
        limits: false,
        network: false,
        images: [],
      }
      const capacity = {
        cpus: 4,
        memoryBytes: 2 ** 34,
        memoryFreeBytes: 2 ** 33,
        diskFreeBytes: 2 ** 40,
        load1: 0,
      }
      await store.system.transaction((tx) =>
        sql`insert into controllers (id, name, public_key, online, last_seen_at, fingerprints, capacity, created_at)
          values (${id}, ${name}, 'none', true, ${clock.now()}, ${JSON.stringify([fingerprint])}::jsonb,
            ${JSON.stringify(capacity)}::jsonb, now())`.execute(tx),
      )
      return id
    },
    async reachable(controllerId: string, online: boolean) {
      await store.system.transaction(async (tx) => {
        await sql`update controllers set online = ${online}, last_seen_at = ${clock.now()} where id = ${controllerId}`.execute(
          tx,
        )
        await services.controllerChanged(tx, controllerId)
      })
    },
    good,
    install: (templateId: string, more: object = {}): Promise<Service> =>
      good('POST', '/api/services', { templateId, ...more }),
    read,
    desired: async (id: string): Promise<DesiredInstance> => {
      const found = await instances.desiredOf(id)
      if (!found) throw new Error(`there is no instance ${id}`)
      return found
    },
    /** As a controller reports it, of the generation that is wanted. */
    async says(instanceId: string, state: ObservedInstance['state'], more: Partial<ObservedInstance> = {}) {
      const { generation } = await here.desired(instanceId)
      const report: ObservedInstance = {
        id: instanceId,
        generation,
        platform: 'fake',
        state,
        times: {},
        progress: null,
        reason: null,
        logTail: [],
        ...more,
      }
      const controllerId = await store.system.read(
        async (tx) =>
          (
            await sql<{
              it: string
            }>`select controller_id as it from instances where id = ${instanceId}`.execute(tx)
          ).rows[0]?.it ?? '',
      )
      const after = await store.system.transaction(async (tx) => {
        await services.hold(tx, instanceId)
        const change = await instances.observe(tx, controllerId, report)
        return change ? services.follow(tx, change) : null
      })
      after?.()
    },
    healthy: (instanceId: string) => here.says(instanceId, 'running', { health: health('healthy') }),
    unhealthy: (instanceId: string) => here.says(instanceId, 'running', { health: health('unhealthy') }),
    /** All instances that are wanted run, and all that are not have ended; again until nothing moves. */
    async calm(id: string): Promise<Service> {
      // Beside the pipeline, which is not what this is about: it is asked often.
      const actor: Actor = { ...owner, kind: 'user', role: 'owner', scopes: null }
      const look = async () => (await services.read(actor, id)).instances
      let now = await look()
      for (let round = 0; round < 12; round++) {
        for (const it of now) {
          const found = await instances.desiredOf(it.id)
          if (found?.state === 'running' && it.state !== 'running' && it.nextStartAt === null)
            await (found.spec.probe ? here.healthy(it.id) : here.says(it.id, 'running'))
          if (found?.state === 'stopped' && it.state !== 'stopped') await here.says(it.id, 'stopped')
        }
        await services.tick()
        const before = JSON.stringify(now)
        now = await look()
        if (JSON.stringify(now) === before) break
      }
      return read(id)
    },
    async end() {
      await server.end()
      if (!beside) await rm(folder, { recursive: true, force: true })
    },
  }
  return here
}
export type TestServices = Awaited<ReturnType<typeof testServices>>

const health = (state: 'healthy' | 'unhealthy') => ({
  state,
  detail: state === 'healthy' ? 'It answered 200.' : 'It answered 500.',
  changedAt: new Date().toISOString(),
  tookMs: 3,
})
