/** `kalnet user invite|invitations|uninvite`: a link for one address that works once. */
import { INVITATION_DAYS, type Invitation, invitationRoutes } from '@kalnet/contracts/invitation'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { linkLines, plainLink } from '../link.ts'
import { table } from '../output.ts'
import { usage } from '../problem.ts'
import { findGroups, roleOf } from './people-found.ts'

interface InviteFlags {
  role: string
  group: string[]
  days: string
}
const many = (text: string, before: string[]) => [...before, text]

export function addInvitations(user: Command, context: () => Context): void {
  user
    .command('invite')
    .description('print a link that makes an account for one address; again for the same address: a new link')
    .argument('<e-mail>', 'who it is for')
    .option('--role <role>', 'owner, admin, member, child or guest', 'member')
    .option('--group <group>', 'may be given several times', many, [])
    .option('--days <days>', 'how long it is good for', String(INVITATION_DAYS))
    .addHelpText(
      'after',
      `
Examples:
  kalnet user invite grace@example.org
  kalnet user invite max@example.org --role child --group Kids --days 2`,
    )
    .action(async (email: string, flags: InviteFlags) => {
      const it = context()
      const made = await invite(it, email, flags)
      const mailed = made.mailed ? ' It was also sent by e-mail.' : ''
      it.output.result(
        await linkLines(made.link, `The invitation of ${email} as ${made.invitation.role}.${mailed}`),
        {
          ...made,
          link: plainLink(made.link),
        },
      )
    })
  user
    .command('invitations')
    .description('who is invited, and who has come')
    .addHelpText('after', '\nExamples:\n  kalnet user invitations --json')
    .action(async () => {
      const { api, output } = context()
      const { items } = await api.call(invitationRoutes.list, { query: { limit: 200 } })
      const rows = items.map((one) => [
        one.email ?? '(whoever has the link)',
        one.role,
        one.state,
        one.invitedBy ?? '(this machine)',
        one.expiresAt.slice(0, 10),
        one.id,
      ])
      output.result(
        rows.length === 0
          ? 'Nobody is invited.'
          : table(['e-mail', 'role', 'state', 'by', 'until', 'id'], rows),
        { items },
      )
    })
  user
    .command('uninvite')
    .description('take an invitation back: its link stops working at once')
    .argument('<e-mail>', 'who it is for, or the id of the invitation')
    .addHelpText('after', '\nExamples:\n  kalnet user uninvite grace@example.org')
    .action(async (wanted: string) => {
      const it = context()
      const { id } = await findOpen(it, wanted)
      await it.api.call(invitationRoutes.revoke, { params: { id } })
      it.output.result(`The invitation of ${wanted} is taken back.`, { id })
    })
}

async function openInvitations({ api }: Context): Promise<Invitation[]> {
  const { items } = await api.call(invitationRoutes.list, { query: { limit: 200 } })
  return items.filter(({ state }) => state === 'open' || state === 'expired')
}

async function findOpen(it: Context, wanted: string): Promise<Invitation> {
  const open = await openInvitations(it)
  const found = open.find(({ id, email }) => id === wanted || email === wanted.toLowerCase())
  if (!found) throw usage(`${wanted} is not invited.`, 'See `kalnet user invitations`.')
  return found
}

async function invite(it: Context, email: string, { role, group, days }: InviteFlags) {
  if (!/^\d{1,2}$/.test(days)) throw usage(`--days is a number from 1 to 30, not ${days}.`)
  const groups = (await findGroups(it, group)).map(({ id }) => id)
  const body = { email, role: roleOf(role), groups, days: Number(days) }
  const known = (await openInvitations(it)).find(
    (one) => one.email === email.toLowerCase() && one.state === 'open',
  )
  if (!known) return it.api.call(invitationRoutes.invite, { body })
  if (known.role !== body.role)
    throw usage(
      `${email} is invited as ${known.role} already.`,
      `Take it back first: kalnet user uninvite ${email}`,
    )
  return it.api.call(invitationRoutes.resend, { params: { id: known.id }, body: {} })
}
