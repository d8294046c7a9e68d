/** `kalnet user …`: people of this organisation, and the way back in when the owner's password is lost. */
import { localRoutes } from '@kalnet/contracts/local'
import { type Person, peopleRoutes } from '@kalnet/contracts/people'
import type { Command } from 'commander'
import type { AddCommand, Context } from '../context.ts'
import { linkLines, plainLink } from '../link.ts'
import { ago, table } from '../output.ts'
import { refused } from '../problem.ts'
import { allPeople, findGroup, findPerson, ROLES, roleOf, WHO } from './people-found.ts'
import { addInvitations } from './user-invite.ts'

const examples = (...lines: [string, string][]) =>
  `\nExamples:\n${lines.map(([line, what]) => `  ${line.padEnd(50)} ${what}`.trimEnd()).join('\n')}`

export const addUser: AddCommand = (program, context) => {
  const user = program
    .command('user')
    .description('people: who is here, in which role, and how they get in')
    .addHelpText(
      'after',
      examples(
        ['kalnet user list', 'everybody'],
        ['kalnet user invite grace@example.org --role member', 'a link that works once'],
        ['kalnet user off grace@example.org', 'out everywhere, keeps everything'],
      ),
    )
  addReading(user, context)
  addInvitations(user, context)
  addChanging(user, context)
  addEnding(user, context)
}

function addReading(user: Command, context: () => Context): void {
  user
    .command('list')
    .description('everybody, and the accounts of programs')
    .option('--search <text>', 'part of a name or e-mail address')
    .option('--group <group>', 'only who is in it')
    .addHelpText('after', examples(['kalnet user list --group Kids --json', 'for scripts']))
    .action(async (flags: { search?: string; group?: string }) => {
      const it = context()
      const group = flags.group ? (await findGroup(it, flags.group)).id : undefined
      const items = await allPeople(it, { search: flags.search, group })
      const rows = items.map((one) => [
        one.name,
        one.email ?? '(service account)',
        one.role,
        one.state === 'off' ? 'off' : 'on',
        one.groups.map(({ name }) => name).join(', '),
        one.id,
      ])
      it.output.result(
        rows.length === 0
          ? 'Nobody matches.'
          : table(['name', 'e-mail', 'role', 'state', 'groups', 'id'], rows),
        { items },
      )
    })
  user
    .command('show')
    .description('one person')
    .argument('<person>', WHO)
    .addHelpText('after', examples(['kalnet user show grace@example.org', '']))
    .action(async (wanted: string) => {
      const it = context()
      const { id } = await findPerson(it, wanted)
      const found = await it.api.call(peopleRoutes.read, { params: { id } })
      const seen = found.lastSeenAt
        ? `${ago(new Date(found.lastSeenAt), it.clock.now())} ago`
        : 'not signed in anywhere'
      it.output.result(
        [
          `${found.name}${found.email ? ` <${found.email}>` : ' (service account)'}`,
          `  role      ${found.role}${found.state === 'off' ? ', switched off' : ''}`,
          `  groups    ${found.groups.map(({ name }) => name).join(', ') || 'none'}`,
          `  devices   ${found.devices}`,
          `  sessions  ${found.sessions}`,
          `  seen      ${seen}`,
          `  id        ${found.id}`,
        ],
        found,
      )
    })
}

function addChanging(user: Command, context: () => Context): void {
  user
    .command('role')
    .description('give another role; every device has to sign in again')
    .argument('<person>', WHO)
    .argument('<role>', ROLES)
    .addHelpText('after', examples(['kalnet user role grace@example.org admin', '']))
    .action(async (wanted: string, to: string) => {
      const it = context()
      const role = roleOf(to)
      const { id } = await findPerson(it, wanted)
      const changed = await it.api.call(peopleRoutes.role, { params: { id }, body: { role } })
      it.output.result(`${changed.name} is ${changed.role} now.`, changed)
    })
  const states: ['off' | 'on', string, (one: Person) => string][] = [
    [
      'off',
      'keeps everything, may do nothing; signed out everywhere within seconds',
      (one) => `${one.name} is switched off.`,
    ],
    ['on', 'may come in again', (one) => `${one.name} may come in again.`],
  ]
  for (const [state, description, said] of states)
    user
      .command(state)
      .description(description)
      .argument('<person>', WHO)
      .addHelpText('after', examples([`kalnet user ${state} grace@example.org`, '']))
      .action(async (wanted: string) => {
        const it = context()
        const { id } = await findPerson(it, wanted)
        const changed = await it.api.call(peopleRoutes[state], { params: { id }, body: {} })
        it.output.result(said(changed), changed)
      })
}

function addEnding(user: Command, context: () => Context): void {
  user
    .command('sign-out')
    .description('sign somebody out on every device')
    .argument('<person>', WHO)
    .addHelpText('after', examples(['kalnet user sign-out grace@example.org', 'a phone was lost']))
    .action(async (wanted: string) => {
      const it = context()
      const { id, name } = await findPerson(it, wanted)
      const { ended } = await it.api.call(peopleRoutes.signOut, { params: { id }, body: {} })
      it.output.result(`${name} is signed out on ${ended} device${ended === 1 ? '' : 's'}.`, { id, ended })
    })
  user
    .command('reset')
    .description('print a one-use link with which somebody sets a new password')
    .argument('<person>', WHO)
    .addHelpText('after', examples(['kalnet user reset grace@example.org', 'hand the link over yourself']))
    .action(async (wanted: string) => {
      const it = context()
      const { id, name } = await findPerson(it, wanted)
      const { link } = await it.api.call(peopleRoutes.reset, { params: { id }, body: {} })
      it.output.result(await linkLines(link, `With this link ${name} sets a new password:`), plainLink(link))
    })
  user
    .command('remove')
    .description('remove somebody for good, with all sessions')
    .argument('<person>', WHO)
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        ['kalnet user remove grace@example.org', 'asks first'],
        ['kalnet user off grace@example.org', 'if they may come back'],
      ),
    )
    .action(async (wanted: string, flags: { yes?: boolean }) => {
      const it = context()
      const { id, name } = await findPerson(it, wanted)
      const lost = `${name}, all sessions and everything in them is removed. This cannot be undone.`
      if (!flags.yes && !(await it.output.askWord(lost, name)))
        throw refused(
          lost,
          `Remove anyway: kalnet user remove ${id} --yes. Only keep out: kalnet user off ${id}.`,
        )
      await it.api.call(peopleRoutes.remove, { params: { id } })
      it.output.result(`${name} is removed.`, { id })
    })
  user
    .command('reset-owner')
    .description('print a one-use link with which the owner sets a new password')
    .option('--clear-factors', 'using the link also removes authenticator app, recovery codes and passkeys')
    .action(async (flags: { clearFactors?: boolean }) => {
      const { api, output } = context()
      const { link } = await api.call(localRoutes.resetOwner, {
        body: { clearFactors: flags.clearFactors === true },
      })
      output.result(['Open this link to set a new password. It works once:', '', `  ${link.url}`, ''], link)
    })
}
