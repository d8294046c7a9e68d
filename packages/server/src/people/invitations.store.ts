/** SQL of invitations: only the hash of a link's token is stored. */
import type { Role } from '@kalnet/contracts/permission'
import { sql } from '../core/store.ts'

export interface InvitationRow {
  id: string
  organisation_id: string
  email: string | null
  role: Role
  groups: { id: string; name: string }[]
  group_ids: string[]
  invited_by: string | null
  invited_by_name: string | null
  organisation_name: string
  organisation_kind: 'household' | 'team'
  created_at: string
  expires_at: string
  accepted_at: string | null
  revoked_at: string | null
}
const selected = sql`SELECT i.id, i.organisation_id, i.email, i.role, i.group_ids, i.invited_by, i.created_at, i.expires_at,
    i.accepted_at, i.revoked_at, u.name AS invited_by_name, o.name AS organisation_name, o.kind AS organisation_kind,
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', g.id, 'name', g.name) ORDER BY lower(g.name))
      FROM groups g WHERE g.id = any(i.group_ids)), '[]') AS groups
  FROM invitations i JOIN organisations o ON o.id = i.organisation_id LEFT JOIN users u ON u.id = i.invited_by`

export const statements = {
  /** Newest first; ids are in the order of time. */
  list: (it: {
    organisationId: string
    after: string | null
    limit: number
  }) => sql<InvitationRow>`${selected}
    WHERE i.organisation_id = ${it.organisationId}::uuid AND (${it.after}::uuid IS NULL OR i.id < ${it.after}::uuid)
    ORDER BY i.id DESC LIMIT ${it.limit}`,
  read: ({ id }: { id: string }) => sql<InvitationRow>`${selected} WHERE i.id = ${id}::uuid`,
  lock: ({ id }: { id: string }) => sql<InvitationRow>`${selected} WHERE i.id = ${id}::uuid FOR UPDATE OF i`,
  findOpen: (it: { hash: string; now: string }) => sql<InvitationRow>`${selected}
    WHERE i.hash = ${it.hash} AND i.expires_at > ${it.now} AND i.accepted_at IS NULL AND i.revoked_at IS NULL`,
  /** The one that waits for an organisation's first owner. */
  unclaimed: ({ organisationId }: { organisationId: string }) => sql<InvitationRow>`${selected}
    WHERE i.organisation_id = ${organisationId}::uuid AND i.email IS NULL AND i.accepted_at IS NULL AND i.revoked_at IS NULL
      AND NOT EXISTS (SELECT FROM users WHERE organisation_id = i.organisation_id) ORDER BY i.id DESC LIMIT 1`,
  emailTaken: (it: { organisationId: string; email: string }) => sql<{ id: string }>`
    SELECT id FROM users WHERE organisation_id = ${it.organisationId}::uuid AND email = ${it.email}`,

  add: (it: {
    id: string
    organisationId: string
    email: string | null
    role: string
    groupIds: string[]
    hash: string
    invitedBy: string | null
    at: string
    expiresAt: string
  }) => sql`
    INSERT INTO invitations (id, organisation_id, email, role, group_ids, hash, invited_by, created_at, expires_at)
    VALUES (${it.id}::uuid, ${it.organisationId}::uuid, ${it.email}, ${it.role}, ${it.groupIds}::uuid[], ${it.hash},
      ${it.invitedBy}::uuid, ${it.at}, ${it.expiresAt})`,
  /** The old link is worth nothing from now on. */
  renew: (it: { id: string; hash: string; expiresAt: string }) => sql`
    UPDATE invitations SET hash = ${it.hash}, expires_at = ${it.expiresAt} WHERE id = ${it.id}::uuid`,
  /** One use: two that come at once, one gets it. */
  use: (it: { hash: string; now: string }) => sql<{ id: string }>`
    UPDATE invitations SET accepted_at = ${it.now}, hash = NULL
    WHERE hash = ${it.hash} AND expires_at > ${it.now} AND accepted_at IS NULL AND revoked_at IS NULL RETURNING id`,
  revoke: (it: { id: string; now: string }) => sql<{ id: string }>`
    UPDATE invitations SET revoked_at = ${it.now}, hash = NULL
    WHERE id = ${it.id}::uuid AND accepted_at IS NULL AND revoked_at IS NULL RETURNING id`,
  /** What has run out makes room for a new one. */
  revokeExpired: (it: { organisationId: string; email: string; now: string }) => sql<{ id: string }>`
    UPDATE invitations SET revoked_at = ${it.now}, hash = NULL
    WHERE organisation_id = ${it.organisationId}::uuid AND email = ${it.email} AND expires_at <= ${it.now}
      AND accepted_at IS NULL AND revoked_at IS NULL RETURNING id`,
  /** Long over: the audit remembers. */
  dropOld: (it: { before: string }) => sql`
    DELETE FROM invitations WHERE coalesce(accepted_at, revoked_at, expires_at) < ${it.before}`,
  /** Of somebody who may no longer invite. */
  revokeBy: (it: { userId: string; now: string }) => sql<{ id: string }>`
    UPDATE invitations SET revoked_at = ${it.now}, hash = NULL
    WHERE invited_by = ${it.userId}::uuid AND accepted_at IS NULL AND revoked_at IS NULL RETURNING id`,
}
