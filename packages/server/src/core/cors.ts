/** Pages of other origins (CORS): none, but those named in the configuration, and those only with a service key and never with cookies. */
import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import { carriesKey } from './bearer.ts'

const ALLOWED = {
  methods: 'GET, POST, PUT, PATCH, DELETE',
  headers: 'authorization, content-type, idempotency-key, if-match, if-none-match',
  /** What such a page may read of an answer. */
  exposed: 'etag, location, retry-after, x-request-id',
  seconds: 600,
}

const named = (request: IncomingMessage, origins: readonly string[]) => {
  const { origin } = request.headers
  return origin !== undefined && origins.includes(origin) ? origin : null
}

/** The origin of another site that may call: it is named, and a key came along. Browsers add no key by themselves. */
export const allowedOrigin = (request: IncomingMessage, origins: readonly string[]): string | null =>
  carriesKey(request) ? named(request, origins) : null

/** On answers to such a page. Without the header its browser keeps the answer from it. */
export function addCorsHeaders(
  request: IncomingMessage,
  reply: FastifyReply,
  origins: readonly string[],
): void {
  if (origins.length === 0) return
  reply.header('vary', 'Origin')
  const origin = allowedOrigin(request, origins)
  if (!origin) return
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-expose-headers', ALLOWED.exposed)
}

/**
 * The question a browser asks before such a call. It says yes only when the call will bring a key; null: no headers, which
 * browsers read as no.
 */
export function preflight(
  request: IncomingMessage,
  origins: readonly string[],
): Record<string, string> | null {
  const origin = named(request, origins)
  const asked = String(request.headers['access-control-request-headers'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  if (!origin || !request.headers['access-control-request-method'] || !asked.includes('authorization'))
    return null
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': ALLOWED.methods,
    'access-control-allow-headers': ALLOWED.headers,
    'access-control-max-age': String(ALLOWED.seconds),
    vary: 'Origin',
  }
}
