/** People of an organisation: who they are, groups, invitations, and the organisation itself. */
import { z } from 'zod'
import { byId, id, nothing, page, pageQuery, time } from './basics.ts'
import { role } from './permission.ts'
import { qr } from './qr.ts'
import { route } from './route.ts'

export const personName = z.string().trim().min(1, 'is missing').max(60)
export const manyIds = z.array(id).max(200)

export const groupRef = z.strictObject({ id, name: z.string() })
export const person = z.strictObject({
  id,
  /** 'service': the account of a program; it signs in with service keys only. */
  kind: z.enum(['person', 'service']),
  name: z.string(),
  /** null: a service account. */
  email: z.string().nullable(),
  role,
  /** 'off': keeps everything, may do nothing. */
  state: z.enum(['active', 'off']),
  groups: z.array(groupRef),
  createdAt: time,
})
export type Person = z.infer<typeof person>
export const personDetails = person.extend({
  /** Devices signed in now. */
  devices: z.number().int(),
  lastSeenAt: time.nullable(),
  sessions: z.number().int(),
})
export type PersonDetails = z.infer<typeof personDetails>

/** A page of the dashboard with a one-use token in its fragment, which no server and no log ever sees. */
export const handedLink = z.strictObject({ url: z.string(), expiresAt: time, qr })
export type HandedLink = z.infer<typeof handedLink>

export const group = z.strictObject({ id, name: z.string(), members: z.number().int(), createdAt: time })
export type Group = z.infer<typeof group>

export const peopleRoutes = {
  list: route({
    method: 'GET',
    path: '/api/people',
    permission: 'person.read',
    summary: 'People and service accounts, by name',
    params: nothing,
    query: pageQuery.extend({
      /** Part of a name or an e-mail address. */
      search: z.string().max(100).optional(),
      group: id.optional(),
      kind: z.enum(['person', 'service']).optional(),
    }),
    body: nothing,
    answer: page(person),
    audit: null,
  }),
  read: route({
    method: 'GET',
    path: '/api/people/:id',
    permission: 'person.read',
    summary: 'One person',
    params: byId,
    query: nothing,
    body: nothing,
    answer: personDetails,
    audit: null,
  }),
  change: route({
    method: 'PATCH',
    path: '/api/people/:id',
    permission: 'person.manage',
    summary: 'Change the name, or the groups it belongs to (all of them)',
    params: byId,
    query: nothing,
    body: z
      .strictObject({ name: personName.optional(), groups: manyIds.optional() })
      .refine((change) => Object.values(change).some((it) => it !== undefined), 'changes nothing'),
    answer: person,
    audit: 'person.changed',
  }),
  role: route({
    method: 'POST',
    path: '/api/people/:id/role',
    permission: 'person.manage',
    summary: 'Give another role; every device has to sign in again',
    params: byId,
    query: nothing,
    body: z.strictObject({ role }),
    answer: person,
    audit: 'person.role-changed',
    stepUp: true,
  }),
  off: route({
    method: 'POST',
    path: '/api/people/:id/off',
    permission: 'person.manage',
    summary: 'Switch off: everything is kept, nothing may be done; signed out everywhere at once',
    params: byId,
    query: nothing,
    body: nothing,
    answer: person,
    audit: 'person.switched-off',
  }),
  on: route({
    method: 'POST',
    path: '/api/people/:id/on',
    permission: 'person.manage',
    summary: 'Let somebody in again',
    params: byId,
    query: nothing,
    body: nothing,
    answer: person,
    audit: 'person.switched-on',
  }),
  signOut: route({
    method: 'POST',
    path: '/api/people/:id/sign-out',
    permission: 'person.manage',
    summary: 'End every sign-in of a person: live pages and open screens close at once',
    params: byId,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ ended: z.number().int() }),
    audit: 'person.signed-out',
  }),
  reset: route({
    method: 'POST',
    path: '/api/people/:id/reset',
    permission: 'person.manage',
    summary: 'A one-use link with which a person sets a new password, valid half an hour',
    params: byId,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ link: handedLink }),
    audit: 'person.reset-issued',
    stepUp: true,
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/people/:id',
    permission: 'person.manage',
    summary: 'Remove for good, with all sessions',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'person.removed',
    stepUp: true,
  }),
  leave: route({
    method: 'POST',
    path: '/api/me/leave',
    permission: 'me.secure',
    summary: 'Leave the organisation: my account and my sessions are removed',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'person.left',
    stepUp: true,
  }),
}

export const groupRoutes = {
  list: route({
    method: 'GET',
    path: '/api/groups',
    permission: 'group.read',
    summary: 'Groups, by name',
    params: nothing,
    query: pageQuery,
    body: nothing,
    answer: page(group),
    audit: null,
  }),
  add: route({
    method: 'POST',
    path: '/api/groups',
    permission: 'group.manage',
    summary: 'Make a group',
    params: nothing,
    query: nothing,
    body: z.strictObject({ name: personName, members: manyIds.optional() }),
    answer: group,
    audit: 'group.made',
  }),
  change: route({
    method: 'PATCH',
    path: '/api/groups/:id',
    permission: 'group.manage',
    summary: 'Rename, and put people in or out',
    params: byId,
    query: nothing,
    body: z
      .strictObject({ name: personName.optional(), add: manyIds.optional(), remove: manyIds.optional() })
      .refine((change) => Object.values(change).some((it) => it !== undefined), 'changes nothing'),
    answer: group,
    audit: 'group.changed',
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/groups/:id',
    permission: 'group.manage',
    summary: 'Remove a group; its people stay',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'group.removed',
  }),
}
