/** Passkeys on the wire: what a browser's `navigator.credentials` takes and gives, in the JSON forms of WebAuthn Level 3. */
import { z } from 'zod'
import { id, time } from './basics.ts'

const base64url = z
  .string()
  .max(16_384)
  .regex(/^[\w-]*={0,2}$/, 'is not base64url')
const attachment = z.string().max(40).nullish()
/** `PublicKeyCredentialCreationOptions.parseJSON…` and its brother for `get` take these as they are. */
export const creationOptions = z.looseObject({ challenge: base64url })
export const requestOptions = z.looseObject({ challenge: base64url })

/** `credential.toJSON()` after `create`. Browsers may add fields: those are left aside. */
export const newCredential = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  authenticatorAttachment: attachment,
  clientExtensionResults: z.record(z.string(), z.unknown()).default({}),
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.string().max(40)).max(10).optional(),
  }),
})
export type NewCredential = z.infer<typeof newCredential>
/** `credential.toJSON()` after `get`. */
export const assertion = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  authenticatorAttachment: attachment,
  clientExtensionResults: z.record(z.string(), z.unknown()).default({}),
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.nullish(),
  }),
})
export type Assertion = z.infer<typeof assertion>

/** Whether passkeys are possible at the address the browser asked for; `reason` is for people. */
export const passkeyAvailability = z.discriminatedUnion('available', [
  z.strictObject({ available: z.literal(true) }),
  z.strictObject({ available: z.literal(false), reason: z.string() }),
])
/** The same, with what the browser needs to go on. */
export const passkeyCreation = z.discriminatedUnion('available', [
  z.strictObject({ available: z.literal(true), options: creationOptions }),
  z.strictObject({ available: z.literal(false), reason: z.string() }),
])
export const passkeyRequest = z.discriminatedUnion('available', [
  z.strictObject({ available: z.literal(true), options: requestOptions }),
  z.strictObject({ available: z.literal(false), reason: z.string() }),
])

export const passkeyName = z.string().trim().min(1).max(60)
export const passkey = z.strictObject({
  id,
  name: z.string(),
  /** Kept in step by its maker (iCloud, Google, a password manager), or bound to one device. */
  synced: z.boolean(),
  createdAt: time,
  lastUsedAt: time.nullable(),
})
export type Passkey = z.infer<typeof passkey>
