/** `kalnet lookup`: where a service is now. */
import { type Found, registryRoutes } from '@kalnet/contracts/registry'
import type { AddCommand } from '../context.ts'
import { table } from '../output.ts'
import { usage } from '../problem.ts'

interface Flags {
  tag?: string
  capability?: string
}

const placeOf = ({ direct, tunnel }: Found['endpoints'][number]) =>
  direct
    ? `${direct.host.includes(':') ? `[${direct.host}]` : direct.host}:${direct.port}${direct.machine === null ? '' : ' (on its machine)'}`
    : tunnel
      ? 'through its machine'
      : '–'

export const addLookup: AddCommand = (program, context) => {
  program
    .command('lookup')
    .description('where a service is now')
    .argument('[name]', "the service's name")
    .option('--tag <tag>', 'every service with this tag')
    .option('--capability <capability>', 'every service that can be used for this, such as postgresql')
    .addHelpText(
      'after',
      `
Examples:
  kalnet lookup photos
  kalnet lookup --capability postgresql --json`,
    )
    .action(async (name: string | undefined, { tag, capability }: Flags) => {
      const { api, output } = context()
      if ([name, tag, capability].filter((it) => it !== undefined).length !== 1)
        throw usage('Ask by a name, or by one of --tag and --capability.')
      const found = await api.call(registryRoutes.lookup, { query: { name, tag, capability } })
      const rows = found.services.flatMap((service) =>
        service.endpoints.map((one) => [
          service.name,
          one.port,
          one.kind,
          placeOf(one),
          service.version ?? '–',
        ]),
      )
      output.result(
        rows.length === 0
          ? 'Nothing that can be used is there now.'
          : table(['service', 'port', 'kind', 'where', 'version'], rows),
        found,
      )
    })
}
