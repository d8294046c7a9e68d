/** The registry: programs elsewhere say where they are, and everybody allowed asks where services are. */
import { z } from 'zod'
import { byId, id, nothing, slug, time } from './basics.ts'
import { endpoint } from './gateway.ts'
import { address } from './instance.ts'
import { route } from './route.ts'
import { metadata, service } from './service.ts'

const { version, tags, capabilities } = metadata.shape
export const found = z.strictObject({
  serviceId: id,
  name: slug,
  kind: service.shape.kind,
  version: version.unwrap(),
  tags: tags.unwrap(),
  capabilities: capabilities.unwrap(),
  /** Only those that can be used now: healthy, or without a probe. */
  endpoints: z.array(endpoint.omit({ serviceId: true })),
})
export type Found = z.infer<typeof found>

/** Somebody else's program says that it is there. Again before the TTL ends, or it is forgotten. */
export const registerBody = z.strictObject({
  name: slug,
  title: service.shape.title.optional(),
  ports: z
    .array(z.strictObject({ name: slug, kind: z.enum(['http', 'tcp', 'udp']), ...address.shape }))
    .min(1)
    .max(16),
  metadata: metadata.prefault({}),
  ttlMs: z.number().int().min(2_000).max(86_400_000).default(30_000),
  weight: z.number().min(0).max(1000).default(1),
  /** The same again, for another instance of the same service. */
  instance: slug.default('main'),
})
export const registration = z.strictObject({ serviceId: id, registrationId: id, expiresAt: time })

const word = z.string().min(1).max(63)
export const registryRoutes = {
  register: route({
    method: 'POST',
    path: '/api/services/register',
    permission: 'service.register',
    summary: 'Say where a service of your own is; again before its time is up, or it is forgotten',
    params: nothing,
    query: nothing,
    body: registerBody,
    answer: registration,
    audit: 'service.registered',
    limits: { perMinute: 6_000 },
  }),
  deregister: route({
    method: 'DELETE',
    path: '/api/services/register/:id',
    permission: 'service.register',
    summary: 'It is not there any more',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'service.deregistered',
  }),
  lookup: route({
    method: 'GET',
    path: '/api/registry/lookup',
    permission: 'service.read',
    summary: 'Where a service is now, by its name, a tag or a capability; from memory',
    params: nothing,
    query: z
      .strictObject({ name: word.optional(), tag: word.optional(), capability: word.optional() })
      .refine(
        (asked) => Object.values(asked).filter((it) => it !== undefined).length === 1,
        'ask by one of name, tag and capability',
      ),
    body: nothing,
    answer: z.strictObject({ services: z.array(found) }),
    audit: null,
    remembered: true,
    // What looks before every call of its own is no flood.
    limits: { perMinute: 3_000_000 },
  }),
}
