/** Services: what runs all the time for everybody. Shapes, states, routes. */
import { z } from 'zod'
import { byId, id, nothing, page, pageQuery, slug, time } from './basics.ts'
import { labels } from './controller.ts'
import { health, healthState } from './health.ts'
import { platformName, progress } from './instance.ts'
import { placed } from './placing.ts'
import { route } from './route.ts'
import { answers } from './template.ts'

/** What people are told; derived from what is wanted and from the instances (`server/services/state.ts`). */
export const serviceState = z.enum([
  'waiting',
  'starting',
  'running',
  'unhealthy',
  'updating',
  'stopping',
  'stopped',
  'failed',
])
export type ServiceState = z.infer<typeof serviceState>

/** managed: we run it. outside: it registered itself, or somebody wrote it down. platform: part of Kalnet. */
export const serviceKind = z.enum(['managed', 'outside', 'platform'])

export const serviceInstance = z.strictObject({
  id,
  part: slug,
  /** Which replica, from 0. */
  number: z.number().int(),
  release: z.number().int(),
  generation: z.number().int(),
  /** finishing: a newer release has the traffic. */
  state: z.enum([
    'waiting',
    'starting',
    'running',
    'finishing',
    'stopping',
    'stopped',
    'failed',
    'unreachable',
  ]),
  health: health.nullable(),
  reason: z.string().nullable(),
  progress: progress.nullable(),
  platform: platformName,
  controllerId: id,
  controllerName: z.string().nullable(),
  /** Why it is there. Only where its service is read alone, and by who may see machines. */
  placed: placed.optional(),
  /** How often it came to an end and was started again by itself since somebody last asked for it. */
  restarts: z.number().int(),
  /** It ended and is started again then. */
  nextStartAt: time.nullable(),
  startedAt: time.nullable(),
})
export type ServiceInstance = z.infer<typeof serviceInstance>

const tag = z.string().regex(/^[\w.:-]{1,60}$/, 'has letters, digits, dots, colons and dashes only')
export const metadata = z.strictObject({
  version: z.string().max(60).nullable().default(null),
  tags: z.array(tag).max(30).default([]),
  /** What others may use it for: `http`, `postgresql`, `smtp`. */
  capabilities: z.array(tag).max(30).default([]),
})
export type Metadata = z.infer<typeof metadata>

const title = z.string().trim().min(1).max(60)
export const service = z.strictObject({
  id,
  /** Unique in the organisation; the first label of its host name and its name in DNS. */
  name: slug,
  title,
  kind: serviceKind,
  templateId: slug.nullable(),
  templateName: z.string().nullable(),
  /** A newer version of its template than the release is of. */
  updateTo: z.string().nullable(),
  desired: z.enum(['running', 'stopped']),
  state: serviceState,
  reason: z.string().nullable(),
  release: z.number().int().nullable(),
  version: z.string().nullable(),
  replicas: z.number().int(),
  instances: z.array(serviceInstance),
  metadata,
  /** Where people open it, if anywhere. */
  url: z.string().nullable(),
  /** Whether it opens to who asks. Not said in events, which are for everybody, nor to programs. */
  mayOpen: z.boolean().optional(),
  /** Names of services it uses. */
  dependencies: z.array(slug),
  createdAt: time,
  changedAt: time,
})
export type Service = z.infer<typeof service>

export const release = z.strictObject({
  id,
  serviceId: id,
  serviceName: slug,
  number: z.number().int(),
  version: z.string(),
  /** 'rolling': its instances start beside those of the last; 'live'; 'replaced'; 'failed': it never became healthy, the last one stays. */
  state: z.enum(['rolling', 'live', 'replaced', 'failed']),
  reason: z.string().nullable(),
  byName: z.string().nullable(),
  createdAt: time,
  liveAt: time.nullable(),
})
export type Release = z.infer<typeof release>

export const healthChange = z.strictObject({
  instanceId: id,
  part: slug,
  number: z.number().int(),
  state: healthState,
  detail: z.string(),
  tookMs: z.number().nullable(),
  at: time,
})
export type HealthChange = z.infer<typeof healthChange>

export const installBody = z.strictObject({
  templateId: slug,
  /** Default: the template's id, with a number where it is taken. */
  name: slug.optional(),
  title: title.optional(),
  answers: answers.default({}),
  replicas: z.number().int().min(1).max(20).default(1),
  platform: platformName.optional(),
  labels: labels.default({}),
  /** The template's name of a dependency → a service. */
  dependencies: z.record(slug, id).default({}),
})

