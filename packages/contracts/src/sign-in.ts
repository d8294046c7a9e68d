/** Getting in beyond the password: second factors, passkeys, proving oneself again, forgotten passwords, devices, and what each role must prove. */
import { z } from 'zod'
import { byId, id, nothing, page, time } from './basics.ts'
import { assurance, bare, factorProof, factorRoutes, passkeyLimits, stepUpProof } from './factor.ts'
import { email, entered, newPassword, signInLimits } from './identity.ts'
import { assertion, passkeyAvailability, passkeyRequest } from './passkey.ts'
import { role } from './permission.ts'
import { route } from './route.ts'

export type { FactorProof, Factors, StepUpProof } from './factor.ts'

const attempt = z.string().max(100)

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

  ...factorRoutes,

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
    stepUp: true,
  }),
  endOthers: route({
    method: 'POST',
    path: '/api/sign-ins/end-others',
    permission: 'me.secure',
    summary: 'Sign out everywhere else',
    ...bare,
    answer: nothing,
    audit: 'user.signed-out-others',
    stepUp: true,
  }),
  endAll: route({
    method: 'POST',
    path: '/api/sign-ins/end-all',
    permission: 'me.secure',
    summary: 'Sign out everywhere, here too',
    ...bare,
    answer: nothing,
    audit: 'user.signed-out-all',
    stepUp: true,
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
