/** Passwords that were made for a service and that people need elsewhere: which there are, and one of them for whoever may see it. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor, Permission } from '@kalnet/contracts/permission'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import { secretName } from '../instances/fill.ts'
import { assertManaged } from './acting.ts'
import { releasesOf, templateOf, type Whole } from './shape.ts'

export interface ShowingParts {
  store: Store
  secrets: Secrets
  /** Throws thing.unknown, permission.denied. */
  allowed(tx: Tx, actor: Actor, permission: Permission, id: string): Promise<Whole>
}

/** Only those that its template has a word for: the rest is between programs. */
const shownOf = (whole: Whole) =>
  (templateOf(releasesOf(whole).live)?.secrets ?? []).flatMap(({ name, label }) =>
    label === undefined ? [] : [{ name, label }],
  )

export const createShowing = ({ store, secrets, allowed }: ShowingParts) => ({
  secretsOf: (actor: Actor, id: string) =>
    store
      .as(actor.organisationId)
      .read(async (tx) => shownOf(await allowed(tx, actor, 'service.manage', id))),
  /** Throws thing.unknown, permission.denied. */
  showSecret: (actor: Actor, id: string, name: string): Promise<string> =>
    store.as(actor.organisationId).read(async (tx) => {
      const whole = await allowed(tx, actor, 'service.manage', id)
      assertManaged(whole)
      // A key proves nothing afresh: this is for somebody who is there.
      if (actor.kind === 'service-key') throw fail('permission.denied')
      const { organisation_id: organisationId, name: service } = whole.row
      const secret = shownOf(whole).some((it) => it.name === name)
        ? await secrets.get(tx, organisationId, secretName(service, name))
        : null
      if (secret === null) throw fail('thing.unknown', { kind: 'secret' })
      return secret
    }),
})
