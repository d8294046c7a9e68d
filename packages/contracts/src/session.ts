/** Sessions: a user's interactive instance with a display. Life cycle, shapes, routes. */
import { z } from 'zod'
import { byId, id, nothing, page, pageQuery, slug, time } from './basics.ts'
import { labels } from './controller.ts'
import { platformName, progress } from './instance.ts'
import type { Table } from './machine.ts'
import { placed } from './placing.ts'
import { route } from './route.ts'
import { answers, idleAction } from './template.ts'

export const sessionState = z.enum([
  'pending',
  'starting',
  'running',
  'hibernating',
  'hibernated',
  'waking',
  'stopping',
  'stopped',
  'failed',
])
export type SessionState = z.infer<typeof sessionState>
export const sessionEvent = z.enum([
  'placed',
  'ready',
  'ended',
  'broke',
  'stop',
  'restart',
  'hibernate',
  'wake',
])
export type SessionEvent = z.infer<typeof sessionEvent>

/**
 * placed: a controller has it. ready: its display answers. ended: its program came to its own end, or was stopped. broke: it was killed, crashed or could not start.
 * What sleeps keeps its home: a waking that goes wrong leads back to sleep, and only `stop` or a removal ends what is kept.
 */
export const SESSION_TABLE: Table<SessionState, SessionEvent> = {
  pending: { placed: 'starting', broke: 'failed', stop: 'stopping', ended: 'stopped' },
  starting: { ready: 'running', broke: 'failed', stop: 'stopping', ended: 'failed' },
  running: {
    broke: 'failed',
    ended: 'stopped',
    stop: 'stopping',
    restart: 'starting',
    hibernate: 'hibernating',
  },
  hibernating: { ended: 'hibernated', broke: 'hibernated', wake: 'waking', stop: 'stopping' },
  hibernated: { wake: 'waking' },
  waking: {
    ready: 'running',
    broke: 'hibernated',
    ended: 'hibernated',
    hibernate: 'hibernating',
    stop: 'stopping',
  },
  stopping: { ended: 'stopped', broke: 'stopped' },
  stopped: { restart: 'starting' },
  failed: { restart: 'starting' },
}

/** How long before it is done somebody at the screen is told what nobody's use will bring. */
export const IDLE_WARNING_MS = 120_000

/** Each stage of a start, in order. firstByte and firstFrame are the first viewer's. */
export const STAGES = ['accepted', 'placed', 'created', 'displayReady', 'firstByte', 'firstFrame'] as const
export const stages = z.strictObject({
  accepted: time.nullable(),
  placed: time.nullable(),
  created: time.nullable(),
  displayReady: time.nullable(),
  firstByte: time.nullable(),
  firstFrame: time.nullable(),
})
export type Stage = (typeof STAGES)[number]

/** What is kept of a session that does not run: how large, and where. */
export const keptHome = z.strictObject({
  /** What its files take; null: nobody could measure it. */
  bytes: z.number().int().nonnegative().nullable(),
  /** Set aside for it, however much of that is used; null: nothing is, it takes what its files take. */
  reservedBytes: z.number().int().nonnegative().nullable(),
  /** The folder or claim, as its machine calls it; null: its machine did not say. */
  place: z.string().nullable(),
  /** Null: its machine has not looked yet. */
  measuredAt: time.nullable(),
})
export type KeptHome = z.infer<typeof keptHome>

export const session = z.strictObject({
  id,
  name: z.string(),
  templateId: slug,
  templateName: z.string(),
  userId: id,
  userName: z.string(),
  instanceId: id,
  generation: z.number().int(),
  platform: platformName.nullable(),
  controllerId: id.nullable(),
  controllerName: z.string().nullable(),
  /** False while its controller is not connected: it may well run on. */
  reachable: z.boolean(),
  state: sessionState,
  /** Why it failed, waits or ended, for people. */
  reason: z.string().nullable(),
  logTail: z.array(z.string()),
  progress: progress.nullable(),
  stages,
  /** Its home can be kept while it sleeps; without that it cannot. */
  keepsHome: z.boolean(),
  /** Of what sleeps or has failed; null while it runs, and where nothing is kept. */
  home: keptHome.nullable(),
  /** Nobody uses it: what is done, and when. Null while it is used, or when nothing comes of it. */
  idle: z.strictObject({ action: idleAction, at: time }).nullable(),
  /** Why it is on its machine. Only where it is read alone, and by who may see machines. */
  placed: placed.optional(),
  createdAt: time,
  endedAt: time.nullable(),
})
export type Session = z.infer<typeof session>

