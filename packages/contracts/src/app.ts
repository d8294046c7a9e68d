/** Apps that sign people in through us by OpenID Connect: registering them, asking for consent, taking it back. */
import { z } from 'zod'
import { byId, id, nothing, page, pageQuery, time } from './basics.ts'
import type { Mounted } from './mount.ts'
import { role } from './permission.ts'
import { route } from './route.ts'

/** Where the provider lives: the issuer is the public address and this path. */
export const OPENID_PATH = '/oidc'
/** `openid` always; the rest is what an app may learn. */
export const appScope = z.enum(['openid', 'profile', 'email', 'groups', 'offline_access'])
export type AppScope = z.infer<typeof appScope>

/** Plain http is for this machine and for names and addresses of a home network; everywhere else it would show the code to others. */
function mayReceive(text: string): boolean {
  if (!URL.canParse(text) || text.includes('#') || text.includes('*')) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username || password) return false
  if (protocol === 'https:') return true
  return protocol === 'http:' && isHome(hostname)
}
export const isHome = (hostname: string): boolean =>
  hostname === 'localhost' ||
  hostname === '[::1]' ||
  /\.(localhost|local|lan|home\.arpa|internal)$/.test(hostname) ||
  /^(127|10)(\.\d+){3}$|^192\.168(\.\d+){2}$|^172\.(1[6-9]|2\d|3[01])(\.\d+){2}$/.test(hostname)

const address = z
  .string()
  .max(500)
  .refine(mayReceive, 'must be an https address, without # and *; http only inside a home network')

/** Both empty: everybody of the organisation who is signed in. Else whoever has one of the roles or is in one of the groups. */
export const allowed = z.strictObject({
  roles: z.array(role).max(5).default([]),
  groups: z.array(id).max(50).default([]),
})
export type Allowed = z.infer<typeof allowed>

const name = z.string().trim().min(1).max(60)
const fields = {
  name,
  /** Compared character by character. */
  redirectUris: z.array(address).min(1).max(20),
  /** Where a browser may be sent after signing out. */
  leaveUris: z.array(address).max(20).default([]),
  /** Told when a sign-in ends (OpenID Connect Back-Channel Logout 1.0). */
  logoutUri: address.nullable().default(null),
  allowed: allowed.prefault({}),
  /** Trusted: people are not asked. */
  trusted: z.boolean().default(false),
}
export const appKind = z.enum(['confidential', 'public'])
export const app = z.strictObject({
  id,
  ...fields,
  clientId: z.string(),
  /** confidential: keeps a secret on its server. public: runs in a browser or on a phone; PKCE only. */
  kind: appKind,
  createdAt: time,
  changedAt: time,
})
export type App = z.infer<typeof app>

/** Opaque, of the provider. */
const uid = z.string().regex(/^[\w-]{10,64}$/, 'is not a question of ours')
export const consentQuestion = z.strictObject({
  app: z.strictObject({ id, name, host: z.string() }),
  me: z.strictObject({ name: z.string(), email: z.string() }),
  scopes: z.array(appScope),
  /** 'ask': the person decides. 'ready': trusted, or remembered; just go on. */
  state: z.enum(['ask', 'ready']),
})
export type ConsentQuestion = z.infer<typeof consentQuestion>
/** Where the browser goes next. */
const onward = z.strictObject({ to: z.string() })

export const myApp = z.strictObject({
  id,
  name: z.string(),
  scopes: z.array(appScope),
  since: time,
  lastUsedAt: time.nullable(),
})
export type MyApp = z.infer<typeof myApp>

