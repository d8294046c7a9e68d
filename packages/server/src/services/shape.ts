/** Rows of a service as the rules and as the API see them. Pure. */
import type { HealthChange, Release, Service, ServiceInstance } from '@kalnet/contracts/service'
import type { ServiceTemplate } from '@kalnet/contracts/template'
import { instanceState, type Member } from './member.ts'
import type { HealthRow, MemberRow } from './members.store.ts'
import type { PlannedRelease } from './plan.ts'
import { serviceState } from './state.ts'
import type { ReleaseContent, ReleaseRow, ServiceRow } from './store.ts'

const date = (text: string | null) => (text === null ? null : new Date(text))

export const memberOf = (row: MemberRow): Member => ({
  id: row.id,
  part: row.part,
  number: row.number,
  release: row.release_number,
  generation: row.generation,
  desired: row.desired_state,
  observed: row.observed,
  platform: row.platform,
  controllerId: row.controller_id,
  controllerName: row.controller_name,
  online: row.online,
  seenAt: date(row.last_seen_at),
  restarts: row.restarts,
  nextStartAt: date(row.next_start_at),
  startedAt: date(row.started_at),
  unhealthyAt: date(row.unhealthy_at),
  busyAt: date(row.busy_at),
})

export const isWhole = (content: ReleaseRow['content']): content is ReleaseContent => 'template' in content

export const plannedOf = (row: ReleaseRow): PlannedRelease => ({
  number: row.number,
  createdAt: new Date(row.created_at),
  liveAt: date(row.live_at),
  parts: isWhole(row.content)
    ? row.content.template.parts.map((part) => ({
        name: part.name,
        needs: part.needs,
        hasVolumes: part.volumes.length > 0,
        hasProbe: part.probe !== null,
      }))
    : [],
})

const shapeInstance = (it: Member, live: number | null): ServiceInstance => ({
  id: it.id,
  part: it.part,
  number: it.number,
  release: it.release,
  generation: it.generation,
  state: instanceState(it, live),
  health: it.desired === 'running' ? (it.observed?.health ?? null) : null,
  reason: it.observed?.reason ?? null,
  progress: it.desired === 'running' ? (it.observed?.progress ?? null) : null,
  platform: it.platform,
  controllerId: it.controllerId,
  controllerName: it.controllerName,
  restarts: it.restarts,
  nextStartAt: it.nextStartAt?.toISOString() ?? null,
  startedAt: it.startedAt?.toISOString() ?? null,
})

export interface Whole {
  row: ServiceRow
  /** Those that matter now, by number. */
  releases: readonly ReleaseRow[]
  members: readonly Member[]
  /** Names of services it uses. */
  dependencies: readonly string[]
  /** Of outsiders: how many of them are there. */
  registered: number
}

/** The release that has the traffic and, during an update, the next one. */
export function releasesOf({ row, releases }: Pick<Whole, 'row' | 'releases'>) {
  const live = releases.find((it) => it.number === row.release_number) ?? null
  const next = releases.find((it) => it.state === 'rolling') ?? null
  return { live, next }
}

export const templateOf = (release: ReleaseRow | null): ServiceTemplate | null =>
  release && isWhole(release.content) ? release.content.template : null

function told(whole: Whole) {
  const { row, members } = whole
  const { live, next } = releasesOf(whole)
  if (row.kind !== 'managed' || !live)
    return row.kind === 'platform' || whole.registered > 0
      ? { state: 'running' as const, reason: null }
      : { state: 'unhealthy' as const, reason: 'Nothing was heard of it lately.' }
  return serviceState({
    desired: row.desired,
    replicas: row.replicas,
    live: plannedOf(live),
    next: next && plannedOf(next),
    members,
    problem: row.reason ?? failedSince(whole),
  })
}

/** An update did not work, and the one before is back. */
function failedSince({ row, releases }: Whole): string | null {
  const failed = releases.findLast((it) => it.state === 'failed' && it.number > (row.release_number ?? 0))
  return failed ? `Release ${failed.number} did not work, the one before is back: ${failed.reason}` : null
}

/** `newest`: the version its template has now; `url`: where people open what has a door for them. */
export function shapeService(whole: Whole, newest: string | null, url: string): Service {
  const { row } = whole
  const { live } = releasesOf(whole)
  const hasDoor = templateOf(live)?.doors.some((door) => door.kind === 'http') ?? false
  return {
    id: row.id,
    name: row.name,
    title: row.title,
    kind: row.kind,
    templateId: row.template_id,
    templateName: row.template_name,
    updateTo: live && newest !== null && newest !== live.version ? newest : null,
    desired: row.desired,
    ...told(whole),
    release: row.release_number,
    version: live?.version ?? row.metadata.version ?? null,
    replicas: row.replicas,
    instances: whole.members.map((it) => shapeInstance(it, row.release_number)),
    metadata: row.metadata,
    url: hasDoor ? url : null,
    dependencies: [...whole.dependencies],
    createdAt: row.created_at,
    changedAt: row.changed_at,
  }
}

export const shapeRelease = (row: ReleaseRow): Release => ({
  id: row.id,
  serviceId: row.service_id,
  serviceName: row.service_name,
  number: row.number,
  version: row.version,
  state: row.state,
  reason: row.reason,
  byName: row.by_name,
  createdAt: row.created_at,
  liveAt: row.live_at,
})

export const shapeHealth = (row: HealthRow): HealthChange => ({
  instanceId: row.instance_id,
  part: row.part,
  number: row.number,
  state: row.state,
  detail: row.detail,
  tookMs: row.took_ms,
  at: row.at,
})
