/** The state of the whole house at one look, for the dashboard, for scripts and for monitors of others. */
import { z } from 'zod'
import { id, nothing, slug, time } from './basics.ts'
import { wayInProblem } from './gateway.ts'
import { healthState } from './health.ts'
import { route } from './route.ts'
import { serviceState } from './service.ts'

export const serviceStatus = z.strictObject({
  id,
  name: slug,
  title: z.string(),
  state: serviceState,
  /** The worst of its instances; null: none is asked. */
  health: healthState.nullable(),
  /** When its health last changed. */
  changedAt: time.nullable(),
  reason: z.string().nullable(),
  url: z.string().nullable(),
})
export type ServiceStatus = z.infer<typeof serviceStatus>

export const dashboardStatus = z.strictObject({
  /** ok: everything that shall run does, and is healthy. working: something starts or stops. attention: somebody should look. */
  state: z.enum(['ok', 'working', 'attention']),
  version: z.string(),
  at: time,
  services: z.array(serviceStatus),
  /** Live ones that the asker may see. */
  sessions: z.number().int(),
  /** Null: not for the asker. */
  machines: z.strictObject({ online: z.number().int(), all: z.number().int() }).nullable(),
  /** What Kalnet speaks to besides its database, where it is configured; serving goes on while it is away. Null: not for the asker. */
  parts: z
    .array(
      z.strictObject({
        name: z.enum(['nats', 'telemetry']),
        /** waiting: it is not there, and is tried again. */
        state: z.enum(['connected', 'waiting']),
      }),
    )
    .nullable(),
  /** What keeps addresses from working. Null: not for the asker. */
  wayIn: z.array(wayInProblem).nullable(),
})
export type DashboardStatus = z.infer<typeof dashboardStatus>

export const dashboardRoutes = {
  status: route({
    method: 'GET',
    path: '/api/dashboard/status',
    permission: 'service.read',
    summary: 'The state of the whole house at one look',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: dashboardStatus,
    audit: null,
  }),
}
