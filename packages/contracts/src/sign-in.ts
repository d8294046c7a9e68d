/** Getting in beyond the password: second factors, passkeys, proving oneself again, forgotten passwords, devices, and what each role must prove. */
import { z } from 'zod'
import { byId, id, nothing, page, time } from './basics.ts'
import { email, entered, newPassword, signInLimits } from './identity.ts'
import {
  assertion,
  newCredential,
  passkey,
  passkeyAvailability,
  passkeyCreation,
  passkeyName,
  passkeyRequest,
} from './passkey.ts'
import { role } from './permission.ts'
import { qr } from './qr.ts'
import { route } from './route.ts'

/** Six digits; spaces, as apps show them, do not matter. */
const totpCode = z
  .string()
  .max(20)
  .transform((text) => text.replace(/\s/g, ''))
const recoveryCode = z.string().max(40)
const attempt = z.string().max(100)
/** The JSON of a passkey is larger than a password. */
const passkeyLimits = { bodyBytes: 65_536, perMinute: 120 }

export const assurance = z.union([z.literal(1), z.literal(2)])
export const factorProof = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('totp'), code: totpCode }),
  z.strictObject({ method: z.literal('recovery'), code: recoveryCode }),
  z.strictObject({ method: z.literal('passkey'), response: assertion }),
])
export type FactorProof = z.infer<typeof factorProof>
export const stepUpProof = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('password'), password: z.string().max(200) }),
  z.strictObject({ method: z.literal('totp'), code: totpCode }),
  z.strictObject({ method: z.literal('passkey'), response: assertion }),
])
export type StepUpProof = z.infer<typeof stepUpProof>

/** What a person can prove themselves with, and what is demanded of them. */
export const factors = z.strictObject({
  password: z.boolean(),
  totp: z.strictObject({ confirmedAt: time }).nullable(),
  /** Null: there are none, because there is no second factor. */
  recovery: z.strictObject({ left: z.number().int(), of: z.number().int() }).nullable(),
  passkeys: z.array(passkey),
  /** At the address this was asked at. */
  passkeysHere: passkeyAvailability,
  /** Of the role's policy. */
  demanded: assurance,
  /** Of this sign-in. */
  proved: assurance,
})
export type Factors = z.infer<typeof factors>
/** Shown once, when the first second factor is set up or new codes are asked for. */
const recoveryCodes = z.array(z.string())

export const signInMethod = z.enum(['password', 'passkey', 'openid', 'saml', 'link'])
export const device = z.strictObject({
  id,
  /** For people: `Firefox on Linux`. */
  device: z.string(),
  address: z.string(),
  method: signInMethod,
  assurance,
  createdAt: time,
  lastSeenAt: time,
  expiresAt: time,
  /** The one that asks. */
  current: z.boolean(),
})
export type Device = z.infer<typeof device>

const DAY_MS = 24 * 3600_000
const policyFields = {
  assurance,
  idleMs: z
    .number()
    .int()
    .min(5 * 60_000)
    .max(400 * DAY_MS),
  absoluteMs: z
    .number()
    .int()
    .min(5 * 60_000)
    .max(400 * DAY_MS),
}
export const signInPolicy = z.strictObject({ role, ...policyFields })
export type SignInPolicyOf = z.infer<typeof signInPolicy>

