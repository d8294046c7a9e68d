/** `kalnet guard …`: addresses behind a proxy that asks here who may pass. */
import { FORWARD_HEADERS, FORWARD_PATH, type ForwardRoute, forwardRoutes } from '@kalnet/contracts/forward'
import type { AddCommand, Context } from '../context.ts'
import { table } from '../output.ts'
import { allowedBy, collect, type WhoFlags, whoWords } from './apps.ts'
import { everything, meant, ROLES } from './people-found.ts'

const all = ({ api }: Context): Promise<ForwardRoute[]> =>
  everything<ForwardRoute>((after) => api.call(forwardRoutes.list, { query: { after, limit: 200 } }))

interface AddFlags extends WhoFlags {
  path: string
  public?: boolean
  appPasswords?: boolean
}
export const addGuard: AddCommand = (program, context) => {
  const guard = program
    .command('guard')
    .description('addresses behind a proxy that asks Kalnet who may pass (forward-auth)')
    .addHelpText(
      'after',
      `
Examples:
  kalnet guard add Printer printer.example.org --role member
  kalnet guard add Calendars dav.example.org --app-passwords
  kalnet guard add Hooks bell.example.org --path /hook --public
  kalnet guard traefik               what to write into Traefik`,
    )
  guard
    .command('list')
    .description('every guarded address')
    .addHelpText('after', '\nExamples:\n  kalnet guard list --json')
    .action(async () => {
      const it = context()
      const items = await all(it)
      const rows = items.map((one) => [
        one.name,
        one.host + (one.pathPrefix === '/' ? '' : one.pathPrefix),
        one.who === 'public' ? 'everybody, not signed in' : whoWords(one.allowed),
        one.appPasswords ? 'yes' : 'no',
      ])
      it.output.result(
        rows.length === 0
          ? 'No address is guarded.'
          : table(['name', 'address', 'who passes', 'app passwords'], rows),
        { items },
      )
    })
  guard
    .command('add')
    .description('guard an address')
    .argument('<name>', 'what people know it by')
    .argument('<host>', 'like printer.example.org, with a port where it has one')
    .option('--path <path>', 'from which path on', '/')
    .option('--public', 'everybody passes, without signing in')
    .option('--app-passwords', 'programs may show an app password')
    .option('--role <role>', `only these roles: ${ROLES}`, collect, [])
    .option('--group <group>', 'or whoever is in this group', collect, [])
    .addHelpText('after', '\nExamples:\n  kalnet guard add Printer printer.example.org --role member')
    .action(async (name: string, host: string, flags: AddFlags) => {
      const it = context()
      const made = await it.api.call(forwardRoutes.add, {
        body: {
          name,
          host,
          pathPrefix: flags.path,
          who: flags.public ? 'public' : 'people',
          appPasswords: flags.appPasswords ?? false,
          allowed: await allowedBy(it, flags),
        },
      })
      it.output.result(`${made.host} is guarded. Your proxy must ask: see \`kalnet guard traefik\`.`, made)
    })
  guard
    .command('remove')
    .description('guard it no more: nobody passes while the proxy still asks')
    .argument('<name>', 'its name, its id, or either end of the id')
    .addHelpText('after', '\nExamples:\n  kalnet guard remove Printer')
    .action(async (wanted: string) => {
      const it = context()
      const { id, name } = meant(await all(it), wanted, 'guarded address', 'kalnet guard list')
      await it.api.call(forwardRoutes.remove, { params: { id } })
      it.output.result(`${name} is not guarded any more.`, { id })
    })
  guard
    .command('traefik')
    .description('what to write into Traefik, so that it asks here')
    .argument('[address]', 'where Traefik reaches Kalnet', 'http://127.0.0.1:7400')
    .addHelpText('after', '\nExamples:\n  kalnet guard traefik https://kalnet.example.org')
    .action((address: string) => {
      const lines = [
        'http:',
        '  middlewares:',
        '    kalnet:',
        '      forwardAuth:',
        `        address: ${address.replace(/\/+$/, '')}${FORWARD_PATH}`,
        '        trustForwardHeader: false',
        '        # Traefik deletes what a client sent under these names and puts in what Kalnet says.',
        '        authResponseHeaders:',
        ...FORWARD_HEADERS.map((name) => `          - ${name}`),
      ]
      context().output.result(lines, { yaml: lines.join('\n') })
    })
}
