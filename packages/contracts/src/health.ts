/** Health probes: what is asked of a running instance, how often, and what the answers come to. */
import { z } from 'zod'
import { slug, time } from './basics.ts'

const every = (ms: number) => z.number().int().min(500).max(3_600_000).default(ms)
const timing = {
  intervalMs: every(10_000),
  /** While it fails, or has yet to answer for the first time. */
  failingIntervalMs: every(2_000),
  timeoutMs: z.number().int().min(100).max(60_000).default(5_000),
  /** Failures in a row until it counts as unhealthy, and answers in a row until it is healthy again. */
  failuresToUnhealthy: z.number().int().min(1).max(20).default(3),
  answersToHealthy: z.number().int().min(1).max(20).default(1),
  /** Failures do not count before this time after its start, unless it has answered once. */
  startPeriodMs: z.number().int().min(0).max(3_600_000).default(60_000),
}

export const probe = z.discriminatedUnion('kind', [
  /** Healthy when the status is in the range. `host`: what the Host header says. */
  z.strictObject({
    kind: z.literal('http'),
    port: slug,
    path: z
      .string()
      .regex(/^\/[!-~]*$/)
      .max(500)
      .default('/'),
    host: z.string().max(255).optional(),
    statusFrom: z.number().int().min(100).max(599).default(200),
    statusTo: z.number().int().min(100).max(599).default(399),
    ...timing,
  }),
  /** Healthy when a connection is taken. */
  z.strictObject({ kind: z.literal('tcp'), port: slug, ...timing }),
  /** Healthy when the program, run inside, ends with 0. */
  z.strictObject({
    kind: z.literal('command'),
    command: z.array(z.string().max(1000)).min(1).max(32),
    ...timing,
  }),
  /** What the platform itself says of it (a HEALTHCHECK of its image). */
  z.strictObject({ kind: z.literal('container'), ...timing }),
])
export type Probe = z.infer<typeof probe>
export type ProbeInput = z.input<typeof probe>

export const healthState = z.enum(['starting', 'healthy', 'unhealthy'])
export type HealthState = z.infer<typeof healthState>
export const health = z.object({
  state: healthState,
  /** One sentence: what the last probe got. */
  detail: z.string().max(300),
  /** Of the last change of state; probes that say the same again are not reported. */
  changedAt: time,
  /** How long the answer took that changed it. */
  tookMs: z.number().nullable(),
})
export type Health = z.infer<typeof health>
