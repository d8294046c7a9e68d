/** The organisation itself: its name and kind; on the machine, another one beside it. */
import { fail } from '@kalnet/contracts/errors'
import type { Organisation } from '@kalnet/contracts/invitation'
import type { HandedLink } from '@kalnet/contracts/people'
import type { Actor } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Events } from '../core/events.ts'
import type { Store } from '../core/store.ts'
import { statements as invitationStatements } from './invitations.store.ts'
import type { Invitations } from './invitations.ts'
import { statements } from './organisations.store.ts'

export type Organisations = ReturnType<typeof createOrganisations>

export function createOrganisations(options: {
  store: Store
  events: Events
  clock: Clock
  invitations: Pick<Invitations, 'add' | 'renew'>
}) {
  const { store, events, clock, invitations } = options
  /** Whoever the link is handed to becomes its first owner. */
  const firstOf = (organisationId: string) =>
    ({ organisationId, email: null, role: 'owner', invitedBy: null }) as const
  return {
    read: ({ organisationId }: Actor): Promise<Organisation> =>
      store.as(organisationId).read(async (tx) => {
        const row = (await statements.read({ id: organisationId }).execute(tx)).rows[0]
        if (!row) throw fail('thing.unknown', { kind: 'organisation' })
        return row
      }),

    change: ({ organisationId }: Actor, change: Partial<Omit<Organisation, 'id'>>): Promise<Organisation> =>
      store.as(organisationId).transaction(async (tx) => {
        const to = { id: organisationId, name: change.name ?? null, kind: change.kind ?? null }
        const row = (await statements.change(to).execute(tx)).rows[0]
        if (!row) throw fail('thing.unknown', { kind: 'organisation' })
        await events.publish(tx, 'organisation.changed', { organisationId, userId: null }, row)
        return row
      }),

    /** By the CLI on the machine. Asked again for one that nobody has joined yet: a new link in place of the old. */
    add: (
      it: Pick<Organisation, 'name' | 'kind'>,
    ): Promise<{ organisation: Organisation; link: HandedLink }> =>
      store.system.transaction(async (tx) => {
        await statements.lockNames().execute(tx)
        // Without anybody there is no owner of this installation yet, and the claim link makes the first organisation.
        if ((await statements.all().execute(tx)).rows.length === 0) throw fail('organisation.unclaimed')
        const known = (await statements.byName({ name: it.name }).execute(tx)).rows[0]
        if (known) {
          const { people, ...organisation } = known
          if (people > 0) throw fail('organisation.claimed')
          const { rows } = await invitationStatements.unclaimed({ organisationId: known.id }).execute(tx)
          const made = rows[0]
            ? await invitations.renew(tx, rows[0])
            : await invitations.add(tx, firstOf(known.id))
          return { organisation, link: made.link }
        }
        const organisation = { id: newId(), ...it }
        await statements.add({ ...organisation, at: clock.now().toISOString() }).execute(tx)
        return { organisation, link: (await invitations.add(tx, firstOf(organisation.id))).link }
      }),

    all: () =>
      store.system.read(async (tx) =>
        (await statements.all().execute(tx)).rows.map(({ created_at, ...row }) => ({
          ...row,
          createdAt: created_at,
        })),
      ),
  }
}
