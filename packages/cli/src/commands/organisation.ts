/** `kalnet organisation list|add`: more than one household or team on this installation. On this machine only. */
import { organisationKind, organisationRoutes } from '@kalnet/contracts/invitation'
import type { AddCommand } from '../context.ts'
import { linkLines, plainLink } from '../link.ts'
import { table } from '../output.ts'
import { usage } from '../problem.ts'

export const addOrganisation: AddCommand = (program, context) => {
  const organisation = program
    .command('organisation')
    .description('households and teams on this installation; none sees anything of another')
  organisation
    .command('list')
    .description('every organisation')
    .addHelpText('after', '\nExamples:\n  kalnet organisation list --json')
    .action(async () => {
      const { api, output } = context()
      const { items } = await api.call(organisationRoutes.list)
      const rows = items.map((one) => [
        one.name,
        one.kind,
        String(one.people),
        one.owners.join(', ') || 'waits for its first owner',
        one.id,
      ])
      output.result(
        rows.length === 0
          ? 'Nobody has claimed this Kalnet yet.'
          : table(['name', 'kind', 'people', 'owners', 'id'], rows),
        { items },
      )
    })
  organisation
    .command('add')
    .description('make one, and print the link with which its first owner joins; again: a new link')
    .argument('<name>')
    .option('--kind <kind>', 'household or team', 'household')
    .addHelpText('after', '\nExamples:\n  kalnet organisation add "The Rowing Club" --kind team')
    .action(async (name: string, flags: { kind: string }) => {
      const { api, output } = context()
      const kind = organisationKind.safeParse(flags.kind)
      if (!kind.success) throw usage(`An organisation is a household or a team, not a ${flags.kind}.`)
      const made = await api.call(organisationRoutes.add, { body: { name, kind: kind.data } })
      output.result(
        await linkLines(made.link, `With this link the first owner of ${made.organisation.name} joins:`),
        {
          ...made,
          link: plainLink(made.link),
        },
      )
    })
}
