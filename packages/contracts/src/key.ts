/** Service keys: what programs sign in with. Personal ones act as their person, the others as a service account. */
import { z } from 'zod'
import { byId, id, nothing, page, pageQuery, time } from './basics.ts'
import { type KeyScope, SCOPES } from './permission.ts'
import { route } from './route.ts'

/** `kal_<12 signs>_<43 signs>`: a fixed beginning, so that programs that look for leaked secrets find it. */
export const KEY_PREFIX = 'kal_'
export const KEY_FORM = /^kal_([0-9a-z]{12})_([0-9A-Za-z]{43})$/

/** What each scope lets a key do, in words for people. */
export const SCOPE_WORDS: Record<KeyScope, string> = {
  'me.read': 'See whose key it is',
  'person.read': 'See people',
  'person.manage': 'Add, change and switch off people',
  'group.read': 'See groups',
  'group.manage': 'Change groups',
  'invitation.manage': 'Invite people',
  'policy.manage': 'Change what signing in asks for',
  'provider.manage': 'Change other ways to sign in',
  'app.manage': 'Change connected apps',
  'app.use': 'Pass to connected apps',
  'audit.read': 'Read the record of what was done',
  'activity.own': 'See what its owner did',
  'scim.use': 'Keep people and groups in step with another directory (SCIM)',
  'catalog.read': 'See what can be launched',
  'session.read': 'See sessions',
  'session.launch': 'Launch sessions',
  'session.stop': 'Stop and remove sessions',
  'stream.open': 'Look at screens and type into them',
  'service.read': 'See services',
  'service.operate': 'Start, stop and restart services, and read their logs',
  'service.manage': 'Install, change and remove services',
  'service.register': 'Say where a service is',
  'route.read': 'See which address leads where',
  'route.manage': 'Change which address leads where',
  'network.read': 'See names and certificates',
  'network.manage': 'Change names and certificates',
  'gateway.serve': 'Be a gateway',
  'controller.read': 'See machines',
  'controller.manage': 'Add, change and remove machines',
  'event.read': 'Hear what happens as it happens',
}

/** Ready choices; `null` in a form means: picked one by one. */
export const SCOPE_PRESETS = {
  read: { words: 'Only look', scopes: SCOPES.filter((it) => it.endsWith('.read') && it !== 'audit.read') },
  launch: {
    words: 'Launch and use sessions',
    scopes: [
      'me.read',
      'catalog.read',
      'session.read',
      'session.launch',
      'session.stop',
      'stream.open',
      'event.read',
    ],
  },
  scim: { words: 'Keep people in step (SCIM)', scopes: ['scim.use'] },
  everything: { words: 'Everything a key may do', scopes: SCOPES },
} as const satisfies Record<string, { words: string; scopes: readonly KeyScope[] }>
export type ScopePreset = keyof typeof SCOPE_PRESETS

export const scope = z.enum(SCOPES as [KeyScope, ...KeyScope[]])
/** What a service account may be: never an owner, because owners are people. */
export const accountRole = z.enum(['admin', 'member', 'guest'])
export type AccountRole = z.infer<typeof accountRole>

export const KEY_DAYS = { usual: 90, most: 365 } as const
export const OVERLAP_MINUTES = { usual: 60, most: 24 * 60 } as const

export const serviceKey = z.strictObject({
  id,
  /** The beginning that may be shown: `kal_<12 signs>`. */
  begins: z.string(),
  name: z.string(),
  /** Whose it is: a person, or a service account. */
  userId: id,
  userName: z.string(),
  userKind: z.enum(['person', 'service']),
  scopes: z.array(scope),
  createdAt: time,
  /** null: never. */
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable(),
  lastUsedAddress: z.string().nullable(),
  /** Until when the secret before the last change of it still works. */
  overlapUntil: time.nullable(),
})
export type ServiceKey = z.infer<typeof serviceKey>
/** `token` is shown now and never again. */
const made = z.strictObject({ key: serviceKey, token: z.string() })

export const serviceAccount = z.strictObject({
  id,
  name: z.string(),
  role: accountRole,
  state: z.enum(['active', 'off']),
  createdAt: time,
  keys: z.array(serviceKey),
})
export type ServiceAccount = z.infer<typeof serviceAccount>

