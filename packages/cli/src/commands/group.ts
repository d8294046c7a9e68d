/** `kalnet group …`: groups of people. */
import { groupRoutes } from '@kalnet/contracts/people'
import type { Command } from 'commander'
import type { AddCommand, Context } from '../context.ts'
import { table } from '../output.ts'
import { refused, usage } from '../problem.ts'
import { allGroups, allPeople, findGroup, findPerson, WHICH_GROUP } from './people-found.ts'

export const addGroup: AddCommand = (program, context) => {
  const group = program
    .command('group')
    .description('groups of people')
    .addHelpText(
      'after',
      `
Examples:
  kalnet group add Kids
  kalnet group members Kids +max@example.org -grace@example.org`,
    )
  group
    .command('list')
    .description('every group')
    .addHelpText('after', '\nExamples:\n  kalnet group list --json')
    .action(async () => {
      const it = context()
      const items = await allGroups(it)
      it.output.result(
        items.length === 0
          ? 'There is no group.'
          : table(
              ['name', 'people', 'id'],
              items.map((one) => [one.name, String(one.members), one.id]),
            ),
        { items },
      )
    })
  group
    .command('add')
    .description('make a group')
    .argument('<name>')
    .addHelpText('after', '\nExamples:\n  kalnet group add Kids')
    .action(async (name: string) => {
      const { api, output } = context()
      const made = await api.call(groupRoutes.add, { body: { name } })
      output.result(`The group ${made.name} is there.`, made)
    })
  group
    .command('rename')
    .description('give it another name')
    .argument('<group>', WHICH_GROUP)
    .argument('<name>', 'the new one')
    .addHelpText('after', '\nExamples:\n  kalnet group rename Kids Children')
    .action(async (wanted: string, name: string) => {
      const it = context()
      const { id } = await findGroup(it, wanted)
      const changed = await it.api.call(groupRoutes.change, { params: { id }, body: { name } })
      it.output.result(`It is called ${changed.name} now.`, changed)
    })
  addMembers(group, context)
  group
    .command('remove')
    .description('remove a group; its people stay')
    .argument('<group>', WHICH_GROUP)
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nExamples:\n  kalnet group remove Kids --yes')
    .action(async (wanted: string, flags: { yes?: boolean }) => {
      const it = context()
      const { id, name, members } = await findGroup(it, wanted)
      if (
        members > 0 &&
        !flags.yes &&
        !(await it.output.ask(`${members} people are in ${name}. Remove the group?`))
      )
        throw refused(
          `${members} people are in ${name}.`,
          `Remove it anyway: kalnet group remove ${name} --yes`,
        )
      await it.api.call(groupRoutes.remove, { params: { id } })
      it.output.result(`The group ${name} is removed.`, { id })
    })
}

function addMembers(group: Command, context: () => Context): void {
  group
    .command('members')
    .description('who is in it; `+who` puts somebody in, `-who` out')
    .argument('<group>', WHICH_GROUP)
    .argument('[change...]', '`+e-mail` or `-e-mail`, or a name')
    .allowUnknownOption()
    .addHelpText(
      'after',
      `
Examples:
  kalnet group members Kids                          who is in it
  kalnet group members Kids +max@example.org -grace  puts one in and one out`,
    )
    .action(async (wanted: string, changes: string[]) => {
      const it = context()
      const { id } = await findGroup(it, wanted)
      if (changes.length > 0) {
        const wrong = changes.find((change) => !/^[+-]./.test(change))
        if (wrong) throw usage(`Write +${wrong} or -${wrong}.`, 'See `kalnet group members --help`.')
        const ids = (sign: '+' | '-') =>
          Promise.all(
            changes
              .filter((change) => change.startsWith(sign))
              .map(async (change) => (await findPerson(it, change.slice(1))).id),
          )
        const body = { add: await ids('+'), remove: await ids('-') }
        await it.api.call(groupRoutes.change, { params: { id }, body })
      }
      const items = await allPeople(it, { group: id })
      it.output.result(
        items.length === 0
          ? 'Nobody is in it.'
          : table(
              ['name', 'e-mail', 'role'],
              items.map((one) => [one.name, one.email ?? '(service account)', one.role]),
            ),
        { items },
      )
    })
}
