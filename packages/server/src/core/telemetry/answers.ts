/** Calls of our own API, as telemetry sees them: by route, never by address, which may carry what is secret. */
import { traceOf } from '../trace.ts'
import { createTimes, type Ended, type Figure } from './figure.ts'

/** One call that was answered. */
export interface Answered {
  method: string
  /** The pattern: `/api/services/:id`. */
  route: string
  status: number
  tookMs: number
  scheme: 'http' | 'https'
  /** As it came. */
  traceparent: unknown
}

/** Routes × answers; what nobody's contract explains does not fill the memory. */
const KINDS_MOST = 5_000

export function createAnswers(options: { share: number; now(): number; ended(call: Ended): void }) {
  const all = new Map<
    string,
    { attributes: Record<string, string | number>; times: ReturnType<typeof createTimes> }
  >()
  return {
    note({ method, route, status, tookMs, scheme, traceparent }: Answered) {
      const failed = status >= 500
      const attributes = {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
        'url.scheme': scheme,
        ...(failed ? { 'error.type': String(status) } : {}),
      }
      const key = `${method} ${route} ${status}`
      let one = all.get(key)
      if (!one && all.size < KINDS_MOST) {
        one = { attributes, times: createTimes() }
        all.set(key, one)
      }
      one?.times.add(tookMs)
      const trace = traceOf(undefined, traceparent, undefined, options.share)
      options.ended({
        name: `${method} ${route}`,
        trace,
        beganAt: options.now() - tookMs,
        tookMs,
        failed,
        attributes,
      })
    },
    read: (): Figure[] => [
      {
        name: 'http.server.request.duration',
        description: 'How long calls of the API took',
        unit: 's',
        is: {
          kind: 'times',
          points: [...all.values()].map(({ attributes, times }) => ({ attributes, value: times.value() })),
        },
      },
    ],
  }
}
