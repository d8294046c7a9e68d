/** Passwords that were made for a service and that people need elsewhere. */
import { z } from 'zod'
import { byId, nothing, slug } from './basics.ts'
import { route } from './route.ts'

export const serviceSecretRoutes = {
  list: route({
    method: 'GET',
    path: '/api/services/:id/secrets',
    permission: 'service.manage',
    summary: 'Passwords that were made for it and that people may need: their names',
    params: byId,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ items: z.array(z.strictObject({ name: slug, label: z.string() })) }),
    audit: null,
  }),
  show: route({
    method: 'POST',
    path: '/api/services/:id/secrets/:name',
    permission: 'service.manage',
    summary: 'Show one of them, to somebody who has just proved who they are',
    params: byId.extend({ name: slug }),
    query: nothing,
    body: nothing,
    answer: z.strictObject({ secret: z.string() }),
    audit: 'service.secret-shown',
    stepUp: true,
    limits: { perMinute: 30 },
  }),
}