const name = z.string().trim().min(1).max(60)
const newKey = z.strictObject({
  name,
  scopes: z
    .array(scope)
    .min(1, 'choose at least one')
    .max(SCOPES.length)
    .transform((all) => [...new Set(all)]),
  /** Days; null: never, which only an owner may choose. */
  expiresInDays: z.int().min(1).max(KEY_DAYS.most).nullable().default(KEY_DAYS.usual),
})
export type NewKey = z.infer<typeof newKey>
const newSecret = z.strictObject({
  /** For how long the secret before still works. */
  overlapMinutes: z.int().min(0).max(OVERLAP_MINUTES.most).default(OVERLAP_MINUTES.usual),
})

const common = { params: nothing, query: nothing, body: nothing }
export const keyRoutes = {
  mine: route({
    ...common,
    method: 'GET',
    path: '/api/me/keys',
    permission: 'key.own',
    summary: 'My service keys',
    answer: page(serviceKey),
    audit: null,
  }),
  make: route({
    ...common,
    method: 'POST',
    path: '/api/me/keys',
    permission: 'key.own',
    summary: 'Make a service key that acts as me; its secret is shown once',
    body: newKey,
    answer: made,
    audit: 'key.made',
    stepUp: true,
  }),
  rotateMine: route({
    ...common,
    method: 'POST',
    path: '/api/me/keys/:id/rotate',
    permission: 'key.own',
    summary: 'A new secret for my key; the old one works for a chosen while',
    params: byId,
    body: newSecret,
    answer: made,
    audit: 'key.rotated',
    stepUp: true,
  }),
  revokeMine: route({
    ...common,
    method: 'DELETE',
    path: '/api/me/keys/:id',
    permission: 'key.own',
    summary: 'Revoke my key: what it holds open is cut',
    params: byId,
    answer: nothing,
    audit: 'key.revoked',
  }),
  all: route({
    ...common,
    method: 'GET',
    path: '/api/keys',
    permission: 'key.manage',
    summary: 'Every service key of the organisation',
    query: pageQuery,
    answer: page(serviceKey),
    audit: null,
  }),
  rotate: route({
    ...common,
    method: 'POST',
    path: '/api/keys/:id/rotate',
    permission: 'key.manage',
    summary: "A new secret for a service account's key",
    params: byId,
    body: newSecret,
    answer: made,
    audit: 'key.rotated',
    stepUp: true,
  }),
  revoke: route({
    ...common,
    method: 'DELETE',
    path: '/api/keys/:id',
    permission: 'key.manage',
    summary: 'Revoke any key of the organisation: what it holds open is cut',
    params: byId,
    answer: nothing,
    audit: 'key.revoked',
  }),
  accounts: route({
    ...common,
    method: 'GET',
    path: '/api/service-accounts',
    permission: 'key.manage',
    summary: 'Service accounts and their keys',
    query: pageQuery,
    answer: page(serviceAccount),
    audit: null,
  }),
  makeAccount: route({
    ...common,
    method: 'POST',
    path: '/api/service-accounts',
    permission: 'key.manage',
    summary: 'Make a service account, for a program that belongs to nobody',
    body: z.strictObject({ name, role: accountRole.default('member') }),
    answer: serviceAccount,
    audit: 'account.made',
    stepUp: true,
  }),
  changeAccount: route({
    ...common,
    method: 'PATCH',
    path: '/api/service-accounts/:id',
    permission: 'key.manage',
    summary: 'Change a service account, or switch it off',
    params: byId,
    body: z.strictObject({
      name: name.optional(),
      role: accountRole.optional(),
      state: z.enum(['active', 'off']).optional(),
    }),
    answer: serviceAccount,
    audit: 'account.changed',
    stepUp: true,
  }),
  removeAccount: route({
    ...common,
    method: 'DELETE',
    path: '/api/service-accounts/:id',
    permission: 'key.manage',
    summary: 'Remove a service account and its keys',
    params: byId,
    answer: nothing,
    audit: 'account.removed',
  }),
  makeForAccount: route({
    ...common,
    method: 'POST',
    path: '/api/service-accounts/:id/keys',
    permission: 'key.manage',
    summary: 'Make a key for a service account; its secret is shown once',
    params: byId,
    body: newKey,
    answer: made,
    audit: 'key.made',
    stepUp: true,
  }),
}
