/** Rows as the API shows them, and the places in lists that are ordered by name. */
import { fail } from '@kalnet/contracts/errors'
import type { Invitation } from '@kalnet/contracts/invitation'
import type { Group, Person } from '@kalnet/contracts/people'
import { z } from 'zod'
import type { GroupRow } from './groups.store.ts'
import type { InvitationRow } from './invitations.store.ts'
import type { PersonRow } from './store.ts'

export const shapePerson = (row: PersonRow): Person => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  email: row.email,
  role: row.role,
  state: row.state,
  groups: row.groups,
  createdAt: row.created_at,
})

export const shapeGroup = (row: GroupRow): Group => ({
  id: row.id,
  name: row.name,
  members: row.members,
  createdAt: row.created_at,
})

const stateOf = (row: InvitationRow, now: Date): Invitation['state'] => {
  if (row.accepted_at) return 'accepted'
  if (row.revoked_at) return 'revoked'
  return Date.parse(row.expires_at) <= now.getTime() ? 'expired' : 'open'
}
export const shapeInvitation = (row: InvitationRow, now: Date): Invitation => ({
  id: row.id,
  email: row.email,
  role: row.role,
  groups: row.groups,
  state: stateOf(row, now),
  invitedBy: row.invited_by_name,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  acceptedAt: row.accepted_at,
})

const place = z.tuple([z.string(), z.uuid()])
/** Where a list by name goes on: opaque to everybody else, and good also when that row is gone. */
export const placeAfter = (row: { name: string; id: string }) =>
  Buffer.from(JSON.stringify([row.name.toLowerCase(), row.id])).toString('base64url')
export function readPlace(text: string | undefined): { afterName: string | null; afterId: string | null } {
  if (text === undefined) return { afterName: null, afterId: null }
  try {
    const [afterName, afterId] = place.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
    return { afterName, afterId }
  } catch (error) {
    throw fail('request.invalid', { problem: 'query: after: is not a place in this list' }, error)
  }
}
/** A page of rows of which one more than asked was read. */
export function pageOf<Row extends { name: string; id: string }, Item>(
  rows: Row[],
  limit: number,
  shape: (row: Row) => Item,
): { items: Item[]; next: string | null } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(shape), next: rows.length > limit && last ? placeAfter(last) : null }
}
