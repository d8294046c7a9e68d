/** People, groups, invitations and the organisation over HTTP. */

import { id } from '@kalnet/contracts/basics'
import { invitationRoutes, organisationRoutes } from '@kalnet/contracts/invitation'
import { groupRoutes, peopleRoutes } from '@kalnet/contracts/people'
import { type Handler, handle } from '../core/http.ts'
import { parseInput } from '../core/parse.ts'
import { qrOf } from '../core/qr.ts'
import { clearCookie } from '../identity/cookie.ts'
import { deviceOf, entered } from '../identity/routes.ts'
import type { Groups } from './groups.ts'
import type { Invitations, Made } from './invitations.ts'
import type { Joining } from './joining.ts'
import type { Organisations } from './organisations.ts'
import type { People } from './people.ts'

export interface PeopleRoutesOptions {
  people: People
  groups: Groups
  invitations: Invitations
  organisations: Organisations
  joining: Joining
  /** Sends an invitation to its address; false when that did not happen. Never throws: the link is shown anyway. */
  mail(made: Made): Promise<boolean>
}

export function routesOfPeople(options: PeopleRoutesOptions): Handler[] {
  const { people, groups, invitations, organisations, joining, mail } = options
  return [
    handle(peopleRoutes.list, ({ actor, query }) => people.list(actor, query)),
    handle(peopleRoutes.read, ({ actor, params }) => people.read(actor, params.id)),
    handle(peopleRoutes.change, ({ actor, params, body, audit }) => {
      audit({
        ...(body.name !== undefined && { name: body.name }),
        ...(body.groups && { groups: body.groups.length }),
      })
      return people.change(actor, params.id, body)
    }),
    handle(peopleRoutes.role, ({ actor, params, body, audit }) => {
      audit({ role: body.role })
      return people.setRole(actor, params.id, body.role)
    }),
    handle(peopleRoutes.off, ({ actor, params }) => people.switchTo(actor, params.id, 'off')),
    handle(peopleRoutes.on, ({ actor, params }) => people.switchTo(actor, params.id, 'active')),
    handle(peopleRoutes.signOut, async ({ actor, params, audit }) => {
      const { ended } = await people.signOut(actor, params.id)
      audit({ ended })
      return { ended }
    }),
    handle(peopleRoutes.reset, async ({ actor, params }) => {
      const link = await people.resetLink(actor, params.id)
      return { link: { ...link, qr: qrOf(link.url) } }
    }),
    handle(peopleRoutes.remove, async ({ actor, params }) => {
      await people.remove(actor, params.id)
      return {}
    }),
    handle(peopleRoutes.leave, async ({ actor, audit, reply, secure }) => {
      audit({}, actor.userId)
      await people.remove(actor, actor.userId, 'leave')
      reply.header('set-cookie', clearCookie(secure))
      return {}
    }),

    handle(groupRoutes.list, ({ actor, query }) => groups.list(actor, query)),
    handle(groupRoutes.add, async ({ actor, body, audit }) => {
      audit({ name: body.name })
      const made = await groups.add(actor, body)
      audit({}, made.id)
      return made
    }),
    handle(groupRoutes.change, ({ actor, params, body, audit }) => {
      audit({
        ...(body.name !== undefined && { name: body.name }),
        ...(body.add && { added: body.add.length }),
        ...(body.remove && { removed: body.remove.length }),
      })
      return groups.change(actor, params.id, body)
    }),
    handle(groupRoutes.remove, async ({ actor, params }) => {
      await groups.remove(actor, params.id)
      return {}
    }),

    handle(invitationRoutes.list, ({ actor, query }) =>
      invitations.list(actor, { ...query, after: parseInput(id.optional(), query.after, 'query') }),
    ),
    handle(invitationRoutes.invite, async ({ actor, body, audit }) => {
      audit({ email: body.email, role: body.role })
      const made = await invitations.invite(actor, body)
      audit({}, made.invitation.id)
      return { invitation: made.invitation, link: made.link, mailed: await mail(made) }
    }),
    handle(invitationRoutes.resend, async ({ actor, params }) => {
      const made = await invitations.resend(actor, params.id)
      return { invitation: made.invitation, link: made.link, mailed: await mail(made) }
    }),
    handle(invitationRoutes.revoke, async ({ actor, params }) => {
      await invitations.revoke(actor, params.id)
      return {}
    }),
    handle(invitationRoutes.look, async ({ body }) => {
      const row = await invitations.look(body.token)
      return {
        organisation: { name: row.organisation_name, kind: row.organisation_kind },
        invitedBy: row.invited_by_name,
        role: row.role,
        email: row.email,
        expiresAt: row.expires_at,
      }
    }),
    handle(invitationRoutes.accept, async (call) =>
      entered(call, await joining.accept(call.body, deviceOf(call), call.actAs)),
    ),

    handle(organisationRoutes.read, ({ actor }) => organisations.read(actor)),
    handle(organisationRoutes.change, ({ actor, body, audit }) => {
      audit({ ...body }, actor.organisationId)
      return organisations.change(actor, body)
    }),
    handle(organisationRoutes.add, async ({ body, audit }) => {
      const made = await organisations.add(body)
      audit({ name: body.name }, made.organisation.id)
      return made
    }),
    handle(organisationRoutes.list, async () => ({ items: await organisations.all() })),
  ]
}
