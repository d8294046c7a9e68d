/** `kalnet templates`: what can be launched; its subcommands are the kit of those who write templates. */
import { catalogRoutes } from '@kalnet/contracts/catalog'
import { nearest } from '@kalnet/server/core/nearest'
import type { Command } from 'commander'
import type { AddCommand } from '../context.ts'
import { size, table } from '../output.ts'
import { usage } from '../problem.ts'
import { addTemplatesKit } from './templates-kit.ts'

export const addTemplates: AddCommand = (program, context) => {
  const templates = program
    .command('templates')
    .description('what can be launched, and the kit to write more')
    // A word that is no subcommand comes here as well; commander would only count it.
    .allowExcessArguments()
    .action(async (_flags: object, command: Command) => {
      const [stranger] = command.args
      if (stranger !== undefined) throw unknown(stranger, templates)
      const { api, output } = context()
      const catalog = await api.call(catalogRoutes.list)
      const rows = catalog.items.map((entry) => [
        entry.id,
        entry.category,
        size(entry.memoryBytes),
        entry.platforms.join(', '),
        entry.summary,
      ])
      const problems = catalog.problems.map(({ file, problem }) => `${file}: ${problem}`)
      output.result(
        [...table(['template', 'kind', 'memory', 'platforms', 'what it is'], rows), ...problems],
        catalog,
      )
    })
  addTemplatesKit(templates, context)
}

function unknown(word: string, { commands }: Command) {
  const near = nearest(
    word,
    commands.map((one) => one.name()),
  )
  return usage(
    `There is no command templates ${word}.`,
    near ? `Did you mean ${near}?` : 'See `kalnet templates --help`.',
  )
}
