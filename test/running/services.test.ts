/** Services through the whole product: a real control plane and real controllers; only the platform under them is made up. */
import type { Service } from '@kalnet/contracts/service'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Machine, type Person, type Plane, startPlane, WAIT } from './support.ts'

const head = (id: string, version = '1.0.0') => `id: ${id}
version: ${version}
name: ${id}
summary: Runs nothing
category: tools
licence: MIT
kind: service
platforms: [fake]
`
const page = (version = '1.0.0', program = 'program') => `${head('page', version)}
replicas: { most: 3 }
doors: [{ port: web }]
parts:
  - name: web
    image: { reference: none }
    command: [${program}]
    ports: [{ name: web, kind: http, at: { tcp: 8080 } }]
`

let plane: Plane
let machine: Machine
let owner: Person
beforeAll(async () => {
  plane = await startPlane({ templates: { page: page() } })
  owner = await plane.claim()
  machine = await plane.machine()
})
afterAll(async () => {
  await plane.end()
})

async function call(method: string, path: string, body?: object): Promise<Service> {
  const answer = await plane.ask(method, path, {
    as: owner.secret,
    body: body ?? (method === 'POST' ? {} : undefined),
  })
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
  return answer.body as unknown as Service
}
async function until(id: string, fits: (service: Service) => boolean): Promise<Service> {
  const end = Date.now() + WAIT.timeout
  for (;;) {
    const service = await call('GET', `/api/services/${id}`)
    if (fits(service)) return service
    if (Date.now() > end) throw new Error(`waited in vain: ${JSON.stringify(service)}`)
    await systemClock.sleep(WAIT.interval)
  }
}
const runs = (service: Service) => service.state === 'running'

describe('the life of a service', () => {
  it('[NET-5.life] installed, stopped, started, restarted, removed', async () => {
    const { id, name, url } = await call('POST', '/api/services', { templateId: 'page' })
    expect([name, url]).toEqual(['page', 'http://page.localhost:8080'])
    const first = await until(id, runs)
    expect(first.instances.map((it) => [it.part, it.number, it.state, it.generation])).toEqual([
      ['web', 0, 'running', 1],
    ])
    await call('POST', `/api/services/${id}/stop`)
    await until(id, (it) => it.state === 'stopped')
    await call('POST', `/api/services/${id}/start`)
    await until(id, runs)
    await call('POST', `/api/services/${id}/restart`)
    const again = await until(id, (it) => runs(it) && it.instances[0]?.generation === 3)
    expect(again.instances[0]?.id).toBe(first.instances[0]?.id)
    await plane.putTemplate('page', page('1.1.0', 'better'))
    await until(id, (it) => it.updateTo === '1.1.0')
    await call('POST', `/api/services/${id}/update`)
    const updated = await until(id, (it) => it.release === 2 && it.instances.length === 1)
    expect([updated.version, updated.state]).toEqual(['1.1.0', 'running'])
    await call('DELETE', `/api/services/${id}`)
    expect((await plane.ask('GET', `/api/services/${id}`, { as: owner.secret })).status).toBe(404)
    expect(machine.world.mostAtOnce).toBe(1)
  })
})
