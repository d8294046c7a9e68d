/** Invitations to an organisation, and the organisation itself. */
import { z } from 'zod'
import { byId, id, nothing, page, pageQuery, time } from './basics.ts'
import { email, entered, newPassword } from './identity.ts'
import { groupRef, handedLink, manyIds, personName } from './people.ts'
import { role } from './permission.ts'
import { route } from './route.ts'

/** A household speaks of parents, a team of owners; nothing else differs. */
export const organisationKind = z.enum(['household', 'team'])
export type OrganisationKind = z.infer<typeof organisationKind>
export const organisation = z.strictObject({ id, name: z.string(), kind: organisationKind })
export type Organisation = z.infer<typeof organisation>

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
      groups: manyIds.default([]),
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
    body: z.strictObject({ token, name: personName, email: email.optional(), password: newPassword }),
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
      .strictObject({ name: personName.optional(), kind: organisationKind.optional() })
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
    body: z.strictObject({ name: personName, kind: organisationKind.default('household') }),
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
