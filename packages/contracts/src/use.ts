/** What instances use at this moment: how a controller is asked and answers, and what people are shown. Nobody keeps it. */
import { z } from 'zod'
import { byId, id, nothing, time } from './basics.ts'
import { route } from './route.ts'

/** The same figures are good for everybody who asks within this time. */
export const USE_FRESH_MS = 3_000
/** Asked of one controller at once. */
export const USE_MOST = 500
/** A word of `hello.answers`: who does not say it is older, and is not asked. */
export const ANSWERS_USE = 'use'

/** Over a short time before `at`: processors kept busy (1.5: one and a half), and memory that it would not give back. */
export const measured = z.object({
  cpus: z.number().min(0),
  memoryBytes: z.number().min(0),
  at: time,
})
export type Measured = z.infer<typeof measured>

/** Fields of `use.read`, of the control link. */
export const useQuestion = { requestId: id, instances: z.array(id).max(USE_MOST) }
export const useOfInstance = z.object({
  id,
  generation: z.number().int(),
  /** Null is not nothing: it was not measured, and why. */
  measured: measured.nullable(),
  why: z.string().max(300).nullable(),
})
export type UseOfInstance = z.infer<typeof useOfInstance>
/** Fields of `use`: those that are not in it do not run there. */
export const useAnswer = { requestId: id, instances: z.array(useOfInstance).max(USE_MOST) }

/** idle: it does not run. offline: its machine is not connected. older: its machine's release cannot tell. unmeasured: nobody there measures. */
export const unknownUse = z.enum(['idle', 'offline', 'older', 'unmeasured'])
export type UnknownUse = z.infer<typeof unknownUse>

export const instanceUse = z.strictObject({
  instanceId: id,
  generation: z.number().int(),
  /** What it may use at most; null: it is not known any more. */
  most: z.strictObject({ cpus: z.number(), memoryBytes: z.number() }).nullable(),
  now: z.discriminatedUnion('known', [
    z.strictObject({ known: z.literal(true), ...measured.shape }),
    z.strictObject({
      known: z.literal(false),
      because: unknownUse,
      /** In words, where its machine says more. */
      why: z.string().nullable(),
    }),
  ]),
})
export type InstanceUse = z.infer<typeof instanceUse>

export const useRoutes = {
  session: route({
    method: 'GET',
    path: '/api/sessions/:id/use',
    permission: 'session.read',
    summary: 'What a session uses at this moment: processors and memory; or why that is not known',
    params: byId,
    query: nothing,
    body: nothing,
    answer: instanceUse,
    audit: null,
  }),
  service: route({
    method: 'GET',
    path: '/api/services/:id/use',
    permission: 'service.read',
    summary:
      'What the instances of a service use at this moment: processors and memory; or why that is not known',
    params: byId,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ items: z.array(instanceUse) }),
    audit: null,
  }),
}
