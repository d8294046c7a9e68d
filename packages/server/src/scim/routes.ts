/** SCIM over HTTP: status codes, addresses and versions as RFC 7644 has them. */
import { fail } from '@kalnet/contracts/errors'
import { type ScimQuery, type ScimResource, type ScimSearch, scimRoutes } from '@kalnet/contracts/scim'
import { type Call, type Handler, handle } from '../core/http.ts'
import { unknownThing } from './refusal.ts'
import { configOf, schemasOf, typesOf } from './schema.ts'
import { listOf, MOST_RESULTS, shownOf } from './shown.ts'
import type { Precondition, Things } from './things.ts'

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

const USERS = {
  list: scimRoutes.users,
  search: scimRoutes.searchUsers,
  read: scimRoutes.user,
  make: scimRoutes.makeUser,
  put: scimRoutes.putUser,
  patch: scimRoutes.patchUser,
  remove: scimRoutes.removeUser,
}
const GROUPS: typeof USERS = {
  list: scimRoutes.groups,
  search: scimRoutes.searchGroups,
  read: scimRoutes.group,
  make: scimRoutes.makeGroup,
  put: scimRoutes.putGroup,
  patch: scimRoutes.patchGroup,
  remove: scimRoutes.removeGroup,
}

const routesOfThings = (of: typeof USERS, things: Things, name: 'userName' | 'displayName'): Handler[] => [
  handle(of.list, ({ actor, query }) => things.list(actor, query)),
  handle(of.search, ({ actor, body }) => things.list(actor, asQuery(body))),
  handle(of.read, async (call) => answered(call, await things.read(call.actor, call.params.id))),
  handle(of.make, async (call) => {
    const made = await things.add(call.actor, call.body)
    call.audit({ [name]: String(made[name]) }, String(made.id))
    return answered(call, made, 201)
  }),
  handle(of.put, async (call) =>
    answered(call, await things.put(call.actor, call.params.id, call.body, unchanged(call))),
  ),
  handle(of.patch, async (call) =>
    answered(call, await things.patch(call.actor, call.params.id, call.body, unchanged(call))),
  ),
  handle(of.remove, async (call) => {
    await things.remove(call.actor, call.params.id, unchanged(call))
    call.reply.status(204)
    return {}
  }),
]

export function routesOfScim(options: { people: Things; groups: Things; address(): string }): Handler[] {
  const { people, groups, address } = options
  return [
    handle(scimRoutes.config, async () => configOf(address(), MOST_RESULTS)),
    handle(scimRoutes.types, async () => listOf(typesOf(address()), {})),
    handle(scimRoutes.type, async ({ params }) => byName(typesOf(address()), params.id)),
    handle(scimRoutes.schemas, async () => listOf(schemasOf(address()), {})),
    handle(scimRoutes.schema, async ({ params }) => byName(schemasOf(address()), params.id)),
    ...routesOfThings(USERS, people, 'userName'),
    ...routesOfThings(GROUPS, groups, 'displayName'),
  ]
}
