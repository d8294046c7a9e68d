/** What ties together the calls of one request: a correlation id and the W3C trace context (www.w3.org/TR/trace-context-1). */

export interface Trace {
  requestId: string
  traceparent: string
  /** Only together with a trace that was continued. */
  tracestate: string | null
}

const POOL = new Uint8Array(4096)
let left = 0
/** They must only differ; drawn many at once. */
function hex(bytes: number): string {
  if (left < bytes) {
    crypto.getRandomValues(POOL)
    left = POOL.length
  }
  left -= bytes
  return Buffer.from(POOL.buffer, left, bytes).toString('hex')
}

const ZERO = /^0+$/
const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const STATE_LENGTH = 512

/** The trace and flags that a header names, null for what the standard says to ignore. */
export function readParent(header: string | undefined): { traceId: string; flags: string } | null {
  const [, version, traceId, parent, flags, more] = PARENT.exec(header ?? '') ?? []
  if (!version || !traceId || !parent || !flags || version === 'ff') return null
  if ((version === '00' && more !== undefined) || ZERO.test(traceId) || ZERO.test(parent)) return null
  return { traceId, flags: (Number.parseInt(flags, 16) & 1).toString(16).padStart(2, '0') }
}

export function traceOf(requestId: unknown, parent: unknown, state: unknown): Trace {
  const before = typeof parent === 'string' ? readParent(parent) : null
  const traceId = before?.traceId ?? hex(16)
  const sane = typeof requestId === 'string' && /^[\w-]{8,64}$/.test(requestId)
  const told = typeof state === 'string' && state.length <= STATE_LENGTH && /^[\x20-\x7e]+$/.test(state)
  return {
    requestId: sane ? requestId : traceId,
    traceparent: `00-${traceId}-${hex(8)}-${before?.flags ?? '01'}`,
    tracestate: before && told ? state : null,
  }
}
