/** A person as SCIM shows it, and what a SCIM resource says about a person of ours. */
import { createHash } from 'node:crypto'
import { SCIM_PATH, type ScimResource } from '@kalnet/contracts/scim'
import { refused } from './refusal.ts'
import { URN } from './schema.ts'
import type { PersonRow } from './store.ts'

/** What we decide or keep elsewhere; the rest is kept as it came. */
const OURS = ['schemas', 'userName', 'externalId', 'displayName', 'active', 'roles', 'groups', 'id', 'meta']
export const SCIM_ROLES = ['admin', 'member', 'child', 'guest'] as const
const NAME_LENGTH = 60

export interface PersonInput {
  userName: string
  externalId: string | null
  name: string
  email: string
  /** null in both: nothing is said about it. */
  role: string | null
  active: boolean | null
  attributes: Record<string, unknown>
}

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : null
/** The primary value of several, else the first. */
function chosen(values: unknown): string | null {
  if (!Array.isArray(values)) return null
  return textOf((values.find((it) => isObject(it) && it.primary === true) ?? values[0])?.value)
}

function nameOf(resource: ScimResource, userName: string): string {
  const name = isObject(resource.name) ? resource.name : {}
  const joined = [textOf(name.givenName), textOf(name.familyName)].filter(Boolean).join(' ')
  const whole = textOf(resource.displayName) ?? textOf(name.formatted) ?? textOf(joined) ?? userName
  return whole.slice(0, NAME_LENGTH)
}

const EMAIL = /^[^\s@]+@[^\s@]+$/
/** `.invalid` leads nowhere (RFC 2606): a person without an address gets no mail, and nobody else can be sent theirs. */
const noAddress = (userName: string) =>
  `${createHash('sha256').update(userName.toLowerCase()).digest('hex').slice(0, 24)}@no-address.invalid`
function emailOf(resource: ScimResource, userName: string): string {
  const email = (
    chosen(resource.emails) ?? (EMAIL.test(userName) ? userName : noAddress(userName))
  ).toLowerCase()
  if (!EMAIL.test(email) || email.length > 254)
    throw refused('invalidValue', 'An e-mail address is not well-formed.')
  return email
}

function roleOf(resource: ScimResource): string | null {
  const role = chosen(resource.roles)?.toLowerCase() ?? null
  if (role === null || role === 'owner' || (SCIM_ROLES as readonly string[]).includes(role)) return role
  throw refused('invalidValue', `The role is one of ${SCIM_ROLES.join(', ')}.`)
}

export function personFrom(resource: ScimResource): PersonInput {
  const userName = textOf(resource.userName)
  if (!userName || userName.length > 254) throw refused('invalidValue', 'userName is missing or too long.')
  return {
    userName,
    externalId: textOf(resource.externalId),
    name: nameOf(resource, userName),
    email: emailOf(resource, userName),
    role: roleOf(resource),
    active: typeof resource.active === 'boolean' ? resource.active : null,
    attributes: Object.fromEntries(Object.entries(resource).filter(([name]) => !OURS.includes(name))),
  }
}

/** Weak: the same to whoever reads it, though not sign by sign. */
export const versionOf = (resource: ScimResource) =>
  `W/"${createHash('sha256').update(JSON.stringify(resource)).digest('hex').slice(0, 24)}"`

const later = (one: string, other: string | null) => (other !== null && other > one ? other : one)

export function shownPerson(row: PersonRow, base: string): ScimResource {
  const attributes = row.attributes ?? { emails: [{ value: row.email, primary: true }] }
  const groups = row.groups.map((it) => ({
    ...it,
    $ref: `${base}${SCIM_PATH}/Groups/${it.value}`,
    type: 'direct',
  }))
  const resource = {
    schemas: [URN.User, ...(attributes[URN.enterprise] ? [URN.enterprise] : [])],
    id: row.id,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    userName: row.user_name ?? row.email,
    displayName: row.name,
    active: row.state === 'active',
    ...attributes,
    roles: [{ value: row.role, primary: true }],
    ...(groups.length > 0 ? { groups } : {}),
  }
  return {
    ...resource,
    meta: {
      resourceType: 'User',
      created: row.created_at,
      lastModified: later(row.changed_at, row.scim_changed_at),
      location: `${base}${SCIM_PATH}/Users/${row.id}`,
      version: versionOf(resource),
    },
  }
}