export const launchBody = z.strictObject({
  templateId: slug,
  name: z.string().trim().min(1).max(60).optional(),
  platform: platformName.optional(),
  answers: answers.default({}),
  /** Only on machines that carry all of these. */
  labels: labels.default({}),
})

const launchLimits = { perMinute: 60 }
export const sessionRoutes = {
  list: route({
    method: 'GET',
    path: '/api/sessions',
    permission: 'session.read',
    summary: 'Sessions, newest first',
    params: nothing,
    query: pageQuery.extend({ state: z.enum(['live', 'ended']).optional() }),
    body: nothing,
    answer: page(session),
    audit: null,
  }),
  read: route({
    method: 'GET',
    path: '/api/sessions/:id',
    permission: 'session.read',
    summary: 'One session',
    params: byId,
    query: nothing,
    body: nothing,
    answer: session,
    audit: null,
  }),
  launch: route({
    method: 'POST',
    path: '/api/sessions',
    permission: 'session.launch',
    summary: 'Launch a session from a template',
    params: nothing,
    query: nothing,
    body: launchBody,
    answer: session,
    audit: 'session.launched',
    limits: launchLimits,
  }),
  stop: route({
    method: 'POST',
    path: '/api/sessions/:id/stop',
    permission: 'session.stop',
    summary: 'Stop a session',
    params: byId,
    query: nothing,
    body: nothing,
    answer: session,
    audit: 'session.stopped',
  }),
  restart: route({
    method: 'POST',
    path: '/api/sessions/:id/restart',
    permission: 'session.stop',
    summary: 'Start it afresh as a new generation',
    params: byId,
    query: nothing,
    body: nothing,
    answer: session,
    audit: 'session.restarted',
  }),
  hibernate: route({
    method: 'POST',
    path: '/api/sessions/:id/hibernate',
    permission: 'session.stop',
    summary: 'Put it to sleep: its programs end, its home folder is kept',
    params: byId,
    query: nothing,
    body: nothing,
    answer: session,
    audit: 'session.hibernated',
  }),
  wake: route({
    method: 'POST',
    path: '/api/sessions/:id/wake',
    permission: 'session.stop',
    summary: 'Wake it up: it starts as a new generation with the home folder that was kept',
    params: byId,
    query: nothing,
    body: nothing,
    answer: session,
    audit: 'session.woken',
  }),
  keepAwake: route({
    method: 'POST',
    path: '/api/sessions/:id/keep-awake',
    permission: 'stream.open',
    summary: 'Somebody is there: as if it had been used now',
    params: byId,
    query: nothing,
    body: nothing,
    answer: session,
    audit: null,
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/sessions/:id',
    permission: 'session.stop',
    summary: 'Take an ended or sleeping session off the list, with all it kept',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'session.removed',
  }),
  logs: route({
    method: 'GET',
    path: '/api/sessions/:id/logs',
    permission: 'session.read',
    summary: 'What its programs printed, last 500 lines',
    params: byId,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ lines: z.array(z.string()) }),
    audit: 'session.logs-read',
  }),
  firstFrame: route({
    method: 'POST',
    path: '/api/sessions/:id/first-frame',
    permission: 'stream.open',
    summary: 'The viewer has drawn its first picture',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: null,
  }),
  thumbnail: route({
    method: 'POST',
    path: '/api/sessions/:id/thumbnail',
    permission: 'stream.open',
    summary: 'A small picture of the screen, at most one per 10 s',
    params: byId,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ png: z.base64().nullable(), takenAt: time.nullable() }),
    audit: null,
  }),
}
