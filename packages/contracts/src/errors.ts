/** The one error table: code → HTTP status, sentence for people, and what to do next. */
import { z } from 'zod'

interface ErrorEntry {
  status: number
  /** For people. `{name}` is filled from the details. */
  message: string
  /** What to do next, for people. */
  next: string
}

const entry = (status: number, message: string, next: string): ErrorEntry => ({ status, message, next })

export const ERRORS = {
  'request.invalid': entry(
    400,
    'Something in the request is not as expected: {problem}.',
    'Correct it and try again.',
  ),
  'request.too-large': entry(413, 'That is larger than {limitBytes} bytes.', 'Send less at once.'),
  'request.unsupported': entry(
    415,
    'The content type {type} is not understood here.',
    'Send application/json.',
  ),
  'request.too-many': entry(429, 'Too many requests at once.', 'Wait {seconds} seconds and try again.'),
  'request.time-out': entry(
    408,
    'The request did not arrive in time.',
    'Check the connection and try again.',
  ),
  'request.conflict': entry(409, 'The same idempotency key was used for something else.', 'Use a new key.'),
  'route.unknown': entry(
    404,
    'There is nothing at this address.',
    'Check the address; the API is described at /api/openapi.json.',
  ),
  'origin.foreign': entry(403, 'This request came from another site.', 'Open Kalnet at its own address.'),
  'sign-in.required': entry(401, 'You are not signed in.', 'Sign in and try again.'),
  'sign-in.wrong': entry(
    401,
    'That e-mail and password do not belong together.',
    'Check both and try again.',
  ),
  'sign-in.throttled': entry(429, 'Too many tries.', 'Wait {seconds} seconds and try again.'),
  'sign-in.unproved': entry(
    403,
    'Your organisation asks for a second way to prove who you are.',
    'Set up an authenticator app or a passkey on your account page.',
  ),
  'step-up.required': entry(
    403,
    'Please confirm that it is you.',
    'Prove who you are once more, then try again.',
  ),
  'second-factor.wrong': entry(
    401,
    'That code is not right.',
    'Wait for the next code, or check that the clock of your phone is right.',
  ),
  'second-factor.over': entry(
    401,
    'This sign-in took too long, or was tried too often.',
    'Sign in again from the beginning.',
  ),
  'step-up.wrong': entry(401, 'That is not right.', 'Check it and try again.'),
  'factor.demanded': entry(
    409,
    'Your organisation asks people with your role for a second way to prove who they are.',
    'Set up another authenticator app or passkey first.',
  ),
  'factor.not-begun': entry(
    409,
    'There is nothing to confirm, or it took too long.',
    'Begin again with a new code to scan.',
  ),
  'passkey.unavailable': entry(
    409,
    'Passkeys are not possible here: {reason}.',
    'Open Kalnet by its name, or use an authenticator app.',
  ),
  'passkey.refused': entry(
    401,
    'That passkey was not accepted.',
    'Try again, or use another way to sign in.',
  ),
  'password.weak': entry(
    422,
    'That password is easy to guess: {problem}.',
    'Take a few words that do not belong together.',
  ),
  'reset.unknown': entry(
    403,
    'This link is not valid, was used, or has expired.',
    'Ask for a new one on the sign-in page.',
  ),
  'key.invalid': entry(
    401,
    'This service key is not valid: it is wrong, was revoked, or has expired.',
    'Make a new one under Settings, Keys.',
  ),
  'key.lifetime': entry(403, 'Only an owner may make a key that never expires.', 'Choose at most a year.'),
  'scim.invalid': entry(400, '{problem}', 'Correct the request of the directory.'),
  'scim.refused': entry(403, '{problem}', 'Change it in Kalnet itself.'),
  'scim.conflict': entry(409, '{problem}', 'Use another name, or change the one that is there.'),
  'scim.version': entry(412, 'It was changed in the meantime.', 'Read it again and repeat the change.'),
  'claim.unknown': entry(
    403,
    'This claim link is not valid or was used already.',
    'Run `kalnet up` again for the current address, or `kalnet user reset-owner`.',
  ),
  'provider.unreachable': entry(
    502,
    'The identity provider does not answer as it should: {problem}.',
    'Check its address; a network of your own must be allowed in kalnet.yaml (outbound.allow).',
  ),
  'provider.metadata': entry(
    422,
    'This is not the metadata of a SAML identity provider: {problem}.',
    'Export it from the provider once more.',
  ),
  'provider.refused': entry(
    403,
    'The identity provider did not let you in: {problem}.',
    'Try again, or ask whoever looks after it.',
  ),
  'provider.answer': entry(
    403,
    'What came back from the identity provider is not to be trusted.',
    'Begin again on the sign-in page. If it stays, tell your administrator.',
  ),
  'provider.flow': entry(
    403,
    'This way of signing in was not begun in this browser, or took too long.',
    'Begin again on the sign-in page.',
  ),
  'provider.stranger': entry(
    403,
    'Your account there belongs to nobody here yet.',
    'Sign in as you usually do and link it on your account page, or ask to be invited.',
  ),
  'provider.email-taken': entry(
    409,
    'Somebody here has the same e-mail address already.',
    'Sign in as you usually do, then link the account on your account page.',
  ),
  'provider.no-email': entry(
    403,
    'The identity provider did not tell your e-mail address.',
    'Ask whoever looks after it to pass it on.',
  ),
  'provider.off': entry(
    403,
    'Your account here is switched off.',
    'Ask an owner or admin of your organisation.',
  ),
  'provider.link-taken': entry(
    409,
    'This account is linked with somebody already.',
    'Unlink it there first, or choose another account.',
  ),
  'provider.last-way': entry(
    409,
    'This is your last way to sign in.',
    'Set a password or add a passkey first.',
  ),
  'provider.address': entry(
    409,
    'This works at the address {address} only.',
    'Open Kalnet there and try again.',
  ),
  'permission.denied': entry(403, 'You may not do that here.', 'Ask an owner or admin of your organisation.'),
  'consent.unknown': entry(
    410,
    'This took too long, or was begun in another browser.',
    'Go back to the app and sign in from there once more.',
  ),
  'app.closed': entry(403, '{name} is not open to you.', 'Ask an owner or admin of your organisation.'),
  'app.proof': entry(
    403,
    '{name} asks for a stronger proof of who you are.',
    'Set up an authenticator app or a passkey on your account page, then sign in again with it.',
  ),
  'forward-route.taken': entry(
    409,
    '{host}{pathPrefix} is guarded already.',
    'Change that entry, or choose another address.',
  ),
  'forward-route.unknown': entry(
    404,
    'This address is not known here.',
    'Check it, or ask whoever looks after Kalnet to add it.',
  ),
  'thing.unknown': entry(
    404,
    'There is no {kind} with this id.',
    'It may have been removed; look at the list again.',
  ),
  'person.self': entry(403, 'Nobody does that to himself.', 'Ask another owner or admin.'),
  'person.owner': entry(403, 'Only an owner may do that to an owner.', 'Ask an owner of your organisation.'),
  'person.above': entry(
    403,
    'That role is above your own.',
    'Choose a role up to your own, or ask an owner of your organisation.',
  ),
  'person.last-owner': entry(
    409,
    'This is the only owner: without one nobody could manage this organisation.',
    'Make somebody else an owner first.',
  ),
  'person.email-taken': entry(
    409,
    'Somebody here has this e-mail address already.',
    'Use another address, or sign in with that account.',
  ),
  'group.name-taken': entry(409, 'There is a group of that name already.', 'Choose another name.'),
  'invitation.open': entry(
    409,
    'This address has an open invitation already.',
    'Send that one again, or take it back first.',
  ),
  'invitation.unknown': entry(
    403,
    'This invitation is not valid any more, or was used already.',
    'Ask whoever invited you for a new one.',
  ),
  'organisation.claimed': entry(
    409,
    'There is an organisation of that name already.',
    'Choose another name; see `kalnet organisation list`.',
  ),
  'template.unknown': entry(
    404,
    'There is no template called {id}.',
    'Look at the catalog for what there is.',
  ),
  'template.invalid': entry(422, 'The template {id} is not valid: {problem}.', 'Correct the template file.'),
  'answers.invalid': entry(422, 'An answer is not valid: {problem}.', 'Correct it and launch again.'),
  'session.state': entry(
    409,
    'The session is {state}; that is not possible now.',
    'Wait for it, or start a new one.',
  ),
  'session.limit': entry(429, 'You have {count} running sessions; that is the limit.', 'Stop one first.'),
  'admission.refused': entry(
    422,
    'This may not run here: {problem}.',
    'Ask whoever made the template to remove it.',
  ),
  'controller.unknown': entry(
    401,
    'This controller is not known here.',
    'Enrol it with a new token: `kalnet controllers enrol`.',
  ),
  'controller.token': entry(
    403,
    'The enrolment token is not valid, was used, or has expired.',
    'Make a new one: `kalnet controllers enrol`.',
  ),
  'controller.signature': entry(401, 'The controller could not prove who it is.', 'Enrol it again.'),
  'controller.version': entry(
    426,
    'The controller speaks protocol {theirs}; this control plane speaks {ours}.',
    'Update the older of the two.',
  ),
  'controller.offline': entry(
    503,
    'The machine it runs on is not connected.',
    'Check that the machine is on and connected.',
  ),
  'controller.cordoned': entry(
    409,
    '{name} takes nothing new at the moment.',
    'Launch it anew on another machine, or let this one take sessions again.',
  ),
  'placement.none': entry(
    503,
    'No machine can run this now: {problem}.',
    'Start a controller, or free some memory.',
  ),
  'ticket.invalid': entry(
    403,
    'The right to open this screen has expired or was used.',
    'Open the session again.',
  ),
  'stream.unreachable': entry(
    502,
    'The screen could not be reached: {problem}.',
    'Look at the session page; restart it if it has failed.',
  ),
  'store.unavailable': entry(
    503,
    'The database does not answer right now.',
    'Wait a moment; Kalnet is bringing it back.',
  ),
  'store.full': entry(
    507,
    'The disk that holds the data is full.',
    'Free some space; Kalnet carries on by itself then.',
  ),
  internal: entry(
    500,
    'Something went wrong on our side.',
    'Try again; if it stays, look in the log for request {requestId}.',
  ),
} satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS
export type Details = Record<string, string | number | boolean>

/** What an error answer looks like on the wire. */
export const errorBody = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    next: z.string(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    requestId: z.string(),
  }),
})
export type ErrorBody = z.infer<typeof errorBody>

const fill = (sentence: string, details: Details) =>
  sentence.replace(/\{(\w+)\}/g, (whole, name: string) => (name in details ? String(details[name]) : whole))

/** A failure of the table. `cause` is for the log only and is never sent. */
export class KalnetError extends Error {
  readonly code: ErrorCode
  readonly details: Details
  constructor(code: ErrorCode, details: Details = {}, cause?: unknown) {
    super(fill(ERRORS[code].message, details), { cause })
    this.name = 'KalnetError'
    this.code = code
    this.details = details
  }
  get status(): number {
    return ERRORS[this.code].status
  }
  body(requestId: string): ErrorBody {
    const { code, message, details } = this
    return {
      error: { code, message, next: fill(ERRORS[code].next, { ...details, requestId }), details, requestId },
    }
  }
}

export const fail = (code: ErrorCode, details: Details = {}, cause?: unknown) =>
  new KalnetError(code, details, cause)
