/** Services through the whole product: a real control plane and real controllers; only the platform under them is made up. */
import type { Service } from '@kalnet/contracts/service'
import { systemClock } from '@kalnet/io/clock'
import { sql } from '@kalnet/server/core/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Machine, type Person, type Plane, startPlane, WAIT } from './support.ts'

const head = (id: string) => `id: ${id}
version: 1.0.0
name: ${id}
summary: Runs nothing
category: tools
licence: MIT
kind: service
platforms: [fake]
`
const web = `  - name: web
    image: { reference: none }
    command: [program]
    ports: [{ name: web, kind: http, at: { tcp: 8080 } }]
`
const page = `${head('page')}
replicas: { most: 3 }
doors: [{ port: web }]
parts:
${web}`
/** An app with its database. */
const pair = `${head('pair')}
secrets: [{ name: word }]
parts:
${web}    needs: [db]
    links: [{ name: db, part: db, port: sql }]
  - name: db
    image: { reference: none }
    command: [database]
    environment: { WORD: '{{secret.word}}' }
    ports: [{ name: sql, kind: tcp, at: { tcp: 5432 } }]
    volumes: [{ name: data, at: /home/user/data }]
`

let plane: Plane
let machine: Machine
let owner: Person
beforeAll(async () => {
  plane = await startPlane({ templates: { page, pair } })
  owner = await plane.claim()
  machine = await plane.machine(undefined, 'attic')
})
afterAll(() => plane.end())

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
const partOf = (service: Service, part: string) => {
  const found = service.instances.find((it) => it.part === part)
  if (!found) throw new Error(`there is no ${part}`)
  return found
}

