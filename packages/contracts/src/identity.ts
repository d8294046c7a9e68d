/** First sign-in: claim, password, sign-out, me. */
import { z } from 'zod'
import { id, nothing, time } from './basics.ts'
import { role } from './permission.ts'
import { route } from './route.ts'

export const email = z
  .email()
  .max(254)
  .transform((text) => text.toLowerCase())
/** Length is what counts (NIST SP 800-63B): 10 characters or more. */
export const newPassword = z.string().min(10, 'must have at least 10 characters').max(200)

export const me = z.strictObject({
  id,
  name: z.string(),
  email: z.string(),
  role,
  organisationId: id,
  organisationName: z.string(),
  signedInAt: time.nullable(),
  /** The role's policy demands more than this sign-in has proved: nothing can be done but setting up a second factor. */
  unproved: z.boolean(),
})
export type Me = z.infer<typeof me>

/** How a second factor may be shown. */
export const factorMethod = z.enum(['totp', 'recovery', 'passkey'])
/** Every way to sign in answers this: in, or one more proof is asked for within ten minutes. */
export const entered = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('signed-in'), me }),
  z.strictObject({
    state: z.literal('second-factor'),
    attempt: z.string(),
    methods: z.array(factorMethod),
    expiresAt: time,
  }),
])
export type Entered = z.infer<typeof entered>

export const signInLimits = { bodyBytes: 8192, perMinute: 120 }
export const identityRoutes = {
  status: route({
    method: 'GET',
    path: '/api/status',
    permission: 'public',
    summary: 'Is it up, and is it claimed',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ version: z.string(), claimed: z.boolean(), now: time }),
    audit: null,
  }),
  claim: route({
    method: 'POST',
    path: '/api/claim',
    permission: 'public',
    summary: 'Use the claim link: make the owner and sign in',
    params: nothing,
    query: nothing,
    body: z.strictObject({
      token: z.string().max(200),
      name: z.string().trim().min(1).max(60),
      email,
      password: newPassword,
      organisationName: z.string().trim().min(1).max(60),
    }),
    answer: entered,
    audit: 'organisation.claimed',
    limits: signInLimits,
  }),
  signIn: route({
    method: 'POST',
    path: '/api/sign-in',
    permission: 'public',
    summary: 'Sign in with e-mail and password',
    params: nothing,
    query: nothing,
    body: z.strictObject({ email, password: z.string().max(200) }),
    answer: entered,
    audit: 'user.signed-in',
    limits: signInLimits,
  }),
  signOut: route({
    method: 'POST',
    path: '/api/sign-out',
    // Also for one who has yet to set up a second factor.
    permission: 'me.secure',
    summary: 'Sign out on this device',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'user.signed-out',
  }),
  me: route({
    method: 'GET',
    path: '/api/me',
    permission: 'me.read',
    summary: 'Who is signed in',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: me,
    audit: null,
  }),
  changeMe: route({
    method: 'PATCH',
    path: '/api/me',
    permission: 'me.change',
    summary: 'Change my name',
    params: nothing,
    query: nothing,
    body: z.strictObject({ name: z.string().trim().min(1).max(60).optional() }),
    answer: me,
    audit: 'user.changed',
  }),
  setPassword: route({
    method: 'PUT',
    path: '/api/me/password',
    permission: 'me.secure',
    summary: 'Take a new password; other devices are signed out',
    params: nothing,
    query: nothing,
    body: z.strictObject({
      password: newPassword,
      /** The one there is now; whoever has none leaves it out. */
      current: z.string().max(200).optional(),
    }),
    answer: nothing,
    audit: 'user.password-changed',
    stepUp: true,
    limits: signInLimits,
  }),
}
