/** SCIM over HTTP: status codes, addresses and versions as RFC 7644 has them. */
import { fail } from '@kalnet/contracts/errors'
import { type ScimQuery, type ScimResource, type ScimSearch, scimRoutes } from '@kalnet/contracts/scim'
import { type Call, type Handler, handle } from '../core/http.ts'
import type { ScimGroups } from './groups.ts'
import type { Precondition, ScimPeople } from './people.ts'
import { unknownThing } from './refusal.ts'
import { configOf, schemasOf, typesOf } from './schema.ts'
import { listOf, MOST_RESULTS, shownOf } from './shown.ts'

type Asked = Pick<Call<typeof scimRoutes.user>, 'request' | 'reply' | 'query'>
const metaOf = (resource: ScimResource) => resource.meta as { version: string; location: string }
const weak = (tag: string) => tag.trim().replace(/^W\//, '')
/** `*`, or one of several versions. */
const names = (header: string, version: string) =>
  header.trim() === '*' || header.split(',').some((tag) => weak(tag) === weak(version))

/** Refuses a change to something that is no longer as the other side knows it. */
const unchanged =
  ({ request }: Pick<Asked, 'request'>): Precondition =>
  (resource) => {
    const header = request.headers['if-match']
    if (header !== undefined && !names(header, metaOf(resource).version)) throw fail('scim.version')
  }

function answered({ request, reply, query }: Asked, resource: ScimResource, status = 200): ScimResource {
  const { version, location } = metaOf(resource)
  reply.header('etag', version)
  if (status === 201) reply.header('location', location)
  const known = request.headers['if-none-match']
  reply.status(request.method === 'GET' && known !== undefined && names(known, version) ? 304 : status)
  return shownOf(resource, query)
}

/** A question in a body, as the address would have asked it. */
const asQuery = ({ filter, sortBy, sortOrder, ...it }: ScimSearch): ScimQuery => ({
  filter,
  sortBy,
  sortOrder,
  attributes: it.attributes?.join(','),
  excludedAttributes: it.excludedAttributes?.join(','),
  startIndex: it.startIndex?.toString(),
  count: it.count?.toString(),
})

const byName = (all: ScimResource[], id: string) => {
  const found = all.find((it) => String(it.id).toLowerCase() === id.toLowerCase())
  if (!found) throw unknownThing('resource')
  return found
}

export function routesOfScim(options: {
  people: ScimPeople
  groups: ScimGroups
  address(): string
}): Handler[] {
  const { people, groups, address } = options
  return [
    handle(scimRoutes.config, async () => configOf(address(), MOST_RESULTS)),
    handle(scimRoutes.types, async () => listOf(typesOf(address()), {})),
    handle(scimRoutes.type, async ({ params }) => byName(typesOf(address()), params.id)),
    handle(scimRoutes.schemas, async () => listOf(schemasOf(address()), {})),
    handle(scimRoutes.schema, async ({ params }) => byName(schemasOf(address()), params.id)),

    handle(scimRoutes.users, ({ actor, query }) => people.list(actor, query)),
    handle(scimRoutes.user, async (call) => answered(call, await people.read(call.actor, call.params.id))),
    handle(scimRoutes.searchUsers, ({ actor, body }) => people.list(actor, asQuery(body))),
    handle(scimRoutes.makeUser, async (call) => {
      const made = await people.add(call.actor, call.body)
      call.audit({ userName: String(made.userName) }, String(made.id))
      return answered(call, made, 201)
    }),
    handle(scimRoutes.putUser, async (call) =>
      answered(call, await people.put(call.actor, call.params.id, call.body, unchanged(call))),
    ),
    handle(scimRoutes.patchUser, async (call) =>
      answered(call, await people.patch(call.actor, call.params.id, call.body, unchanged(call))),
    ),
    handle(scimRoutes.removeUser, async (call) => {
      await people.remove(call.actor, call.params.id, unchanged(call))
      call.reply.status(204)
      return {}
    }),

    handle(scimRoutes.groups, ({ actor, query }) => groups.list(actor, query)),
    handle(scimRoutes.group, async (call) => answered(call, await groups.read(call.actor, call.params.id))),
    handle(scimRoutes.searchGroups, ({ actor, body }) => groups.list(actor, asQuery(body))),
    handle(scimRoutes.makeGroup, async (call) => {
      const made = await groups.add(call.actor, call.body)
      call.audit({ displayName: String(made.displayName) }, String(made.id))
      return answered(call, made, 201)
    }),
    handle(scimRoutes.putGroup, async (call) =>
      answered(call, await groups.put(call.actor, call.params.id, call.body, unchanged(call))),
    ),
    handle(scimRoutes.patchGroup, async (call) =>
      answered(call, await groups.patch(call.actor, call.params.id, call.body, unchanged(call))),
    ),
    handle(scimRoutes.removeGroup, async (call) => {
      await groups.remove(call.actor, call.params.id, unchanged(call))
      call.reply.status(204)
      return {}
    }),
  ]
}