export const serviceRoutes = {
  list: route({
    method: 'GET',
    path: '/api/services',
    permission: 'service.read',
    summary: 'Services, by name',
    params: nothing,
    query: pageQuery.extend({ search: z.string().max(60).optional(), tag: tag.optional() }),
    body: nothing,
    answer: page(service),
    audit: null,
  }),
  read: route({
    method: 'GET',
    path: '/api/services/:id',
    permission: 'service.read',
    summary: 'One service',
    params: byId,
    query: nothing,
    body: nothing,
    answer: service,
    audit: null,
  }),
  install: route({
    method: 'POST',
    path: '/api/services',
    permission: 'service.manage',
    summary: 'Install a service from a template',
    params: nothing,
    query: nothing,
    body: installBody,
    answer: service,
    audit: 'service.installed',
    limits: { perMinute: 60 },
  }),
  change: route({
    method: 'PATCH',
    path: '/api/services/:id',
    permission: 'service.manage',
    summary: 'Change its title, tags or number of replicas',
    params: byId,
    query: nothing,
    body: z.strictObject({
      title: title.optional(),
      metadata: metadata.optional(),
      replicas: z.number().int().min(1).max(20).optional(),
    }),
    answer: service,
    audit: 'service.changed',
  }),
  start: route({
    method: 'POST',
    path: '/api/services/:id/start',
    permission: 'service.operate',
    summary: 'Start it',
    params: byId,
    query: nothing,
    body: nothing,
    answer: service,
    audit: 'service.started',
  }),
  stop: route({
    method: 'POST',
    path: '/api/services/:id/stop',
    permission: 'service.operate',
    summary: 'Stop it; its data stays',
    params: byId,
    query: nothing,
    body: nothing,
    answer: service,
    audit: 'service.stopped',
  }),
  restart: route({
    method: 'POST',
    path: '/api/services/:id/restart',
    permission: 'service.operate',
    summary: 'Start every instance of it afresh',
    params: byId,
    query: nothing,
    body: nothing,
    answer: service,
    audit: 'service.restarted',
  }),
  finish: route({
    method: 'POST',
    path: '/api/services/:id/finish',
    permission: 'service.operate',
    summary: 'End now what is still open at the release before; a switch gives it time to end by itself',
    params: byId,
    query: nothing,
    body: nothing,
    answer: service,
    audit: 'service.finished',
  }),
  update: route({
    method: 'POST',
    path: '/api/services/:id/update',
    permission: 'service.manage',
    summary: 'A new release: the newest version of its template, other answers, or as an older release was',
    params: byId,
    query: nothing,
    body: z.strictObject({ answers: answers.optional(), release: z.number().int().min(1).optional() }),
    answer: service,
    audit: 'service.updated',
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/services/:id',
    permission: 'service.manage',
    summary: 'Remove it and its routes; what it kept stays with its secrets, or goes with `data=remove`',
    params: byId,
    query: z.strictObject({ data: z.enum(['keep', 'remove']).default('keep') }),
    body: nothing,
    answer: nothing,
    audit: 'service.removed',
  }),
  logs: route({
    method: 'GET',
    path: '/api/services/:id/logs',
    permission: 'service.operate',
    summary: 'What its programs printed, the last lines',
    params: byId,
    query: z.strictObject({
      instance: id.optional(),
      lines: z.coerce.number().int().min(1).max(2000).default(500),
    }),
    body: nothing,
    answer: z.strictObject({ lines: z.array(z.string()) }),
    audit: 'service.logs-read',
  }),
  history: route({
    method: 'GET',
    path: '/api/services/:id/health',
    permission: 'service.read',
    summary: 'How its health changed, newest first',
    params: byId,
    query: pageQuery,
    body: nothing,
    answer: page(healthChange),
    audit: null,
  }),
  releases: route({
    method: 'GET',
    path: '/api/services/:id/releases',
    permission: 'service.read',
    summary: 'Its releases, newest first',
    params: byId,
    query: pageQuery,
    body: nothing,
    answer: page(release),
    audit: null,
  }),
  deployments: route({
    method: 'GET',
    path: '/api/deployments',
    permission: 'service.read',
    summary: 'Releases of all services, newest first',
    params: nothing,
    query: pageQuery,
    body: nothing,
    answer: page(release),
    audit: null,
  }),
}
