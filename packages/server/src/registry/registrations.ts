/**
 * Who says of itself that it is there: programs of others, and the parts of Kalnet. A registration lives as long as it is said again.
 * With the last one the service goes too, unless a route leads to it or another service needs it: then it stays, is shown as
 * unhealthy, and people decide.
 */
import { isDeepStrictEqual } from 'node:util'
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { registryRoutes } from '@kalnet/contracts/registry'
import type { AnswerOf, BodyOf } from '@kalnet/contracts/route'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Events } from '../core/events.ts'
import type { Store, Tx } from '../core/store.ts'
import { statements } from './registrations.store.ts'
import type { RegisteredPort } from './store.ts'

const EXPIRE_EVERY_MS = 1_000

type Body = BodyOf<typeof registryRoutes.register>
export type Registration = AnswerOf<typeof registryRoutes.register>
export type Registering = Omit<Body, 'ports'> & { ports: RegisteredPort[] }

export interface RegistrationsOptions {
  store: Store
  events: Events
  clock: Clock
  log: Log
  /** Why an address is not taken; null: it is (`admitted.ts`). */
  problemOf(host: string): string | null
  /** Publishes what the service is now (`services.tell`). */
  tell(tx: Tx, serviceId: string): Promise<unknown>
}

export function createRegistrations(options: RegistrationsOptions) {
  const { store, events, clock, log, tell } = options
  const moment = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()

  /** `unchanged`: the same was said before, and it was still there. */
  async function put(
    tx: Tx,
    organisationId: string,
    body: Registering,
    kind: 'outside' | 'platform',
  ): Promise<Registration & { unchanged: boolean }> {
    const { name, instance, ports, weight, ttlMs, metadata } = body
    const said = { title: body.title ?? name, metadata }
    await statements
      .addService({ id: newId(), organisationId, name, kind, ...said, at: moment() })
      .execute(tx)
    const service = (await statements.lockService({ organisationId, name }).execute(tx)).rows[0]
    if (service?.kind !== kind) throw fail('service.name-taken', { name })
    const serviceId = service.id
    const before = (await statements.before({ serviceId, instance }).execute(tx)).rows[0]
    const same = before !== undefined && isDeepStrictEqual(before.said, said)
    if (!same) await statements.changeService({ id: serviceId, ...said, at: moment() }).execute(tx)
    const registrationId = before?.id ?? newId()
    const expiresAt = moment(ttlMs)
    await statements
      .put({
        id: registrationId,
        organisationId,
        serviceId,
        instance,
        ports,
        weight,
        ttlMs,
        expiresAt,
        said,
      })
      .execute(tx)
    const unchanged =
      same &&
      isDeepStrictEqual(before.ports, ports) &&
      before.weight === Math.fround(weight) &&
      before.expires_at > moment()
    if (!unchanged) await tell(tx, serviceId)
    return { serviceId, registrationId, expiresAt, unchanged }
  }

  /** After some of its registrations went. */
  async function settle(tx: Tx, organisationId: string, serviceId: string) {
    const gone = (await statements.removeUnused({ id: serviceId }).execute(tx)).rows.length > 0
    if (gone) await events.publish(tx, 'service.removed', { organisationId, userId: null }, { id: serviceId })
    else await tell(tx, serviceId)
  }

  const expire = () =>
    store.system.transaction(async (tx) => {
      const now = moment()
      let gone = 0
      for (const { id } of (await statements.servicesDue({ now }).execute(tx)).rows) {
        const service = (await statements.lockServiceById({ id }).execute(tx)).rows[0]
        const { rows } = await statements.removeDue({ serviceId: id, now }).execute(tx)
        gone += rows.length
        if (service && rows.length > 0) await settle(tx, service.organisation_id, id)
      }
      return gone
    })

  return {
    async register(actor: Actor, body: Body, unchanged: () => void): Promise<Registration> {
      const { organisationId } = actor
      demand(actor, 'service.register', { organisationId, userId: null }, 'service')
      for (const { host } of body.ports) {
        const problem = options.problemOf(host)
        if (problem) throw fail('request.invalid', { problem })
      }
      const names = body.ports.map((port) => port.name)
      if (new Set(names).size < names.length)
        throw fail('request.invalid', { problem: 'two ports have one name' })
      return store.as(organisationId).transaction(async (tx) => {
        const done = await put(tx, organisationId, body, 'outside')
        if (done.unchanged) unchanged()
        const { serviceId, registrationId, expiresAt } = done
        return { serviceId, registrationId, expiresAt }
      })
    },

    /** Twice is once: what is gone already "is not there". */
    deregister: (actor: Actor, id: string): Promise<void> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        const row = (await statements.find({ id }).execute(tx)).rows[0]
        if (!row) throw fail('registration.unknown')
        const { organisation_id: organisationId, service_id: serviceId } = row
        demand(actor, 'service.register', { organisationId, userId: null }, 'registration')
        const service = (await statements.lockServiceById({ id: serviceId }).execute(tx)).rows[0]
        if (service?.kind !== 'outside') throw fail('registration.unknown')
        if ((await statements.remove({ id }).execute(tx)).rows.length > 0)
          await settle(tx, organisationId, serviceId)
      }),

    /** A part of Kalnet, in every organisation. Where people have given its name to something of theirs, theirs stays. */
    async registerPlatform(body: Registering): Promise<void> {
      const { rows } = await store.system.read((tx) => statements.organisations({}).execute(tx))
      for (const { id } of rows)
        await store.system
          .transaction((tx) => put(tx, id, body, 'platform'))
          .catch((error: unknown) => {
            log.debug(
              { problem: error instanceof Error ? error.message : '' },
              `${body.name} is not registered`,
            )
          })
    },

    /** A part of Kalnet that runs elsewhere, in the organisation whose key it has. */
    registerPart: (organisationId: string, body: Registering) =>
      store.as(organisationId).transaction((tx) => put(tx, organisationId, body, 'platform')),
    /** Twice is once. */
    leavePart: (organisationId: string, name: string, instance: string): Promise<void> =>
      store.as(organisationId).transaction(async (tx) => {
        const service = (await statements.lockService({ organisationId, name }).execute(tx)).rows[0]
        if (service?.kind !== 'platform') return
        const row = (await statements.before({ serviceId: service.id, instance }).execute(tx)).rows[0]
        if (row && (await statements.remove({ id: row.id }).execute(tx)).rows.length > 0)
          await settle(tx, organisationId, service.id)
      }),

    /** Takes away what was not said again in time; how many. Several servers may do it at once: each takes what no other has in hand. */
    expire,
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await expire().catch((error: unknown) => {
          if (!signal.aborted)
            log.warn(
              { problem: error instanceof Error ? error.message : String(error) },
              'could not look for registrations that ran out',
            )
        })
        await clock.sleep(EXPIRE_EVERY_MS, signal)
      }
    },
  }
}
export type Registrations = ReturnType<typeof createRegistrations>
