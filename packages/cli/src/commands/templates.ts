/** `kalnet templates`: what can be launched. */
import { catalogRoutes } from '@kalnet/contracts/catalog'
import type { AddCommand } from '../context.ts'
import { size, table } from '../output.ts'

export const addTemplates: AddCommand = (program, context) => {
  program
    .command('templates')
    .description('what can be launched')
    .action(async () => {
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
}
