/** For tests: rows of services, instances and controllers as the rooms that own them write them, with the events of a change. */
import type { EventType } from '@kalnet/contracts/event'
import { v7 as newId } from 'uuid'
import { sql, type Tx } from '../core/store.ts'
import type { TestStore } from '../core/testing.ts'

export const PORTS = [{ name: 'web', kind: 'http', at: { tcp: 8080 } }]
const json = (value: unknown) => JSON.stringify(value)

export function serviceRows({ store, events }: Pick<TestStore, 'store' | 'events'>) {
  const tell = (tx: Tx, type: EventType, organisationId: string, id: string) =>
    events.publish(tx, type, { organisationId, userId: null }, { id } as never)
  const write = (work: Parameters<typeof store.system.transaction>[0]) => store.system.transaction(work)
  return {
    async organisation(name = 'Home'): Promise<string> {
      const id = newId()
      await write((tx) => sql`insert into organisations values (${id}, ${name}, now())`.execute(tx))
      return id
    },
    async controller(organisationId: string, { online = true, machine = 'here' } = {}): Promise<string> {
      const id = newId()
      await write((tx) =>
        sql`insert into controllers (id, organisation_id, name, public_key, created_at, online, machine)
          values (${id}, ${organisationId}, ${`c-${id.slice(-6)}`}, 'key', now(), ${online}, ${machine})`.execute(
          tx,
        ),
      )
      return id
    },
    async service(
      organisationId: string,
      name: string,
      { kind = 'managed', metadata = {} }: { kind?: string; metadata?: object } = {},
    ): Promise<string> {
      const id = newId()
      await write((tx) =>
        sql`insert into services (id, organisation_id, name, title, kind, desired, metadata, release_number, created_at, changed_at)
          values (${id}, ${organisationId}, ${name}, ${name}, ${kind}, 'running', ${json(metadata)}::jsonb, 1, now(), now())`.execute(
          tx,
        ),
      )
      return id
    },
    async instance(
      at: { organisationId: string; controllerId: string; serviceId: string },
      given: { part?: string; release?: number; probe?: boolean; observed?: object; ports?: object[] } = {},
    ): Promise<string> {
      const { part = 'main', release = 1, probe = false, observed = running(), ports = PORTS } = given
      const id = newId()
      await write(async (tx) => {
        await sql`insert into instances (id, organisation_id, controller_id, platform, generation, desired_state, spec, observed)
          values (${id}, ${at.organisationId}, ${at.controllerId}, 'fake', 1, 'running',
            ${json({ ports, probe: probe ? { kind: 'tcp', port: 'web' } : null })}::jsonb, ${json(observed)}::jsonb)`.execute(
          tx,
        )
        await sql`insert into service_instances (id, organisation_id, service_id, release_number, part, number)
          values (${id}, ${at.organisationId}, ${at.serviceId}, ${release}, ${part}, 0)`.execute(tx)
      })
      return id
    },
    /** What its release is made of, as far as the registry reads it. */
    release: (organisationId: string, serviceId: string, parts: string[]) =>
      write((tx) =>
        sql`insert into releases (id, organisation_id, service_id, number, version, content, state, created_at)
          values (${newId()}, ${organisationId}, ${serviceId}, 1, '1.0.0',
            ${json({ template: { parts: parts.map((name) => ({ name })) } })}::jsonb, 'live', now())`.execute(
          tx,
        ),
      ),
    /** With its event, whose data nobody here reads but for the id. */
    observe: (organisationId: string, serviceId: string, id: string, observed: object) =>
      write(async (tx) => {
        await sql`update instances set observed = ${json(observed)}::jsonb where id = ${id}`.execute(tx)
        await tell(tx, 'service.changed', organisationId, serviceId)
      }),
    said: (type: 'service.changed' | 'controller.changed', organisationId: string, id: string) =>
      write((tx) => tell(tx, type, organisationId, id)),
    removeService: (organisationId: string, id: string) =>
      write(async (tx) => {
        await sql`delete from services where id = ${id}`.execute(tx)
        await tell(tx, 'service.removed', organisationId, id)
      }),
    setController: (organisationId: string, id: string, online: boolean, machine: string | null) =>
      write(async (tx) => {
        await sql`update controllers set online = ${online}, machine = ${machine} where id = ${id}`.execute(
          tx,
        )
        await tell(tx, 'controller.changed', organisationId, id)
      }),
  }
}

/** What a controller reports of an instance that runs. */
export const running = (more: { health?: string; host?: string; generation?: number } = {}) => ({
  generation: more.generation ?? 1,
  state: 'running',
  addresses: { web: { host: more.host ?? '10.215.0.2', port: 8080 } },
  ...(more.health ? { health: { state: more.health } } : {}),
})
