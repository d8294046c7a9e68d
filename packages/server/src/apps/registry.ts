/** The register of apps: stewards add them, change them and take them away. */
import { randomBytes } from 'node:crypto'
import type { App, appRoutes } from '@kalnet/contracts/app'
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { BodyOf } from '@kalnet/contracts/route'
import { type Clock, stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Store, Tx } from '../core/store.ts'
import { hashed } from './adapter.ts'
import { allowedOf } from './people.ts'
import { type AppRow, statements } from './store.ts'

export const shapeApp = (row: AppRow): App => ({
  id: row.id,
  name: row.name,
  clientId: row.client_id,
  kind: row.kind,
  redirectUris: row.redirect_uris,
  leaveUris: row.leave_uris,
  logoutUri: row.logout_uri,
  allowed: allowedOf(row),
  trusted: row.trusted,
  createdAt: row.created_at,
  changedAt: row.changed_at,
})
const newSecret = () => randomBytes(32).toString('base64url')

/** Groups of this organisation only. */
export async function assertGroups(tx: Tx, organisationId: string, groups: string[]): Promise<void> {
  if (groups.length === 0) return
  const { rows } = await statements.countGroups({ organisationId, groups }).execute(tx)
  if (rows[0]?.count !== new Set(groups).size) throw fail('thing.unknown', { kind: 'group' })
}

export function createRegistry({ store, clock }: { store: Store; clock: Clock }) {
  async function find(actor: Actor, id: string): Promise<AppRow> {
    const { rows } = await store.as(actor.organisationId).read((tx) => statements.findApp({ id }).execute(tx))
    if (!rows[0]) throw fail('thing.unknown', { kind: 'app' })
    demand(actor, 'app.manage', { organisationId: rows[0].organisation_id, userId: null }, 'app')
    return rows[0]
  }
  return {
    async list({ organisationId }: Actor, { after, limit }: { after?: string; limit: number }) {
      const { rows } = await store
        .as(organisationId)
        .read((tx) =>
          statements.listApps({ organisationId, after: after ?? null, limit: limit + 1 }).execute(tx),
        )
      const items = rows.slice(0, limit).map(shapeApp)
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
    },
    read: async (actor: Actor, id: string) => shapeApp(await find(actor, id)),
    async add(actor: Actor, body: BodyOf<typeof appRoutes.add>) {
      const { organisationId } = actor
      const secret = body.kind === 'confidential' ? newSecret() : null
      const row = await store.as(organisationId).transaction(async (tx) => {
        await assertGroups(tx, organisationId, body.allowed.groups)
        const { rows } = await statements
          .addApp({
            id: newId(),
            organisationId,
            clientId: `app-${randomBytes(9).toString('hex')}`,
            name: body.name,
            kind: body.kind,
            secretHash: secret && hashed(secret),
            redirectUris: body.redirectUris,
            leaveUris: body.leaveUris,
            logoutUri: body.logoutUri,
            roles: body.allowed.roles,
            groups: body.allowed.groups,
            trusted: body.trusted,
            at: stamp(clock),
          })
          .execute(tx)
        return rows[0]
      })
      if (!row) throw new Error('the app was not added')
      return { app: shapeApp(row), secret }
    },
    async change(actor: Actor, id: string, body: BodyOf<typeof appRoutes.change>) {
      const now = shapeApp(await find(actor, id))
      const after = { ...now, ...body }
      const row = await store.as(actor.organisationId).transaction(async (tx) => {
        await assertGroups(tx, actor.organisationId, after.allowed.groups)
        const { roles, groups } = after.allowed
        return (await statements.changeApp({ ...after, roles, groups, at: stamp(clock) }).execute(tx)).rows[0]
      })
      if (!row) throw fail('thing.unknown', { kind: 'app' })
      return shapeApp(row)
    },
    async renewSecret(actor: Actor, id: string) {
      const row = await find(actor, id)
      if (row.kind === 'public') throw fail('request.invalid', { problem: 'a public app has no secret' })
      const secret = newSecret()
      await store
        .as(actor.organisationId)
        .transaction((tx) =>
          statements.setSecret({ id, secretHash: hashed(secret), at: stamp(clock) }).execute(tx),
        )
      return { secret }
    },
    async remove(actor: Actor, id: string) {
      await find(actor, id)
      await store.as(actor.organisationId).transaction((tx) => statements.removeApp({ id }).execute(tx))
    },
  }
}
export type Registry = ReturnType<typeof createRegistry>
