/** Forward-auth: who may pass to an app that stands behind a proxy, and passwords for programs that cannot follow a redirect. */
import { z } from 'zod'
import { allowed } from './app.ts'
import { byId, id, nothing, page, pageQuery, time } from './basics.ts'
import type { Mounted } from './mount.ts'
import { route } from './route.ts'

/** Lower-case name with a port where it is not the scheme's own: `photos.home.arpa`, `photos.localhost:8080`. */
const host = z
  .string()
  .max(255)
  .transform((text) => text.toLowerCase())
  .refine(
    (text) => /^[a-z0-9.-]+(:\d{1,5})?$/.test(text) && !/:(80|443)$/.test(text),
    'is a name like photos.example.org',
  )
const pathPrefix = z
  .string()
  .max(200)
  .regex(/^\/[\w./~-]*$/, 'starts with / and has plain characters only')
  .refine((text) => !/(^|\/)\.{1,2}(\/|$)|\/\//.test(text), 'must not have . or .. in it')

/** public: everybody, without signing in (webhooks). people: whoever `allowed` names. */
const who = z.enum(['public', 'people'])
const name = z.string().trim().min(1).max(60)
const fields = {
  name,
  host,
  pathPrefix: pathPrefix.default('/'),
  who: who.default('people'),
  allowed: allowed.prefault({}),
}
export const forwardRoute = z.strictObject({
  id,
  ...fields,
  /** Programs may show an app password (HTTP Basic). */
  appPasswords: z.boolean(),
  createdAt: time,
  changedAt: time,
})
export type ForwardRoute = z.infer<typeof forwardRoute>

export const appPassword = z.strictObject({
  id,
  name: z.string(),
  routeId: id,
  routeName: z.string(),
  host: z.string(),
  createdAt: time,
  lastUsedAt: time.nullable(),
})
export type AppPassword = z.infer<typeof appPassword>

export const FORWARD_PATH = '/api/forward-auth'
/** On the app's own host: where the browser comes back with its one-use code, and where it signs out of that host. */
export const CALLBACK_PATH = '/.kalnet/callback'
export const SIGN_OUT_PATH = '/.kalnet/sign-out'
/**
 * What a proxy copies from our answer onto the request it passes on. It deletes what the client sent under these names first, so a client
 * can claim none of them; `cookie` and `authorization` come back without what is ours.
 */
export const FORWARD_HEADERS = [
  'X-Kalnet-User',
  'X-Kalnet-Username',
  'X-Kalnet-Name',
  'X-Kalnet-Email',
  'X-Kalnet-Role',
  'X-Kalnet-Groups',
  'Cookie',
  'Authorization',
] as const

export const forwardRoutes = {
  list: route({
    method: 'GET',
    path: '/api/forward-routes',
    permission: 'app.manage',
    summary: 'Who may pass to which address',
    params: nothing,
    query: pageQuery,
    body: nothing,
    answer: page(forwardRoute),
    audit: null,
  }),
  add: route({
    method: 'POST',
    path: '/api/forward-routes',
    permission: 'app.manage',
    summary: 'Guard an address',
    params: nothing,
    query: nothing,
    body: z.strictObject({ ...fields, appPasswords: z.boolean().default(false) }),
    answer: forwardRoute,
    audit: 'forward-route.added',
  }),
  change: route({
    method: 'PATCH',
    path: '/api/forward-routes/:id',
    permission: 'app.manage',
    summary: 'Change who may pass',
    params: byId,
    query: nothing,
    body: z.strictObject({
      name: name.optional(),
      who: who.optional(),
      allowed: allowed.optional(),
      appPasswords: z.boolean().optional(),
    }),
    answer: forwardRoute,
    audit: 'forward-route.changed',
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/forward-routes/:id',
    permission: 'app.manage',
    summary: 'Guard it no more: nobody passes',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'forward-route.removed',
  }),
  enter: route({
    method: 'POST',
    path: '/api/enter',
    permission: 'app.use',
    summary: 'Pass on to a guarded address: a one-use code for its host',
    params: nothing,
    query: nothing,
    body: z.strictObject({ to: z.string().max(2000), state: z.string().regex(/^[0-9a-f]{64}$/) }),
    answer: z.strictObject({ to: z.string() }),
    audit: 'forward-route.entered',
  }),
  /** Guarded addresses that I may pass to and that take app passwords. */
  places: route({
    method: 'GET',
    path: '/api/app-passwords/places',
    permission: 'me.read',
    summary: 'Where an app password of mine could be used',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: page(z.strictObject({ id, name: z.string(), host: z.string() })),
    audit: null,
  }),
  passwords: route({
    method: 'GET',
    path: '/api/app-passwords',
    permission: 'me.read',
    summary: 'My app passwords',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: page(appPassword),
    audit: null,
  }),
  addPassword: route({
    method: 'POST',
    path: '/api/app-passwords',
    permission: 'me.secure',
    summary: 'An app password for one address, shown once',
    params: nothing,
    query: nothing,
    body: z.strictObject({ routeId: id, name }),
    answer: z.strictObject({ appPassword, username: z.string(), secret: z.string() }),
    audit: 'app-password.made',
    stepUp: true,
  }),
  removePassword: route({
    method: 'DELETE',
    path: '/api/app-passwords/:id',
    permission: 'me.secure',
    summary: 'End an app password',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'app-password.removed',
  }),
}

/** Every request of every guarded app asks here, through one proxy: hence the limit. */
export const forwardMount: readonly Mounted[] = [
  {
    methods: ['GET', 'HEAD'],
    path: FORWARD_PATH,
    summary: 'May this request pass (asked by a proxy, with X-Forwarded-*)',
    origin: 'any',
    bodyBytes: 0,
    perMinute: 1_000_000,
  },
]
