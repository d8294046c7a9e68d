/** SQL of services, their releases, dependencies and volumes. */
import type { Labels } from '@kalnet/contracts/controller'
import type { PlatformName } from '@kalnet/contracts/instance'
import type { Metadata } from '@kalnet/contracts/service'
import type { Answers } from '@kalnet/contracts/template'
import { sql } from 'kysely'
import type { WholeTemplate } from '../catalog/resolve-service.ts'

export interface ServiceRow {
  id: string
  organisation_id: string
  name: string
  title: string
  kind: 'managed' | 'outside' | 'platform'
  template_id: string | null
  template_name: string | null
  answers: Answers
  desired: 'running' | 'stopped'
  replicas: number
  placement: { platform: PlatformName | null; labels: Labels }
  metadata: Metadata
  release_number: number | null
  reason: string | null
  openid: { appId: string; issuer: string; client: string } | null
  wake_at: string | null
  finish_by: string | null
  created_at: string
  changed_at: string
}
/** Whole, so that going back needs nothing else; `{}` when it is too old to go back to. */
export type ReleaseContent = WholeTemplate & { answers: Answers }
export interface ReleaseRow {
  id: string
  organisation_id: string
  service_id: string
  service_name: string
  number: number
  version: string
  content: ReleaseContent | Record<string, never>
  state: 'rolling' | 'live' | 'replaced' | 'failed'
  reason: string | null
  by_name: string | null
  created_at: string
  live_at: string | null
}
export interface VolumeRow {
  id: string
  part: string
  name: string
  controller_id: string
}

const releases = sql`
  SELECT r.*, s.name AS service_name, u.name AS by_name
  FROM releases r JOIN services s ON s.id = r.service_id LEFT JOIN users u ON u.id = r.user_id`
const json = (value: unknown) => JSON.stringify(value)

