/** What passes the gateway, for a collector: a span for each request that ended, and what the engine counts anyway, read when it is sent. */
import { type Figure, type Point, stepsOf } from '../core/telemetry/figure.ts'
import type { Telemetry } from '../core/telemetry/telemetry.ts'
import type { Counts } from './engine/figures.ts'
import type { Engine, EngineOptions, Served, SnapshotRoute } from './engine/interface.ts'

/** Whoever calls may write anything; what nobody knows is one word, as the conventions say. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
const PATH_MOST = 1_024

const whose = (route: SnapshotRoute) => ({ 'kalnet.service': route.serviceName, 'kalnet.route': route.id })

/** Names by opentelemetry.io/docs/specs/semconv/http/http-spans; the path without what stands behind `?`. */
function spanOf(served: Served, now: number) {
  const { route, status, isWhole, tookMs } = served
  const method = METHODS.has(served.method) ? served.method : '_OTHER'
  const prefix = route.match.kind === 'http' ? route.match.pathPrefix : '/'
  const failed = status >= 500
  const error = failed ? String(status) : isWhole ? null : 'aborted'
  return {
    name: `${method === '_OTHER' ? 'HTTP' : method} ${prefix}`,
    trace: served.trace,
    beganAt: now - tookMs,
    tookMs,
    failed,
    attributes: {
      'http.request.method': method,
      ...(status === 0 ? {} : { 'http.response.status_code': status }),
      'http.route': prefix,
      'url.scheme': served.scheme,
      'url.path': served.path.slice(0, PATH_MOST),
      'server.address': served.host,
      'network.protocol.version': served.version,
      ...(error === null ? {} : { 'error.type': error }),
      ...whose(route),
    },
  }
}

/** For the engine's options: nothing at all without a collector. */
export const followServed = (telemetry: Telemetry | null): Pick<EngineOptions, 'onServed' | 'traceShare'> =>
  telemetry
    ? {
        traceShare: telemetry.share,
        onServed: (served) => telemetry.ended(spanOf(served, Date.now())),
      }
    : {}

const NAMES = [
  ['requests', 'count', '{request}', 'Requests that came'],
  ['failures', 'count', '{request}', 'Requests that failed by us or by the service'],
  ['rejected', 'count', '{request}', 'Requests that were not let through'],
  ['retries', 'count', '{request}', 'Requests that were tried again elsewhere'],
  ['open', 'level', '{request}', 'Requests and connections that are open'],
] as const

/** When each route began to be counted: a route that went and came back counts anew. */
export function createGatewayFigures(all: () => Iterable<[SnapshotRoute, Counts]>, now: () => number) {
  const since = new WeakMap<Counts, number>()
  let before = now()
  return (): Figure[] => {
    const at = now()
    const routes = [...all()].map(([route, counts]) => {
      // It was not there when we last looked, so it began after that.
      const began = since.get(counts) ?? before
      since.set(counts, began)
      return { attributes: whose(route), counts, since: began }
    })
    before = at
    const points = (read: (counts: Counts) => number): Point<number>[] =>
      routes.map(({ attributes, counts, since }) => ({ attributes, value: read(counts), since }))
    return [
      ...NAMES.map(
        ([name, kind, unit, description]): Figure => ({
          name: `kalnet.gateway.${name}`,
          description,
          unit,
          is: { kind, points: points((counts) => counts[name]) },
        }),
      ),
      {
        name: 'kalnet.gateway.bytes',
        description: 'Bytes of bodies and connections',
        unit: 'By',
        is: {
          kind: 'count',
          points: routes.flatMap(({ attributes, counts, since }) => [
            { attributes: { ...attributes, direction: 'in' }, value: counts.bytesIn, since },
            { attributes: { ...attributes, direction: 'out' }, value: counts.bytesOut, since },
          ]),
        },
      },
      {
        name: 'kalnet.gateway.request.duration',
        description: 'Until the head of the answer was there',
        unit: 's',
        is: {
          kind: 'times',
          points: routes.map(({ attributes, counts: { times }, since }) => ({
            attributes,
            value: { counts: stepsOf(times.byPower()), sumMs: times.sumMs() },
            since,
          })),
        },
      },
    ]
  }
}

export function measureEngine(telemetry: Telemetry | null, engine: Pick<Engine, 'counts'>): void {
  telemetry?.measure(createGatewayFigures(engine.counts, Date.now))
}