const bare = { params: nothing, query: nothing, body: nothing }
export const signInRoutes = {
  methods: route({
    method: 'GET',
    path: '/api/sign-in/methods',
    permission: 'public',
    summary: 'Which ways to sign in there are at this address',
    ...bare,
    answer: z.strictObject({ passkey: passkeyAvailability, resetByMail: z.boolean() }),
    audit: null,
  }),
  secondFactor: route({
    method: 'POST',
    path: '/api/sign-in/second-factor',
    permission: 'public',
    summary: 'Show the second factor that signing in asked for',
    ...bare,
    body: z.strictObject({ attempt, proof: factorProof }),
    answer: entered,
    audit: 'user.signed-in',
    limits: passkeyLimits,
  }),
  secondFactorPasskey: route({
    method: 'POST',
    path: '/api/sign-in/second-factor/passkey',
    permission: 'public',
    summary: 'What the browser needs to show a passkey as second factor',
    ...bare,
    body: z.strictObject({ attempt }),
    answer: passkeyRequest,
    audit: null,
    limits: signInLimits,
  }),
  passkeyOptions: route({
    method: 'POST',
    path: '/api/sign-in/passkey/options',
    permission: 'public',
    summary: 'What the browser needs to sign in with a passkey, without an e-mail address',
    ...bare,
    answer: passkeyRequest,
    audit: null,
    limits: signInLimits,
  }),
  passkey: route({
    method: 'POST',
    path: '/api/sign-in/passkey',
    permission: 'public',
    summary: 'Sign in with a passkey',
    ...bare,
    body: z.strictObject({ response: assertion }),
    answer: entered,
    audit: 'user.signed-in',
    limits: passkeyLimits,
  }),
  stepUpOptions: route({
    method: 'POST',
    path: '/api/sign-in/step-up/options',
    permission: 'me.secure',
    summary: 'How I can prove once more who I am',
    ...bare,
    answer: z.strictObject({
      /** None: sign in again instead. */
      methods: z.array(z.enum(['password', 'totp', 'passkey'])),
      passkey: passkeyRequest.nullable(),
    }),
    audit: null,
  }),
  stepUp: route({
    method: 'POST',
    path: '/api/sign-in/step-up',
    permission: 'me.secure',
    summary: 'Prove once more who I am; good for ten minutes',
    ...bare,
    body: z.strictObject({ proof: stepUpProof }),
    answer: z.strictObject({ until: time }),
    audit: 'user.stepped-up',
    limits: passkeyLimits,
  }),

  askReset: route({
    method: 'POST',
    path: '/api/password-reset',
    permission: 'public',
    summary: 'Send a link for a new password, if there is somebody with this address',
    ...bare,
    body: z.strictObject({ email }),
    answer: nothing,
    audit: 'reset.asked',
    limits: { bodyBytes: 8192, perMinute: 20 },
  }),
  useReset: route({
    method: 'POST',
    path: '/api/password-reset/use',
    permission: 'public',
    summary: 'Set a new password with the link; a second factor is still asked for',
    ...bare,
    body: z.strictObject({ token: z.string().max(200), password: newPassword }),
    answer: entered,
    audit: 'user.reset',
    limits: signInLimits,
  }),

  factors: route({
    method: 'GET',
    path: '/api/factors',
    permission: 'me.secure',
    summary: 'What I can prove myself with',
    ...bare,
    answer: factors,
    audit: null,
  }),
  beginTotp: route({
    method: 'POST',
    path: '/api/factors/totp',
    permission: 'me.secure',
    summary: 'Begin to set up an authenticator app; it counts once a code confirmed it',
    ...bare,
    answer: z.strictObject({ secret: z.string(), uri: z.string(), qr }),
    audit: 'factor.begun',
    stepUp: true,
  }),
  confirmTotp: route({
    method: 'POST',
    path: '/api/factors/totp/confirm',
    permission: 'me.secure',
    summary: 'Confirm the authenticator app by a code; replaces an earlier one',
    ...bare,
    body: z.strictObject({ code: totpCode }),
    answer: z.strictObject({ recoveryCodes: recoveryCodes.nullable() }),
    audit: 'factor.added',
    stepUp: true,
  }),
  removeTotp: route({
    method: 'DELETE',
    path: '/api/factors/totp',
    permission: 'me.secure',
    summary: 'Remove the authenticator app',
    ...bare,
    answer: nothing,
    audit: 'factor.removed',
    stepUp: true,
  }),
  renewRecoveryCodes: route({
    method: 'POST',
    path: '/api/factors/recovery-codes',
    permission: 'me.secure',
    summary: 'Ten new recovery codes; the old ones stop working',
    ...bare,
    answer: z.strictObject({ recoveryCodes }),
    audit: 'factor.codes-renewed',
    stepUp: true,
  }),
  beginPasskey: route({
    method: 'POST',
    path: '/api/passkeys/options',
    permission: 'me.secure',
    summary: 'What the browser needs to make a passkey',
    ...bare,
    answer: passkeyCreation,
    audit: null,
    stepUp: true,
  }),
  addPasskey: route({
    method: 'POST',
    path: '/api/passkeys',
    permission: 'me.secure',
    summary: 'Keep the passkey that the browser made',
    ...bare,
    body: z.strictObject({ name: passkeyName, response: newCredential }),
    answer: z.strictObject({ passkey, recoveryCodes: recoveryCodes.nullable() }),
    audit: 'factor.added',
    stepUp: true,
    limits: passkeyLimits,
  }),
  renamePasskey: route({
    method: 'PATCH',
    path: '/api/passkeys/:id',
    permission: 'me.secure',
    summary: 'Give a passkey another name',
    ...bare,
    params: byId,
    body: z.strictObject({ name: passkeyName }),
    answer: passkey,
    audit: 'factor.renamed',
  }),
  removePasskey: route({
    method: 'DELETE',
    path: '/api/passkeys/:id',
    permission: 'me.secure',
    summary: 'Remove a passkey',
    ...bare,
    params: byId,
    answer: nothing,
    audit: 'factor.removed',
    stepUp: true,
  }),

  devices: route({
    method: 'GET',
    path: '/api/sign-ins',
    permission: 'me.secure',
    summary: 'Where I am signed in',
    ...bare,
    answer: page(device),
    audit: null,
  }),
  endDevice: route({
    method: 'DELETE',
    path: '/api/sign-ins/:id',
    permission: 'me.secure',
    summary: 'Sign out on one of my devices',
    ...bare,
    params: byId,
    answer: nothing,
    audit: 'user.signed-out',
  }),
  endOthers: route({
    method: 'POST',
    path: '/api/sign-ins/end-others',
    permission: 'me.secure',
    summary: 'Sign out everywhere else',
    ...bare,
    answer: nothing,
    audit: 'user.signed-out-others',
  }),
  endAll: route({
    method: 'POST',
    path: '/api/sign-ins/end-all',
    permission: 'me.secure',
    summary: 'Sign out everywhere, here too',
    ...bare,
    answer: nothing,
    audit: 'user.signed-out-all',
  }),

  policies: route({
    method: 'GET',
    path: '/api/sign-in-policies',
    permission: 'policy.manage',
    summary: "What each role's sign-in must prove, and how long it lasts",
    ...bare,
    answer: page(signInPolicy),
    audit: null,
  }),
  setPolicy: route({
    method: 'PUT',
    path: '/api/sign-in-policies/:role',
    permission: 'policy.manage',
    summary: 'Change what a role must prove; those who are signed in are held to it at once',
    ...bare,
    params: z.strictObject({ role }),
    body: z
      .strictObject(policyFields)
      .refine((it) => it.idleMs <= it.absoluteMs, 'idleMs must not be longer than absoluteMs'),
    answer: signInPolicy,
    audit: 'policy.changed',
    stepUp: true,
  }),
}
