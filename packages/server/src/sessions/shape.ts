/** A session's row as the API shows it. */

import { fail } from '@kalnet/contracts/errors'
import { next } from '@kalnet/contracts/machine'
import { SESSION_TABLE, type Session, type SessionEvent } from '@kalnet/contracts/session'
import { endOf } from './idle.ts'
import type { SessionRow } from './store.ts'

const idleOf = (row: SessionRow): Session['idle'] => {
  const end = endOf(row)
  return end && row.idle ? { action: row.idle.action, at: end.toISOString() } : null
}

/** What of it is kept while nothing of it runs. */
export const KEPT: readonly Session['state'][] = ['hibernated', 'failed']
function homeOf(row: SessionRow): Session['home'] {
  if (row.home_id === null || !KEPT.includes(row.state)) return null
  const measuredAt = row.home_measured_at
  // What was measured before it ran is not so any more.
  if (measuredAt === null) return { bytes: null, reservedBytes: null, place: row.home_place, measuredAt }
  return { bytes: row.home_bytes, reservedBytes: row.home_reserved, place: row.home_place, measuredAt }
}

export const shapeSession = (row: SessionRow): Session => ({
  id: row.id,
  name: row.name,
  templateId: row.template_id,
  templateName: row.template_name,
  userId: row.user_id,
  userName: row.user_name,
  instanceId: row.instance_id,
  generation: row.generation,
  platform: row.platform,
  controllerId: row.controller_id,
  controllerName: row.controller_name,
  reachable: row.online,
  state: row.state,
  reason: row.reason,
  logTail: row.log_tail,
  progress: row.progress,
  stages: {
    accepted: row.accepted_at,
    placed: row.placed_at,
    created: row.instance_created_at,
    displayReady: row.display_ready_at,
    firstByte: row.first_byte_at,
    firstFrame: row.first_frame_at,
  },
  keepsHome: row.home_id !== null,
  home: homeOf(row),
  idle: idleOf(row),
  createdAt: row.created_at,
  endedAt: row.ended_at,
})

export const ownerOf = (row: SessionRow) => ({ organisationId: row.organisation_id, userId: row.user_id })

/** The state after a person's wish; session.state when that is not possible now. */
export function after(row: SessionRow, event: SessionEvent) {
  const state = next(SESSION_TABLE, row.state, event)
  if (!state) throw fail('session.state', { state: row.state })
  return state
}
