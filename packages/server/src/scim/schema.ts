/**
 * What people and groups consist of, from the SCIMMY library: its definitions, its check of values, its patches. Its filters are not used:
 * `not` over several conditions, case and quotation marks are wrong there (1.3.5).
 */
import { SCIM_PATH, type ScimResource } from '@kalnet/contracts/scim'
import { Messages, Schemas } from 'scimmy'
import { parseFilter } from './filter.ts'
import { fromLibrary, refused } from './refusal.ts'

export type Kind = 'User' | 'Group'
export const URN = {
  User: 'urn:ietf:params:scim:schemas:core:2.0:User',
  Group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  enterprise: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
} as const

Schemas.User.definition.extend(Schemas.EnterpriseUser.definition)
const OF = { User: Schemas.User, Group: Schemas.Group } as const

const isObject = (value: unknown): value is ScimResource =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as ScimResource

/** Some directories send "True" where the protocol says true. */
const asBoolean = (value: unknown) =>
  typeof value === 'string' && /^(true|false)$/i.test(value) ? value.toLowerCase() === 'true' : value
function forgiving(resource: ScimResource): ScimResource {
  const kept = Object.entries(resource).filter(([name]) => name.toLowerCase() !== 'password')
  return Object.fromEntries(
    kept.map(([name, value]) => [name, name.toLowerCase() === 'active' ? asBoolean(value) : value]),
  )
}

/** The attributes that are known, each of the right kind; what is unknown or for us to say is left out. */
export function checkedResource(kind: Kind, given: unknown): ScimResource {
  if (!isObject(given)) throw refused('invalidSyntax', 'One resource is expected.')
  const schemas = Array.isArray(given.schemas) ? given.schemas : []
  if (!schemas.some((it) => String(it).toLowerCase() === URN[kind].toLowerCase()))
    throw refused('invalidSyntax', `schemas must name ${URN[kind]}.`)
  try {
    const { id: _id, meta: _meta, ...rest } = plain(new OF[kind](forgiving(given) as never, 'in'))
    return rest
  } catch (error) {
    throw fromLibrary(error)
  }
}

type Operation = { op?: unknown; path?: unknown; value?: unknown }
/**
 * What the library does not do: it adds where a replacement without a path has several values (RFC 7644 §3.5.2.3), and
 * overlooks filters that cannot be read.
 */
function easedOperation(operation: unknown): unknown[] {
  if (!isObject(operation)) return [operation]
  const { op, path, value } = operation as Operation
  if (typeof path === 'string') {
    const filter = /\[(.*)\]/.exec(path)?.[1]
    if (filter !== undefined) parseFilter(filter)
    return [path.toLowerCase() === 'active' ? { ...operation, value: asBoolean(value) } : operation]
  }
  if (path !== undefined || !isObject(value)) return [operation]
  const whole = forgiving(value)
  if (String(op).toLowerCase() !== 'replace') return [{ ...operation, value: whole }]
  return Object.entries(whole).flatMap(([name, inner]) =>
    name.startsWith('urn:') && isObject(inner)
      ? Object.entries(inner).map(([part, it]) => ({ op, path: `${name}:${part}`, value: it }))
      : [{ op, path: name, value: inner }],
  )
}

/** The resource after the operations of a PatchOp (RFC 7644 §3.5.2); the same when nothing changed. */
export async function patchedResource(
  kind: Kind,
  before: ScimResource,
  body: ScimResource,
): Promise<ScimResource> {
  const given: unknown = body.Operations ?? body.operations
  const eased = Array.isArray(given) ? given.flatMap(easedOperation) : given
  try {
    const message = new Messages.PatchOp({ ...body, Operations: eased } as never)
    const resource = new OF[kind](before as never, 'out')
    return plain((await message.apply(resource)) ?? resource)
  } catch (error) {
    throw fromLibrary(error)
  }
}

const location = (base: string, path: string) => `${base}${SCIM_PATH}${path}`

export function schemasOf(base: string): ScimResource[] {
  const all = [Schemas.User.definition, Schemas.Group.definition, Schemas.EnterpriseUser.definition]
  return all.map((it) => plain(it.describe(location(base, '/Schemas'))))
}

export function typesOf(base: string): ScimResource[] {
  const type = (name: Kind, endpoint: string, description: string, more: object = {}) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: name,
    name,
    endpoint,
    description,
    schema: URN[name],
    ...more,
    meta: { resourceType: 'ResourceType', location: location(base, `/ResourceTypes/${name}`) },
  })
  const schemaExtensions = [{ schema: URN.enterprise, required: false }]
  return [
    type('User', '/Users', 'People of the organisation', { schemaExtensions }),
    type('Group', '/Groups', 'Groups of people'),
  ]
}

export const configOf = (base: string, maxResults: number): ScimResource => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults },
  changePassword: { supported: false },
  sort: { supported: true },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Service key',
      description: 'A service key of Kalnet with the right to keep people in step, as a bearer token.',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: location(base, '/ServiceProviderConfig') },
})