export const statements = {
  add: (row: {
    id: string
    organisationId: string
    name: string
    title: string
    templateId: string
    templateName: string
    answers: Answers
    replicas: number
    placement: ServiceRow['placement']
    metadata: Metadata
    now: Date
  }) => sql`
    INSERT INTO services (id, organisation_id, name, title, kind, template_id, template_name, answers, desired, replicas,
      placement, metadata, release_number, created_at, changed_at)
    VALUES (${row.id}::uuid, ${row.organisationId}::uuid, ${row.name}, ${row.title}, 'managed', ${row.templateId},
      ${row.templateName}, ${json(row.answers)}::jsonb, 'running', ${row.replicas}, ${json(row.placement)}::jsonb,
      ${json(row.metadata)}::jsonb, 1, ${row.now}, ${row.now})`,

  read: ({ id }: { id: string }) => sql<ServiceRow>`SELECT * FROM services WHERE id = ${id}::uuid`,
  /** Whoever changes a service or its instances holds this; it is taken before any of its instances. */
  lock: ({ id }: { id: string }) => sql<ServiceRow>`SELECT * FROM services WHERE id = ${id}::uuid FOR UPDATE`,
  lockOfInstance: ({ instanceId }: { instanceId: string }) => sql<{ id: string }>`
    SELECT s.id FROM services s JOIN service_instances m ON m.service_id = s.id
    WHERE m.id = ${instanceId}::uuid FOR UPDATE OF s`,
  /** What is due; what another server has in hand is left to it. */
  lockDue: ({ now }: { now: Date }) => sql<ServiceRow>`
    SELECT * FROM services WHERE wake_at <= ${now} ORDER BY wake_at LIMIT 1 FOR UPDATE SKIP LOCKED`,

  names: ({ organisationId }: { organisationId: string }) => sql<{ name: string }>`
    SELECT name FROM services WHERE organisation_id = ${organisationId}::uuid`,
  list: (row: {
    after: string | null
    search: string | null
    tag: string | null
    limit: number
  }) => sql<ServiceRow>`
    SELECT * FROM services
    WHERE (${row.after}::text IS NULL OR name > ${row.after})
      AND (${row.search}::text IS NULL OR strpos(lower(name || ' ' || title), lower(${row.search})) > 0)
      AND (${row.tag}::text IS NULL OR metadata->'tags' ? ${row.tag})
    ORDER BY name LIMIT ${row.limit}`,
  /** Those that have something on this controller. */
  on: ({ controllerId }: { controllerId: string }) => sql<{ id: string }>`
    SELECT s.id FROM services s WHERE EXISTS (
      SELECT FROM service_instances m JOIN instances i ON i.id = m.id
      WHERE m.service_id = s.id AND i.controller_id = ${controllerId}::uuid)
      OR EXISTS (SELECT FROM volumes v WHERE v.service_id = s.id AND v.controller_id = ${controllerId}::uuid)
    ORDER BY s.id`,

  /** Null leaves a thing as it is. */
  change: (row: {
    id: string
    title: string | null
    metadata: Metadata | null
    replicas: number | null
    answers: Answers | null
    now: Date
  }) => sql`
    UPDATE services SET title = coalesce(${row.title}, title),
      metadata = coalesce(${row.metadata ? json(row.metadata) : null}::jsonb, metadata),
      replicas = coalesce(${row.replicas}::int, replicas),
      answers = coalesce(${row.answers ? json(row.answers) : null}::jsonb, answers), changed_at = ${row.now}
    WHERE id = ${row.id}::uuid`,
  want: (row: { id: string; desired: 'running' | 'stopped'; reason: string | null; now: Date }) => sql`
    UPDATE services SET desired = ${row.desired}, reason = ${row.reason}, changed_at = ${row.now}
    WHERE id = ${row.id}::uuid`,
  settled: (row: { id: string; reason: string | null; wakeAt: Date | null }) => sql`
    UPDATE services SET reason = ${row.reason}, wake_at = ${row.wakeAt} WHERE id = ${row.id}::uuid`,
  wake: ({ id, at }: { id: string; at: Date }) => sql`
    UPDATE services SET wake_at = ${at} WHERE id = ${id}::uuid`,
  serve: (row: {
    id: string
    release: number
    templateName: string
    version: string
    answers: Answers
    finishBy: Date
    now: Date
  }) => sql`
    UPDATE services SET release_number = ${row.release}, finish_by = ${row.finishBy}, template_name = ${row.templateName},
      answers = ${json(row.answers)}::jsonb,
      metadata = jsonb_set(metadata, '{version}', to_jsonb(${row.version}::text)), changed_at = ${row.now}
    WHERE id = ${row.id}::uuid`,
  finish: ({ id, by }: { id: string; by: Date }) => sql`
    UPDATE services SET finish_by = ${by} WHERE id = ${id}::uuid`,
  /** Which service this app is the sign-in of. */
  ofApp: ({ appId }: { appId: string }) => sql<{ id: string }>`
    SELECT id FROM services WHERE openid->>'appId' = ${appId}`,
  setOpenId: ({ id, openid }: { id: string; openid: object | null }) => sql`
    UPDATE services SET openid = ${openid ? json(openid) : null}::jsonb WHERE id = ${id}::uuid`,
  remove: ({ id }: { id: string }) => sql`DELETE FROM services WHERE id = ${id}::uuid`,

  addDependency: (row: { organisationId: string; serviceId: string; name: string; needsId: string }) => sql`
    INSERT INTO service_dependencies (organisation_id, service_id, name, needs_id)
    VALUES (${row.organisationId}::uuid, ${row.serviceId}::uuid, ${row.name}, ${row.needsId}::uuid)`,
  dependencies: ({ ids }: { ids: readonly string[] }) => sql<{
    service_id: string
    name: string
    needs_id: string
    needs_name: string
  }>`
    SELECT d.service_id, d.name, d.needs_id, s.name AS needs_name
    FROM service_dependencies d JOIN services s ON s.id = d.needs_id
    WHERE d.service_id = any(${ids}::uuid[]) ORDER BY s.name`,
  dependants: ({ id }: { id: string }) => sql<{ id: string; name: string }>`
    SELECT DISTINCT s.id, s.name FROM service_dependencies d JOIN services s ON s.id = d.service_id
    WHERE d.needs_id = ${id}::uuid ORDER BY s.name`,
  /** Who needs whom, by name, in the whole organisation. */
  needs: ({ organisationId }: { organisationId: string }) => sql<{ name: string; needs: string }>`
    SELECT s.name, n.name AS needs FROM service_dependencies d
    JOIN services s ON s.id = d.service_id JOIN services n ON n.id = d.needs_id
    WHERE d.organisation_id = ${organisationId}::uuid`,

  addRelease: (row: {
    id: string
    organisationId: string
    serviceId: string
    number: number
    version: string
    content: ReleaseContent
    userId: string
    now: Date
  }) => sql`
    INSERT INTO releases (id, organisation_id, service_id, number, version, content, state, user_id, created_at)
    VALUES (${row.id}::uuid, ${row.organisationId}::uuid, ${row.serviceId}::uuid, ${row.number}, ${row.version},
      ${json(row.content)}::jsonb, 'rolling', ${row.userId}::uuid, ${row.now})`,
  /** Those that matter now: the live one, the rolling one, those that failed since, and whatever still has instances. */
  current: ({ ids }: { ids: readonly string[] }) => sql<ReleaseRow>`
    ${releases} WHERE r.service_id = any(${ids}::uuid[]) AND (r.state = 'rolling' OR r.number = s.release_number
      OR (r.state = 'failed' AND r.number > s.release_number)
      OR EXISTS (SELECT FROM service_instances m WHERE m.service_id = s.id AND m.release_number = r.number))
    ORDER BY r.number`,
  release: ({ id, number }: { id: string; number: number }) => sql<ReleaseRow>`
    ${releases} WHERE r.service_id = ${id}::uuid AND r.number = ${number}`,
  highest: ({ id }: { id: string }) => sql<{ number: number }>`
    SELECT coalesce(max(number), 0)::int AS number FROM releases WHERE service_id = ${id}::uuid`,
  /** `serviceId` null: of all services. Newest first; ids are in the order of time. */
  listReleases: (row: { serviceId: string | null; after: string | null; limit: number }) => sql<ReleaseRow>`
    ${releases} WHERE (${row.serviceId}::uuid IS NULL OR r.service_id = ${row.serviceId}::uuid)
      AND (${row.after}::uuid IS NULL OR r.id < ${row.after}::uuid)
    ORDER BY r.id DESC LIMIT ${row.limit}`,
  /** A route's policy gives this release a share of its requests. */
  canary: ({ id, release }: { id: string; release: number }) => sql<{ named: boolean }>`
    SELECT EXISTS (SELECT FROM gateway_routes WHERE service_id = ${id}::uuid
      AND policy->'canary' @> jsonb_build_array(jsonb_build_object('release', ${release}::int))) AS named`,
  setRelease: (row: {
    serviceId: string
    number: number
    state: ReleaseRow['state']
    reason: string | null
    liveAt: Date | null
  }) => sql`
    UPDATE releases SET state = ${row.state}, reason = ${row.reason}, live_at = coalesce(${row.liveAt}, live_at)
    WHERE service_id = ${row.serviceId}::uuid AND number = ${row.number}`,
  replaceOthers: ({ serviceId, number }: { serviceId: string; number: number }) => sql`
    UPDATE releases SET state = 'replaced'
    WHERE service_id = ${serviceId}::uuid AND number <> ${number} AND state = 'live'`,
  /** Older ones keep their line in the list; to go back to them their content is needed, and that is kept of the newest few. */
  emptyOld: ({ serviceId, keep }: { serviceId: string; keep: number }) => sql`
    UPDATE releases SET content = '{}' WHERE service_id = ${serviceId}::uuid AND content <> '{}' AND number < (
      SELECT min(number) FROM (SELECT number FROM releases WHERE service_id = ${serviceId}::uuid
        AND state IN ('live', 'replaced', 'rolling') ORDER BY number DESC LIMIT ${keep}) newest)`,

  registered: ({ ids }: { ids: readonly string[] }) => sql<{ service_id: string; count: number }>`
    SELECT service_id, count(*)::int AS count FROM registrations WHERE service_id = any(${ids}::uuid[])
    GROUP BY service_id`,

  addVolume: (row: {
    id: string
    organisationId: string
    serviceId: string
    serviceName: string
    part: string
    name: string
    class: string
    controllerId: string
    now: Date
  }) => sql`
    INSERT INTO volumes (id, organisation_id, service_id, service_name, part, name, class, controller_id, created_at)
    VALUES (${row.id}::uuid, ${row.organisationId}::uuid, ${row.serviceId}::uuid, ${row.serviceName}, ${row.part},
      ${row.name}, ${row.class}, ${row.controllerId}::uuid, ${row.now})`,
  volumes: ({ id }: { id: string }) => sql<VolumeRow>`
    SELECT id, part, name, controller_id FROM volumes WHERE service_id = ${id}::uuid ORDER BY id`,
  /** What was kept of a service of this name comes back to it. */
  adoptVolumes: (row: { id: string; organisationId: string; name: string }) => sql<{ id: string }>`
    UPDATE volumes SET service_id = ${row.id}::uuid
    WHERE organisation_id = ${row.organisationId}::uuid AND service_id IS NULL AND NOT leaving AND service_name = ${row.name}
    RETURNING id`,
  /** They go once their machine says that it has taken them away. */
  leaveVolumes: ({ id }: { id: string }) =>
    sql`UPDATE volumes SET leaving = true WHERE service_id = ${id}::uuid`,
  leavingOn: ({ controllerId }: { controllerId: string }) => sql<{ id: string }>`
    SELECT id FROM volumes WHERE controller_id = ${controllerId}::uuid AND leaving ORDER BY id`,
  dropVolume: ({ id, controllerId }: { id: string; controllerId: string }) => sql`
    DELETE FROM volumes WHERE id = ${id}::uuid AND controller_id = ${controllerId}::uuid AND leaving`,
}
