/** How failures leave: always the one error body, whatever broke and wherever. */
import type { Socket } from 'node:net'
import { fail, KalnetError } from '@kalnet/contracts/errors'
import type { Log } from '@kalnet/io/log'
import { plainAnswer } from '@kalnet/wire/safety'
import { storeError } from './store-errors.ts'

/** The typed error for anything thrown on the way, fastify's own faults included. */
export function toKalnetError(error: unknown, limitBytes: number, contentType = ''): KalnetError {
  const known = storeError(error)
  if (known instanceof KalnetError) return known
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return fail('request.too-large', { limitBytes })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return fail('request.unsupported', { type: contentType.slice(0, 100) || 'missing' })
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return fail('request.invalid', { problem: 'the body is not as long as announced' })
    case 'FST_ERR_BAD_URL':
      return fail('request.invalid', { problem: 'the address is not well-formed' })
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return fail('request.invalid', { problem: 'the body is not JSON' })
    default: {
      const status = error instanceof Error && 'statusCode' in error ? error.statusCode : 500
      if (status === 400) return fail('request.invalid', { problem: 'the request cannot be read' }, error)
      return fail('internal', {}, error)
    }
  }
}

/** Faults of ours with their cause, refusals as one quiet line. */
export function logFailure(log: Log, error: KalnetError, about: Record<string, unknown>): void {
  if (error.status >= 500) log.error({ ...about, code: error.code, cause: causeOf(error) }, error.message)
  else log.debug({ ...about, code: error.code }, 'refused')
}

/** Name, message, place: never the object, whose fields may hold what was sent (pg: detail, where). */
function causeOf(error: Error): string {
  const cause = error.cause
  if (!(cause instanceof Error)) return String(cause ?? error.stack)
  return cause.stack ?? cause.message
}

/** Half requests, slow senders, oversized headers: node reports them before there is a request. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const known =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? fail('request.time-out')
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? fail('request.too-large', { limitBytes: HEADER_BYTES })
        : fail('request.invalid', { problem: 'this is not HTTP' })
  const body = JSON.stringify(known.body('none'))
  socket.end(plainAnswer(socket, `${known.status} Refused`, body))
}
export const HEADER_BYTES = 16_384
