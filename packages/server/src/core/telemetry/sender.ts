/** One request to the collector: packed, capped, and what its answer means (OTLP 1.9, "OTLP/HTTP"). */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type Outbound, OutboundError } from '@kalnet/io/outbound'

const pack = promisify(gzip)
export type What = 'traces' | 'metrics'
export type Sent =
  | { kind: 'taken'; answer: Uint8Array }
  /** Not now: after this time, where it was told. */
  | { kind: 'later'; afterMs: number | null; problem: string }
  /** Never: the same again would be refused again. */
  | { kind: 'refused'; problem: string }

const REQUEST_MS = 10_000
const ANSWER_BYTES = 65_536
/** What the specification says may come again; anything else may not. */
const LATER = new Set([429, 502, 503, 504])
/** However long it wants to be left alone. */
const AFTER_MOST_MS = 10 * 60_000

/** `v1/traces` below the address, as the specification says. */
export function addressFor(base: string, what: What): string {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${what}`
  return url.href
}

/** `name=value,name=value`, each written as in an address (W3C baggage). What is none is left out; the schema has said so before. */
export const headersOf = (text = ''): Record<string, string> =>
  Object.fromEntries(
    text.split(',').flatMap((pair) => {
      const at = pair.indexOf('=')
      return at < 1
        ? []
        : [[pair.slice(0, at).trim().toLowerCase(), decodeURIComponent(pair.slice(at + 1).trim())]]
    }),
  )

/** Seconds or a date (RFC 9110 §10.2.3); null: nothing that could be understood. */
export function afterMs(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? ''
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isFinite(ms) ? Math.min(AFTER_MOST_MS, Math.max(0, ms)) : null
}

export function createSender(options: {
  outbound: Pick<Outbound, 'ask'>
  url: string
  /** Secret: they stand in no log and in no problem. */
  headers: string | undefined
  now(): number
}) {
  const { outbound, url } = options
  const headers = {
    ...headersOf(options.headers),
    'content-type': 'application/x-protobuf',
    'content-encoding': 'gzip',
    'user-agent': 'kalnet',
  }
  return async function send(what: What, bytes: Uint8Array, signal: AbortSignal): Promise<Sent> {
    const body = await pack(bytes)
    try {
      const {
        status,
        headers: told,
        body: answer,
      } = await outbound.ask(addressFor(url, what), {
        method: 'POST',
        headers,
        body,
        signal,
        timeoutMs: REQUEST_MS,
        maxBytes: ANSWER_BYTES,
        // A collector leads nowhere; where it does, its key must not go along.
        redirects: 'answer',
      })
      if (status >= 200 && status < 300) return { kind: 'taken', answer }
      const problem = `it answered ${status}`
      if (!LATER.has(status)) return { kind: 'refused', problem }
      return { kind: 'later', afterMs: afterMs(told['retry-after'], options.now()), problem }
    } catch (error) {
      const problem = error instanceof OutboundError ? error.message : 'no connection'
      return { kind: 'later', afterMs: null, problem }
    }
  }
}
export type Send = ReturnType<typeof createSender>
