/** The register of guarded addresses: stewards say who may pass where. */
import { fail } from '@kalnet/contracts/errors'
import type { ForwardRoute, forwardRoutes } from '@kalnet/contracts/forward'
import type { Actor } from '@kalnet/contracts/permission'
import type { BodyOf } from '@kalnet/contracts/route'
import { type Clock, stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Store } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { type ForwardRow, statements } from './forward.store.ts'
import { allowedOf } from './people.ts'
import { assertGroups } from './registry.ts'

const shape = (row: ForwardRow): ForwardRoute => ({
  id: row.id,
  name: row.name,
  host: row.host,
  pathPrefix: row.path_prefix,
  who: row.who,
  allowed: allowedOf(row),
  appPasswords: row.app_passwords,
  createdAt: row.created_at,
  changedAt: row.changed_at,
})

/** What a route of our gateway brought is changed there, or the two would say different things. */
function ofNoService(row: ForwardRow): ForwardRow {
  if (row.gateway_route_id !== null) throw fail('forward-route.of-service', { name: row.name })
  return row
}

export function createForwardRegister(options: {
  store: Store
  clock: Clock
  address: () => string
  /** A rule is another one now, or gone. */
  changed(): void
}) {
  const { store, clock, address, changed } = options
  async function find(actor: Actor, id: string): Promise<ForwardRow> {
    const { rows } = await store
      .as(actor.organisationId)
      .read((tx) => statements.findRoute({ id }).execute(tx))
    if (!rows[0]) throw fail('thing.unknown', { kind: 'guarded address' })
    demand(actor, 'app.manage', { organisationId: rows[0].organisation_id, userId: null }, 'guarded address')
    return rows[0]
  }
  return {
    async list({ organisationId }: Actor, { after, limit }: { after?: string; limit: number }) {
      const { rows } = await store
        .as(organisationId)
        .read((tx) =>
          statements.listRoutes({ organisationId, after: after ?? null, limit: limit + 1 }).execute(tx),
        )
      const items = rows.slice(0, limit).map(shape)
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
    },
    async add(actor: Actor, body: BodyOf<typeof forwardRoutes.add>) {
      const { organisationId } = actor
      const { host, pathPrefix } = body
      if (host === new URL(address()).host)
        throw fail('request.invalid', { problem: 'body: host: that is the address of Kalnet itself' })
      const taken = fail('forward-route.taken', { host, pathPrefix: pathPrefix === '/' ? '' : pathPrefix })
      // Asked across organisations: a name leads to one household.
      const owner = (await store.system.read((tx) => statements.ownerOfHost({ host }).execute(tx))).rows[0]
      if (owner && owner.organisation_id !== organisationId) throw taken
      const row = await store
        .as(organisationId)
        .transaction(async (tx) => {
          const { roles, groups } = body.allowed
          await assertGroups(tx, organisationId, groups)
          const { rows } = await statements
            .addRoute({ ...body, id: newId(), organisationId, roles, groups, at: stamp(clock) })
            .execute(tx)
          return rows[0]
        })
        .catch((error: unknown) => {
          throw isDuplicate(error, 'forward_routes_once') ? taken : error
        })
      if (!row) throw new Error('the guarded address was not added')
      changed()
      return shape(row)
    },
    async change(actor: Actor, id: string, body: BodyOf<typeof forwardRoutes.change>) {
      const after = { ...shape(ofNoService(await find(actor, id))), ...body }
      const { roles, groups } = after.allowed
      const row = await store.as(actor.organisationId).transaction(async (tx) => {
        await assertGroups(tx, actor.organisationId, groups)
        return (await statements.changeRoute({ ...after, roles, groups, at: stamp(clock) }).execute(tx))
          .rows[0]
      })
      if (!row) throw fail('thing.unknown', { kind: 'guarded address' })
      changed()
      return shape(row)
    },
    async remove(actor: Actor, id: string) {
      ofNoService(await find(actor, id))
      await store.as(actor.organisationId).transaction((tx) => statements.removeRoute({ id }).execute(tx))
      changed()
    },
  }
}
export type ForwardRegister = ReturnType<typeof createForwardRegister>