describe('services on real machines', () => {
  let other: Machine
  it('[NET-5.life] installed, stopped, started, killed, updated, removed', async () => {
    const { id, name, url } = await call('POST', '/api/services', { templateId: 'page' })
    expect([name, url]).toEqual(['page', `http://page.localhost:${plane.gatewayPort}`])
    const first = await until(id, runs)
    expect(first.instances.map((it) => [it.part, it.number, it.state, it.generation])).toEqual([
      ['web', 0, 'running', 1],
    ])
    await call('POST', `/api/services/${id}/stop`)
    await until(id, (it) => it.state === 'stopped')
    await call('POST', `/api/services/${id}/start`)
    const again = await until(id, runs)
    expect(partOf(again, 'web')).toMatchObject({ id: partOf(first, 'web').id, generation: 2 })
    machine.world.end(partOf(first, 'web').id, 1, 'It crashed')
    const restarted = await until(id, (it) => runs(it) && partOf(it, 'web').generation === 3)
    expect(partOf(restarted, 'web').restarts).toBe(1)
    await call('POST', `/api/services/${id}/update`)
    const updated = await until(id, (it) => it.release === 2 && it.instances.length === 1)
    expect([updated.state, updated.instances[0]?.release]).toEqual(['running', 2])
    expect(machine.world.mostAtOnce).toBe(1)
    await call('DELETE', `/api/services/${id}`)
    await eventually('nothing of it is left', async () => machine.world.runtimes.size === 0)
  })

  it('[NET-5.openness] who asks is told what opens to them, as the door itself would say', async () => {
    const { id, url } = await call('POST', '/api/services', { templateId: 'page' })
    await until(id, runs)
    const people = [owner]
    for (const role of ['member', 'child', 'guest'] as const)
      people.push(await plane.person(role, owner.organisationId))
    const { body } = await plane.ask('GET', `/api/routes?service=${id}`, { as: owner.secret })
    const [{ id: routeId }] = body.items as [{ id: string }]
    const group = await plane.ask('POST', '/api/groups', { as: owner.secret, body: { name: 'Builders' } })
    await plane.store.system.transaction((tx) =>
      sql`insert into group_members (organisation_id, group_id, user_id)
        values (${owner.organisationId}, ${group.body.id}, ${people[3]?.userId})`.execute(tx),
    )
    const cases: [object, boolean[]][] = [
      [{ allowed: { roles: [], groups: [] } }, [true, true, true, true]],
      [{ allowed: { roles: ['owner', 'member'], groups: [] } }, [true, true, false, false]],
      [{ allowed: { roles: ['child'], groups: [group.body.id] } }, [false, false, true, true]],
      [{ access: 'public' }, [true, true, true, true]],
    ]
    for (const [change, expected] of cases) {
      const changed = await plane.ask('PATCH', `/api/routes/${routeId}`, { as: owner.secret, body: change })
      expect([changed.status, changed.text]).toEqual([200, expect.any(String)])
      for (const [at, { secret }] of people.entries()) {
        const read = await plane.ask('GET', `/api/services/${id}`, { as: secret })
        const list = await plane.ask('GET', '/api/services', { as: secret })
        const listed = (list.body.items as Service[]).find((it) => it.id === id)
        const entered = await plane.ask('POST', '/api/enter', {
          as: secret,
          body: { to: `${url}/`, state: 'a'.repeat(64) },
        })
        expect([read.body.mayOpen, listed?.mayOpen, entered.status]).toEqual([
          expected[at],
          expected[at],
          expected[at] ? 200 : 403,
        ])
      }
    }
    // Nothing to open is neither open nor closed, and events, which are for all, say nothing of it.
    const parts = (await plane.ask('GET', '/api/services', { as: owner.secret })).body.items as Service[]
    expect(parts.filter((it) => it.url === null && it.mayOpen !== undefined)).toEqual([])
    expect(await plane.eventsOf(id)).not.toEqual([])
    await call('DELETE', `/api/services/${id}`)
    await eventually('nothing of it is left', async () => machine.world.runtimes.size === 0)
  })

  it('[NET-5.links] an app calls its database, also after that was started afresh', async () => {
    const { id } = await call('POST', '/api/services', { templateId: 'pair' })
    const calls = async (): Promise<string> => {
      const stream = machine.world.programs.told.call(partOf(await until(id, runs), 'web').id, 'db')
      try {
        return String(
          await new Promise((resolve, reject) =>
            stream.once('data', resolve).once('error', reject).once('close', reject),
          ),
        )
      } finally {
        stream.destroy()
      }
    }
    await eventually('it is answered', async () => (await calls().catch(() => '')).startsWith('RFB'))
    await call('POST', `/api/services/${id}/restart`)
    await until(id, (it) => runs(it) && partOf(it, 'db').generation === 2)
    await eventually('it is answered again', async () => (await calls().catch(() => '')).startsWith('RFB'))
    await call('DELETE', `/api/services/${id}`)
  })

  it('[NET-5.data] kept data comes back, and goes when asked to', async () => {
    expect(machine.world.volumes.size).toBe(1)
    const { id } = await call('POST', '/api/services', { templateId: 'pair' })
    await until(id, runs)
    expect(machine.world.volumes.size).toBe(1)
    await call('DELETE', `/api/services/${id}?data=remove`)
    await eventually('its data is gone', async () => machine.world.volumes.size === 0)
  })

  it('[NET-5.away] a machine is emptied, then taken away', async () => {
    const free = await call('POST', '/api/services', { templateId: 'page' })
    const kept = await call('POST', '/api/services', { templateId: 'pair' })
    for (const { id } of [free, kept]) await until(id, runs)
    other = await plane.machine(undefined, 'cellar')
    const [{ id: attic }] = (
      (await plane.ask('GET', '/api/controllers', { as: owner.secret })).body as unknown as {
        items: [{ id: string }]
      }
    ).items
    const drained = await plane.ask('POST', `/api/controllers/${attic}/drain`, { local: true, body: {} })
    expect([drained.status, drained.body]).toEqual([200, { stopping: 3 }])
    const moved = await until(free.id, (it) => runs(it) && it.instances[0]?.controllerName === 'cellar')
    expect(other.world.runtimes.size).toBe(moved.instances.length)
    expect((await until(kept.id, (it) => it.state === 'stopped')).reason).toContain('taken out of service')
    expect((await plane.ask('DELETE', `/api/controllers/${attic}`, { local: true })).status).toBe(200)
    expect(await call('GET', `/api/services/${kept.id}`)).toMatchObject({
      reason: 'Its machine was removed, and its data with it.',
      instances: [],
    })
    await call('POST', `/api/services/${kept.id}/start`)
    await until(kept.id, runs)
    expect(plane.errors.filter((line) => !line.includes('controller.unknown'))).toEqual([])
  })
})
