/** Invitations: one address, one role, one link that works once and for some days. */
import { fail } from '@kalnet/contracts/errors'
import { INVITATION_DAYS, type Invitation } from '@kalnet/contracts/invitation'
import type { HandedLink } from '@kalnet/contracts/people'
import type { Actor, Role } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Events } from '../core/events.ts'
import { qrOf } from '../core/qr.ts'
import type { Store, Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { hashOf, newSecret } from '../identity/cookie.ts'
import { statements as groupStatements } from './groups.store.ts'
import { type InvitationRow, statements } from './invitations.store.ts'
import { judge } from './rules.ts'
import { shapeInvitation } from './shape.ts'

export interface NewInvitation {
  organisationId: string
  /** null: for whoever the link is handed to. */
  email: string | null
  role: Role
  groups?: readonly string[]
  invitedBy: string | null
  days?: number
}
export interface Made {
  invitation: Invitation
  link: HandedLink
  /** Its name, for the letter. */
  organisation: string
}
export type Invitations = ReturnType<typeof createInvitations>

const DAY_MS = 24 * 3600_000
const KEPT_DAYS = 90

export function createInvitations(options: {
  store: Store
  events: Events
  clock: Clock
  /** Where people reach the dashboard. */
  address: () => string
}) {
  const { store, events, clock } = options
  const now = () => clock.now().toISOString()
  const later = (days: number) => new Date(clock.now().getTime() + days * DAY_MS).toISOString()

  /** The token stands in the fragment, which no server sees and no log keeps. */
  const linkOf = (token: string, expiresAt: string): HandedLink => {
    const url = `${new URL('/join', options.address())}#${token}`
    return { url, expiresAt, qr: qrOf(url) }
  }

  async function rowOf(tx: Tx, id: string): Promise<InvitationRow> {
    const row = (await statements.read({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'invitation' })
    return row
  }

  async function tell(tx: Tx, id: string): Promise<Invitation> {
    const row = await rowOf(tx, id)
    const shown = shapeInvitation(row, clock.now())
    await events.publish(
      tx,
      'invitation.changed',
      { organisationId: row.organisation_id, userId: null },
      shown,
    )
    return shown
  }

  async function madeOf(tx: Tx, id: string, token: string, expiresAt: string): Promise<Made> {
    const invitation = await tell(tx, id)
    const organisation = (await rowOf(tx, id)).organisation_name
    return { invitation, link: linkOf(token, expiresAt), organisation }
  }

  async function hold(tx: Tx, actor: Actor, id: string): Promise<InvitationRow> {
    const row = (await statements.lock({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'invitation' })
    demand(actor, 'invitation.manage', { organisationId: row.organisation_id, userId: null }, 'invitation')
    judge({ act: 'invite', actor, target: null, to: row.role, otherOwners: 0 })
    return row
  }

  async function add(
    tx: Tx,
    { organisationId, email, role, invitedBy, ...it }: NewInvitation,
  ): Promise<Made> {
    const groupIds = [...new Set(it.groups ?? [])]
    const there = (await groupStatements.countGroups({ organisationId, ids: groupIds }).execute(tx)).rows[0]
    if (there?.count !== groupIds.length) throw fail('thing.unknown', { kind: 'group' })
    if (email) {
      const taken = await statements.emailTaken({ organisationId, email }).execute(tx)
      if (taken.rows.length > 0) throw fail('person.email-taken')
      const over = await statements.revokeExpired({ organisationId, email, now: now() }).execute(tx)
      for (const each of over.rows) await tell(tx, each.id)
    }
    const id = newId()
    const token = newSecret()
    const expiresAt = later(it.days ?? INVITATION_DAYS)
    const row = {
      id,
      organisationId,
      email,
      role,
      groupIds,
      hash: hashOf(token),
      invitedBy,
      at: now(),
      expiresAt,
    }
    await statements
      .add(row)
      .execute(tx)
      .catch((error: unknown) => {
        throw isDuplicate(error, 'invitations_open') ? fail('invitation.open') : error
      })
    return madeOf(tx, id, token, expiresAt)
  }

  async function renew(tx: Tx, { id }: { id: string }): Promise<Made> {
    const token = newSecret()
    const expiresAt = later(INVITATION_DAYS)
    await statements.renew({ id, hash: hashOf(token), expiresAt }).execute(tx)
    return madeOf(tx, id, token, expiresAt)
  }

  return {
    tell,
    add,
    renew,

    async list(actor: Actor, query: { after?: string; limit: number }) {
      const { organisationId } = actor
      const { rows } = await store
        .as(organisationId)
        .read((tx) =>
          statements.list({ organisationId, after: query.after ?? null, limit: query.limit + 1 }).execute(tx),
        )
      const items = rows.slice(0, query.limit).map((row) => shapeInvitation(row, clock.now()))
      return { items, next: rows.length > query.limit ? (items.at(-1)?.id ?? null) : null }
    },

    invite: (
      actor: Actor,
      it: { email: string; role: Role; groups: readonly string[]; days: number },
    ): Promise<Made> =>
      store.as(actor.organisationId).transaction((tx) => {
        judge({ act: 'invite', actor, target: null, to: it.role, otherOwners: 0 })
        return add(tx, { ...it, organisationId: actor.organisationId, invitedBy: actor.userId })
      }),

    resend: (actor: Actor, id: string): Promise<Made> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        const row = await hold(tx, actor, id)
        if (row.accepted_at || row.revoked_at) throw fail('thing.unknown', { kind: 'invitation' })
        return renew(tx, row)
      }),

    /** Idempotent: taking it back twice is taking it back. */
    revoke: (actor: Actor, id: string): Promise<void> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        await hold(tx, actor, id)
        const { rows } = await statements.revoke({ id, now: now() }).execute(tx)
        if (rows.length > 0) await tell(tx, id)
      }),

    /** What a link is good for now. Throws invitation.unknown. */
    async look(token: string): Promise<InvitationRow> {
      const { rows } = await store.system.read((tx) =>
        statements.findOpen({ hash: hashOf(token), now: now() }).execute(tx),
      )
      const row = rows[0]
      if (!row) throw fail('invitation.unknown')
      return row
    },

    /** Removes what was over three months ago. */
    async tidy(): Promise<void> {
      const before = later(-KEPT_DAYS)
      await store.system.transaction((tx) => statements.dropOld({ before }).execute(tx))
    },

    /** Uses the link up. */
    async use(tx: Tx, token: string): Promise<InvitationRow> {
      const used = (await statements.use({ hash: hashOf(token), now: now() }).execute(tx)).rows[0]
      if (!used) throw fail('invitation.unknown')
      await tell(tx, used.id)
      return rowOf(tx, used.id)
    },
  }
}
