/** The one error table: code → HTTP status, sentence for people, and what to do next. */
import { z } from 'zod'
import { type ErrorEntry, entry } from './error-entry.ts'
import { PEOPLE_ERRORS } from './errors-people.ts'
import { SERVICE_ERRORS } from './errors-services.ts'

export const ERRORS = {
  ...PEOPLE_ERRORS,
  ...SERVICE_ERRORS,
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
  'thing.unknown': entry(
    404,
    'There is no {kind} with this id.',
    'It may have been removed; look at the list again.',
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
  'session.no-home': entry(
    409,
    'This session cannot sleep: its template keeps no home folder.',
    'Save what you need elsewhere and stop it, or let it run.',
  ),
  'session.asleep-limit': entry(
    429,
    'You have {count} sleeping sessions; that is the limit.',
    'Delete one that you do not need any more.',
  ),
  'volume.missing': entry(
    409,
    'The folder that was kept for it ({name}) is not on its machine any more.',
    'Bring the machine’s disk back, or delete it and start a new one.',
  ),
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
