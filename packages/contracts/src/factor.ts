/** Second factors: what a person proves themselves with beyond the password, and how each is set up and taken away. */
import { z } from 'zod'
import { byId, nothing, time } from './basics.ts'
import {
  assertion,
  newCredential,
  passkey,
  passkeyAvailability,
  passkeyCreation,
  passkeyName,
} from './passkey.ts'
import { qr } from './qr.ts'
import { route } from './route.ts'

/** Six digits; spaces, as apps show them, do not matter. */
const totpCode = z
  .string()
  .max(20)
  .transform((text) => text.replace(/\s/g, ''))
const recoveryCode = z.string().max(40)
/** The JSON of a passkey is larger than a password. */
export const passkeyLimits = { bodyBytes: 65_536, perMinute: 120 }

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

export const bare = { params: nothing, query: nothing, body: nothing }
export const factorRoutes = {
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
}
