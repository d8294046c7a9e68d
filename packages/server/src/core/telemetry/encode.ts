/** From plain figures and calls to OTLP in protobuf. The only file that imports OpenTelemetry, and only imported where a collector is configured. */
import { type HrTime, SpanKind, SpanStatusCode, ValueType } from '@opentelemetry/api'
import { ProtobufMetricsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { type Attributes, BOUNDS_S, type Ended, type Figure, type Point } from './figure.ts'

const SCOPE = { name: 'kalnet' }
const NONE: never[] = []

const hrTime = (ms: number): HrTime => {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))]
}
const resourceOf = (attributes: Attributes) => resourceFromAttributes(attributes)

function spanOf(ended: Ended, resource: ReturnType<typeof resourceOf>): ReadableSpan {
  const { trace, beganAt, tookMs } = ended
  const [, traceId = '', spanId = '', flags = '00'] = trace.traceparent.split('-')
  const traceFlags = Number.parseInt(flags, 16)
  return {
    name: ended.name,
    kind: SpanKind.SERVER,
    spanContext: () => ({ traceId, spanId, traceFlags }),
    ...(trace.parentId === null
      ? {}
      : { parentSpanContext: { traceId, spanId: trace.parentId, traceFlags, isRemote: true } }),
    startTime: hrTime(beganAt),
    endTime: hrTime(beganAt + tookMs),
    duration: hrTime(tookMs),
    status: { code: ended.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: ended.attributes,
    links: NONE,
    events: NONE,
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

export function encodeCalls(about: Attributes, calls: readonly Ended[]): Uint8Array {
  const resource = resourceOf(about)
  const bytes = ProtobufTraceSerializer.serializeRequest(calls.map((ended) => spanOf(ended, resource)))
  if (!bytes) throw new Error('calls could not be written as OTLP')
  return bytes
}

/** `began`: of everything that names no other beginning; `at`: now. Both in ms. */
export function encodeFigures(
  about: Attributes,
  figures: readonly Figure[],
  { began, at }: { began: number; at: number },
): Uint8Array {
  const pointsOf = <T, S>(points: readonly Point<T>[], to: (value: T) => S): DataPoint<S>[] =>
    points.map(({ attributes, value, since }) => ({
      attributes,
      value: to(value),
      startTime: hrTime(since ?? began),
      endTime: hrTime(at),
    }))
  const metrics = figures.map(({ name, description, unit, is }): MetricData => {
    const base = {
      descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
    }
    if (is.kind === 'times')
      return {
        ...base,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints: pointsOf(
          is.points,
          ({ counts, sumMs }): Histogram => ({
            buckets: { boundaries: BOUNDS_S, counts },
            count: counts.reduce((sum, one) => sum + one, 0),
            sum: sumMs / 1000,
          }),
        ),
      }
    const dataPoints = pointsOf(is.points, (it) => it)
    if (is.kind === 'gauge') return { ...base, dataPointType: DataPointType.GAUGE, dataPoints }
    return { ...base, dataPointType: DataPointType.SUM, isMonotonic: is.kind === 'count', dataPoints }
  })
  const bytes = ProtobufMetricsSerializer.serializeRequest({
    resource: resourceOf(about),
    scopeMetrics: [{ scope: SCOPE, metrics }],
  })
  if (!bytes) throw new Error('figures could not be written as OTLP')
  return bytes
}

/** What the collector did not want of what it took (`partial_success`); null: it took all, or says it in no way we know. */
export function readRejected(
  what: 'traces' | 'metrics',
  body: Uint8Array,
): { count: number; message: string } | null {
  if (body.length === 0) return null
  try {
    const told =
      what === 'traces'
        ? ProtobufTraceSerializer.deserializeResponse(body).partialSuccess
        : ProtobufMetricsSerializer.deserializeResponse(body).partialSuccess
    if (!told) return null
    const count =
      Number(
        'rejectedSpans' in told
          ? told.rejectedSpans
          : 'rejectedDataPoints' in told
            ? told.rejectedDataPoints
            : 0,
      ) || 0
    const message = (told.errorMessage ?? '').slice(0, 200)
    return count > 0 || message !== '' ? { count, message } : null
  } catch {
    // Whatever it said, it said that it took it.
    return null
  }
}
