/** People of an organisation: who they are, groups, invitations, and the organisation itself. */
import { z } from 'zod'
import { byId, id, nothing, page, pageQuery, time } from './basics.ts'
import { email, entered, newPassword } from './identity.ts'
import { role } from './permission.ts'
import { qr } from './qr.ts'
import { route } from './route.ts'

const name = z.string().trim().min(1, 'is missing').max(60)
const ids = z.array(id).max(200)

/** A household speaks of parents, a team of owners; nothing else differs. */
export const organisationKind = z.enum(['household', 'team'])
export type OrganisationKind = z.infer<typeof organisationKind>
export const organisation = z.strictObject({ id, name: z.string(), kind: organisationKind })
export type Organisation = z.infer<typeof organisation>

const groupRef = z.strictObject({ id, name: z.string() })
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

export const invitation = z.strictObject({
  id,
  /** null: for whoever the link is handed to (the first owner of an organisation). */
  email: z.string().nullable(),
  role,
  groups: z.array(groupRef),
  state: z.enum(['open', 'expired', 'accepted', 'revoked']),
  /** null: made on the machine itself, or by somebody who is no longer here. */
  invitedBy: z.string().nullable(),
  createdAt: time,
  expiresAt: time,
  acceptedAt: time.nullable(),
})
export type Invitation = z.infer<typeof invitation>
/** The link is shown once; `mailed`: it was sent to the addressee too. */
const invited = z.strictObject({ invitation, link: handedLink, mailed: z.boolean() })

export const INVITATION_DAYS = 7
const token = z.string().max(200)
const tokenLimits = { bodyBytes: 8192, perMinute: 60 }

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
      .strictObject({ name: name.optional(), groups: ids.optional() })
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
    body: z.strictObject({ name, members: ids.optional() }),
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
      .strictObject({ name: name.optional(), add: ids.optional(), remove: ids.optional() })
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

export const invitationRoutes = {
  list: route({
    method: 'GET',
    path: '/api/invitations',
    permission: 'invitation.manage',
    summary: 'Invitations, newest first',
    params: nothing,
    query: pageQuery,
    body: nothing,
    answer: page(invitation),
    audit: null,
  }),
  invite: route({
    method: 'POST',
    path: '/api/invitations',
    permission: 'invitation.manage',
    summary: 'Invite one address; the link works once',
    params: nothing,
    query: nothing,
    body: z.strictObject({
      email,
      role,
      groups: ids.default([]),
      days: z.number().int().min(1).max(30).default(INVITATION_DAYS),
    }),
    answer: invited,
    audit: 'invitation.made',
    stepUp: true,
  }),
  resend: route({
    method: 'POST',
    path: '/api/invitations/:id/resend',
    permission: 'invitation.manage',
    summary: 'A new link in place of the old one',
    params: byId,
    query: nothing,
    body: nothing,
    answer: invited,
    audit: 'invitation.sent-again',
    stepUp: true,
  }),
  revoke: route({
    method: 'DELETE',
    path: '/api/invitations/:id',
    permission: 'invitation.manage',
    summary: 'Take an invitation back: its link stops working at once',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'invitation.revoked',
  }),
  /** A POST, so that the token stands in no address and no log. */
  look: route({
    method: 'POST',
    path: '/api/invitations/look',
    permission: 'public',
    summary: 'Who invites to what',
    params: nothing,
    query: nothing,
    body: z.strictObject({ token }),
    answer: z.strictObject({
      organisation: z.strictObject({ name: z.string(), kind: organisationKind }),
      invitedBy: z.string().nullable(),
      role,
      /** null: the person who accepts says it. */
      email: z.string().nullable(),
      expiresAt: time,
    }),
    audit: null,
    limits: tokenLimits,
  }),
  accept: route({
    method: 'POST',
    path: '/api/invitations/accept',
    permission: 'public',
    summary: 'Accept: makes the account and signs in',
    params: nothing,
    query: nothing,
    body: z.strictObject({ token, name, email: email.optional(), password: newPassword }),
    answer: entered,
    audit: 'invitation.accepted',
    limits: tokenLimits,
  }),
}

export const organisationRoutes = {
  read: route({
    method: 'GET',
    path: '/api/organisation',
    permission: 'me.read',
    summary: 'My organisation',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: organisation,
    audit: null,
  }),
  change: route({
    method: 'PATCH',
    path: '/api/organisation',
    permission: 'organisation.manage',
    summary: 'Change its name, or whether it is a household or a team',
    params: nothing,
    query: nothing,
    body: z
      .strictObject({ name: name.optional(), kind: organisationKind.optional() })
      .refine((change) => Object.values(change).some((it) => it !== undefined), 'changes nothing'),
    answer: organisation,
    audit: 'organisation.changed',
  }),
  /** On the machine itself: another organisation on the same installation. */
  add: route({
    method: 'POST',
    path: '/api/local/organisations',
    permission: 'local',
    summary: 'Make an organisation, or answer a new link for one that nobody has claimed yet',
    params: nothing,
    query: nothing,
    body: z.strictObject({ name, kind: organisationKind.default('household') }),
    answer: z.strictObject({ organisation, link: handedLink }),
    audit: 'organisation.made',
  }),
  list: route({
    method: 'GET',
    path: '/api/local/organisations',
    permission: 'local',
    summary: 'Every organisation of this installation',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({
      items: z.array(
        organisation.extend({ people: z.number().int(), owners: z.array(z.string()), createdAt: time }),
      ),
    }),
    audit: null,
  }),
}
