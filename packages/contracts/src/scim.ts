/** SCIM 2.0 (RFC 7643, 7644): another directory keeps our people and groups in step. Its own forms for answers and errors. */
import { z } from 'zod'
import { nothing } from './basics.ts'
import type { Permission } from './permission.ts'
import { route } from './route.ts'

export const SCIM_PATH = '/api/scim/v2'
export const SCIM_TYPE = 'application/scim+json'
export const SCIM_ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** What the protocol's errors may be called (RFC 7644 §3.12, table 9). */
export const scimType = z.enum([
  'invalidFilter',
  'tooMany',
  'uniqueness',
  'mutability',
  'invalidSyntax',
  'invalidPath',
  'noTarget',
  'invalidValue',
  'invalidVers',
  'sensitive',
])
export type ScimType = z.infer<typeof scimType>

/** Ids are ours, but a wrong one is answered 404 like any other unknown, as the protocol wants it. */
const named = z.strictObject({ id: z.string().min(1).max(200) })
const text = z.string().max(2000).optional()
/** Loose: the protocol lets clients add what a server does not know. */
const shown = z.looseObject({ attributes: text, excludedAttributes: text })
export const scimQuery = shown.extend({
  filter: text,
  sortBy: text,
  sortOrder: text,
  startIndex: text,
  count: text,
})
export type ScimQuery = z.infer<typeof scimQuery>
/** RFC 7644 §3.4.3: the same question in a body, where it is in no log of a proxy. */
const search = z.looseObject({
  attributes: z.array(z.string().max(200)).max(100).optional(),
  excludedAttributes: z.array(z.string().max(200)).max(100).optional(),
  filter: text,
  sortBy: text,
  sortOrder: text,
  startIndex: z.int().optional(),
  count: z.int().optional(),
})
export type ScimSearch = z.infer<typeof search>
const resource = z.looseObject({})
export type ScimResource = z.infer<typeof resource>

const permission: Permission = 'scim.use'
const common = { permission, params: nothing, body: nothing, form: 'scim', answer: resource } as const
const reading = { ...common, method: 'GET', audit: null, query: scimQuery } as const
const searching = { ...common, method: 'POST', audit: null, query: shown, body: search } as const
const limits = { bodyBytes: 1 << 20 }

/** Written out for each kind, so that every address is a literal. */
export const scimRoutes = {
  config: route({
    ...reading,
    path: `${SCIM_PATH}/ServiceProviderConfig`,
    summary: 'What this server can do (SCIM)',
  }),
  types: route({ ...reading, path: `${SCIM_PATH}/ResourceTypes`, summary: 'Kinds of things (SCIM)' }),
  type: route({
    ...reading,
    path: `${SCIM_PATH}/ResourceTypes/:id`,
    params: named,
    summary: 'One kind of thing (SCIM)',
  }),
  schemas: route({ ...reading, path: `${SCIM_PATH}/Schemas`, summary: 'What they consist of (SCIM)' }),
  schema: route({
    ...reading,
    path: `${SCIM_PATH}/Schemas/:id`,
    params: named,
    summary: 'What one kind consists of (SCIM)',
  }),

  users: route({ ...reading, path: `${SCIM_PATH}/Users`, summary: 'People (SCIM)' }),
  user: route({ ...reading, path: `${SCIM_PATH}/Users/:id`, params: named, summary: 'A person (SCIM)' }),
  searchUsers: route({
    ...searching,
    path: `${SCIM_PATH}/Users/.search`,
    summary: 'People, asked for in a body (SCIM)',
  }),
  makeUser: route({
    ...common,
    method: 'POST',
    path: `${SCIM_PATH}/Users`,
    query: shown,
    body: resource,
    summary: 'Add a person (SCIM)',
    audit: 'person.made',
    limits,
  }),
  putUser: route({
    ...common,
    method: 'PUT',
    path: `${SCIM_PATH}/Users/:id`,
    params: named,
    query: shown,
    body: resource,
    summary: 'Replace what is known of a person (SCIM)',
    audit: 'person.changed',
    limits,
  }),
  patchUser: route({
    ...common,
    method: 'PATCH',
    path: `${SCIM_PATH}/Users/:id`,
    params: named,
    query: shown,
    body: resource,
    summary: 'Change a person, or switch them off (SCIM)',
    audit: 'person.changed',
    limits,
  }),
  removeUser: route({
    ...common,
    method: 'DELETE',
    path: `${SCIM_PATH}/Users/:id`,
    params: named,
    query: shown,
    summary: 'A person has left: switched off, and no longer kept in step (SCIM)',
    audit: 'person.removed',
  }),

  groups: route({ ...reading, path: `${SCIM_PATH}/Groups`, summary: 'Groups (SCIM)' }),
  group: route({ ...reading, path: `${SCIM_PATH}/Groups/:id`, params: named, summary: 'A group (SCIM)' }),
  searchGroups: route({
    ...searching,
    path: `${SCIM_PATH}/Groups/.search`,
    summary: 'Groups, asked for in a body (SCIM)',
  }),
  makeGroup: route({
    ...common,
    method: 'POST',
    path: `${SCIM_PATH}/Groups`,
    query: shown,
    body: resource,
    summary: 'Add a group (SCIM)',
    audit: 'group.made',
    limits,
  }),
  putGroup: route({
    ...common,
    method: 'PUT',
    path: `${SCIM_PATH}/Groups/:id`,
    params: named,
    query: shown,
    body: resource,
    summary: 'Replace a group (SCIM)',
    audit: 'group.changed',
    limits,
  }),
  patchGroup: route({
    ...common,
    method: 'PATCH',
    path: `${SCIM_PATH}/Groups/:id`,
    params: named,
    query: shown,
    body: resource,
    summary: 'Change a group (SCIM)',
    audit: 'group.changed',
    limits,
  }),
  removeGroup: route({
    ...common,
    method: 'DELETE',
    path: `${SCIM_PATH}/Groups/:id`,
    params: named,
    query: shown,
    summary: 'Remove a group (SCIM)',
    audit: 'group.removed',
  }),
}