export const appRoutes = {
  issuer: route({
    method: 'GET',
    path: '/api/apps/issuer',
    permission: 'app.manage',
    summary: 'What an app must be told about us',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ issuer: z.string(), discovery: z.string() }),
    audit: null,
  }),
  list: route({
    method: 'GET',
    path: '/api/apps',
    permission: 'app.manage',
    summary: 'Apps that sign people in through us',
    params: nothing,
    query: pageQuery,
    body: nothing,
    answer: page(app),
    audit: null,
  }),
  add: route({
    method: 'POST',
    path: '/api/apps',
    permission: 'app.manage',
    summary: 'Register an app; its secret is shown once',
    params: nothing,
    query: nothing,
    body: z.strictObject({ ...fields, kind: appKind.default('confidential') }),
    answer: z.strictObject({ app, secret: z.string().nullable() }),
    audit: 'app.registered',
    stepUp: true,
  }),
  read: route({
    method: 'GET',
    path: '/api/apps/:id',
    permission: 'app.manage',
    summary: 'One app',
    params: byId,
    query: nothing,
    body: nothing,
    answer: app,
    audit: null,
  }),
  change: route({
    method: 'PATCH',
    path: '/api/apps/:id',
    permission: 'app.manage',
    summary: 'Change an app',
    params: byId,
    query: nothing,
    body: z.strictObject({
      name: name.optional(),
      redirectUris: z.array(address).min(1).max(20).optional(),
      leaveUris: z.array(address).max(20).optional(),
      logoutUri: address.nullable().optional(),
      allowed: allowed.optional(),
      trusted: z.boolean().optional(),
    }),
    answer: app,
    audit: 'app.changed',
    stepUp: true,
  }),
  secret: route({
    method: 'POST',
    path: '/api/apps/:id/secret',
    permission: 'app.manage',
    summary: 'A new secret for an app, shown once; the old one ends at once',
    params: byId,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ secret: z.string() }),
    audit: 'app.secret-renewed',
    stepUp: true,
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/apps/:id',
    permission: 'app.manage',
    summary: 'Forget an app; everybody is signed out of it',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'app.removed',
  }),
  question: route({
    method: 'GET',
    path: '/api/consents/:uid',
    permission: 'app.use',
    summary: 'What an app asks of me',
    params: z.strictObject({ uid }),
    query: nothing,
    body: nothing,
    answer: consentQuestion,
    audit: null,
  }),
  decide: route({
    method: 'POST',
    path: '/api/consents/:uid',
    permission: 'app.use',
    summary: 'Let the app know me, or not',
    params: z.strictObject({ uid }),
    query: nothing,
    body: z.strictObject({ decision: z.enum(['allow', 'refuse']) }),
    answer: onward,
    audit: 'app.consent-decided',
  }),
  leave: route({
    method: 'POST',
    path: '/api/leave',
    permission: 'me.change',
    summary: 'An app asked to sign out: of the app, or of Kalnet on this device too',
    params: nothing,
    query: nothing,
    body: z.strictObject({ ask: z.string().max(100), everywhere: z.boolean() }),
    answer: onward,
    audit: 'app.signed-out',
  }),
  mine: route({
    method: 'GET',
    path: '/api/my-apps',
    permission: 'me.read',
    summary: 'Apps that know me',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: page(myApp),
    audit: null,
  }),
  forget: route({
    method: 'DELETE',
    path: '/api/my-apps/:id',
    permission: 'me.change',
    summary: 'Take my consent back; the app is signed out',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'app.consent-withdrawn',
  }),
  rotateKeys: route({
    method: 'POST',
    path: '/api/local/signing-keys',
    permission: 'local',
    summary: 'Sign with the next key; apps still find the old one',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ keys: z.array(z.string()) }),
    audit: 'app.signing-keys-rotated',
  }),
}

const browser = { origin: 'any', bodyBytes: 16_384, perMinute: 600 } as const
const program = { origin: 'any', bodyBytes: 16_384, perMinute: 6_000 } as const
/** The provider's own addresses (OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0, RFC 7009). */
export const openidMount: readonly Mounted[] = [
  {
    methods: ['GET', 'OPTIONS'],
    path: '/oidc/.well-known/openid-configuration',
    summary: 'Discovery',
    ...program,
  },
  { methods: ['GET', 'OPTIONS'], path: '/oidc/jwks', summary: 'The keys that we sign with', ...program },
  { methods: ['GET'], path: '/oidc/auth', summary: 'An app sends a person to us', ...browser },
  { methods: ['GET'], path: '/oidc/auth/:uid', summary: 'Back from the consent page', ...browser },
  { methods: ['POST', 'OPTIONS'], path: '/oidc/token', summary: 'Codes and refresh tokens', ...program },
  { methods: ['GET', 'POST', 'OPTIONS'], path: '/oidc/me', summary: 'Who it is (userinfo)', ...program },
  { methods: ['POST', 'OPTIONS'], path: '/oidc/token/revocation', summary: 'Give a token back', ...program },
  { methods: ['GET'], path: '/oidc/session/end', summary: 'An app signs a person out', ...browser },
  {
    methods: ['POST'],
    path: '/oidc/session/end/confirm',
    summary: 'The end of it',
    ...browser,
    origin: 'same',
  },
  { methods: ['GET'], path: '/oidc/session/end/success', summary: 'Signed out', ...browser },
]
