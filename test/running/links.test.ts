/** A service that calls another one on another machine, and its health, through the whole product; only the platform is made up. */
import { text } from 'node:stream/consumers'
import type { Service } from '@kalnet/contracts/service'
import { machineId } from '@kalnet/io/machine'
import { sql } from '@kalnet/server/core/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Machine, type Person, type Plane, startPlane } from './support.ts'

const template = (id: string, rest: string) => `id: ${id}
version: 1.0.0
name: ${id}
summary: Runs nothing
category: tools
licence: MIT
kind: service
platforms: [fake]
${rest}`
const base = template(
  'base',
  `parts:
  - name: db
    image: { reference: none }
    command: [database]
    ports: [{ name: sql, kind: tcp, at: { tcp: 5432 } }, { name: web, kind: http, at: { tcp: 80 } }]
    probe: { kind: http, port: web, intervalMs: 500, failingIntervalMs: 500, failuresToUnhealthy: 2 }
`,
)
const app = template(
  'app',
  `dependencies: [{ name: base, label: Database }]
parts:
  - name: web
    image: { reference: none }
    command: [program]
    links: [{ name: base, dependency: base, port: sql }]
`,
)

let plane: Plane
let owner: Person
let attic: Machine
let cellar: Machine
let ids: { base: string; app: string }

async function call(method: string, path: string, body: object = {}): Promise<Service> {
  const answer = await plane.ask(method, path, {
    as: owner.secret,
    body: method === 'GET' ? undefined : body,
  })
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
  return answer.body as unknown as Service
}
const read = (id: string) => call('GET', `/api/services/${id}`)
const instanceOf = async (id: string) => (await read(id)).instances[0]

beforeAll(async () => {
  plane = await startPlane({ templates: { base, app } })
  owner = await plane.claim()
  attic = await plane.machine(undefined, 'attic')
  const db = await call('POST', '/api/services', { templateId: 'base' })
  await eventually('the database runs', async () => (await read(db.id)).state === 'running')
  cellar = await plane.machine(undefined, 'cellar')
  const { items } = (await plane.ask('GET', '/api/controllers', { as: owner.secret })).body as unknown as {
    items: { id: string; name: string }[]
  }
  const { id } = items.find(({ name }) => name === 'attic')!
  await plane.ask('PATCH', `/api/controllers/${id}`, { local: true, body: { cordoned: true } })
  const web = await call('POST', '/api/services', { templateId: 'app', dependencies: { base: db.id } })
  await eventually('the app runs', async () => (await read(web.id)).state === 'running')
  ids = { base: db.id, app: web.id }
})
afterAll(() => plane.end())

it('[CTL-2.machine] whose network each controller is in is kept', async () => {
  const { rows } = await plane.store.system.read((tx) =>
    sql<{ machine: string }>`select machine from controllers`.execute(tx),
  )
  const machine = await machineId()
  expect(rows).toEqual([{ machine }, { machine }])
})

it('[NET-5.links-far] a program calls one on another machine; what each has said arrives whole', async () => {
  const [from, to] = [await instanceOf(ids.app), await instanceOf(ids.base)]
  expect([from?.controllerName, to?.controllerName]).toEqual(['cellar', 'attic'])
  attic.world.programs.told.onConnection(to!.id, 'sql', (stream) => {
    text(stream).then(
      (said) => stream.end(`heard ${said}`),
      () => undefined,
    )
  })
  await eventually('it is answered', async () => {
    const stream = cellar.world.programs.told.call(from!.id, 'base')
    stream.on('error', () => undefined)
    stream.end('a word')
    return (await text(stream).catch(() => '')) === 'heard a word'
  })
})

it('[OBS-2.changes] what its probe says is seen on the service', async () => {
  const it = await instanceOf(ids.base)
  const health = async () => (await instanceOf(ids.base))?.health?.state
  await eventually('it is healthy', async () => (await health()) === 'healthy')
  attic.world.programs.told.onRequest(it!.id, 'web', (_, response) => void response.writeHead(500).end())
  await eventually('it is unhealthy', async () => (await health()) === 'unhealthy')
  attic.world.programs.told.onRequest(it!.id, 'web', (_, response) => void response.end('fine'))
  await eventually('it is healthy again', async () => (await health()) === 'healthy')
  expect(plane.errors).toEqual([])
})
