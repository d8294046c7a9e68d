/** Service keys and service accounts over HTTP. */
import { id } from '@kalnet/contracts/basics'
import { keyRoutes, type ServiceKey } from '@kalnet/contracts/key'
import { type Call, type Handler, handle } from '../core/http.ts'
import { parseInput } from '../core/parse.ts'
import type { Accounts } from './accounts.ts'
import type { Keys, Made } from './keys.ts'

type Recorded = Pick<Call<never>, 'audit'>
/** On record: which key, whose, and what it may; never its secret. */
const record = ({ audit }: Recorded, key: ServiceKey) =>
  audit({ name: key.name, begins: key.begins, of: key.userName, scopes: key.scopes.join(' ') }, key.id)
const shown = (call: Recorded, made: Made) => {
  record(call, made.key)
  return made
}
const paged = <T extends { id: string }>(items: T[], limit: number) => ({
  items,
  next: items.length < limit ? null : (items.at(-1)?.id ?? null),
})
const pageOf = (query: { after?: string | undefined; limit: number }) => ({
  limit: query.limit,
  after: parseInput(id.optional(), query.after, 'query'),
})

export function routesOfKeys({ keys, accounts }: { keys: Keys; accounts: Accounts }): Handler[] {
  return [
    handle(keyRoutes.mine, async ({ actor }) => ({
      items: await keys.of(actor, [actor.userId]),
      next: null,
    })),
    handle(keyRoutes.make, async (call) =>
      shown(call, await keys.make(call.actor, call.actor.userId, call.body)),
    ),
    handle(keyRoutes.rotateMine, async (call) =>
      shown(call, await keys.rotate(call.actor, 'key.own', call.params.id, call.body.overlapMinutes)),
    ),
    handle(keyRoutes.revokeMine, async (call) => {
      record(call, await keys.revoke(call.actor, 'key.own', call.params.id))
      return {}
    }),
    handle(keyRoutes.all, async ({ actor, query }) =>
      paged(await keys.all(actor, pageOf(query)), query.limit),
    ),
    handle(keyRoutes.rotate, async (call) =>
      shown(call, await keys.rotate(call.actor, 'key.manage', call.params.id, call.body.overlapMinutes)),
    ),
    handle(keyRoutes.revoke, async (call) => {
      record(call, await keys.revoke(call.actor, 'key.manage', call.params.id))
      return {}
    }),
    handle(keyRoutes.accounts, async ({ actor, query }) =>
      paged(await accounts.list(actor, pageOf(query)), query.limit),
    ),
    handle(keyRoutes.makeAccount, async ({ actor, body, audit }) => {
      const made = await accounts.make(actor, body)
      audit({ name: made.name, role: made.role }, made.id)
      return made
    }),
    handle(keyRoutes.changeAccount, async ({ actor, params, body, audit }) => {
      const changed = await accounts.change(actor, params.id, body)
      audit({ name: changed.name, role: changed.role, state: changed.state })
      return changed
    }),
    handle(keyRoutes.removeAccount, async ({ actor, params }) => {
      await accounts.remove(actor, params.id)
      return {}
    }),
    handle(keyRoutes.makeForAccount, async (call) => {
      const account = await accounts.find(call.actor, call.params.id)
      return shown(call, await keys.make(call.actor, account.id, call.body))
    }),
  ]
}
