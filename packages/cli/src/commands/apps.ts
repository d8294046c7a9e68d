/** `kalnet apps …`: apps that sign people in with their account here. Addresses guarded for a proxy: `kalnet guard …`. */
import { type Allowed, type App, appRoutes } from '@kalnet/contracts/app'
import type { Command } from 'commander'
import type { AddCommand, Context } from '../context.ts'
import { table } from '../output.ts'
import { usage } from '../problem.ts'
import { everything, findGroups, meant, ROLES, roleOf } from './people-found.ts'

const WHICH = 'its name, its id, or either end of the id'
const allApps = ({ api }: Context): Promise<App[]> =>
  everything<App>((after) => api.call(appRoutes.list, { query: { after, limit: 200 } }))
const findApp = async (it: Context, wanted: string) =>
  meant(await allApps(it), wanted, 'app', 'kalnet apps list')

export const collect = (text: string, before: string[]) => [...before, text]
export interface WhoFlags {
  role: string[]
  group: string[]
}
export async function allowedBy(it: Context, { role, group }: WhoFlags): Promise<Allowed> {
  return { roles: role.map(roleOf), groups: (await findGroups(it, group)).map(({ id }) => id) }
}
export const whoWords = ({ roles, groups }: Allowed) =>
  [...roles, ...(groups.length > 0 ? [`${groups.length} groups`] : [])].join(' ') || 'everybody'

/** What an app must be told, one below the other. */
async function toldTo({ api }: Context, app: App, secret: string | null): Promise<string[]> {
  const { issuer } = await api.call(appRoutes.issuer)
  return [
    `  issuer         ${issuer}`,
    `  client id      ${app.clientId}`,
    ...(secret ? [`  client secret  ${secret}`] : []),
    ...app.redirectUris.map((uri) => `  return address ${uri}`),
  ]
}

export const addApps: AddCommand = (program, context) => {
  const apps = program
    .command('apps')
    .description('apps that sign people in with their account here (OpenID Connect)')
    .addHelpText(
      'after',
      `
Examples:
  kalnet apps list
  kalnet apps add Photos --redirect https://photos.example.org/callback
  kalnet apps add "Family chat" --redirect https://chat.example.org/_synapse/client/oidc/callback --trusted
  kalnet apps secret Photos          a new secret; the old one ends at once
  kalnet apps remove Photos`,
    )
  addReading(apps, context)
  addMaking(apps, context)
}

function addReading(apps: Command, context: () => Context): void {
  apps
    .command('list')
    .description('every app')
    .addHelpText('after', '\nExamples:\n  kalnet apps list --json')
    .action(async () => {
      const it = context()
      const items = await allApps(it)
      const rows = items.map((one) => [
        one.name,
        one.clientId,
        whoWords(one.allowed),
        one.trusted ? 'trusted' : 'asks first',
        one.redirectUris[0] ?? '',
      ])
      it.output.result(
        rows.length === 0
          ? 'There is no app.'
          : table(['name', 'client id', 'who', 'consent', 'returns to'], rows),
        { items },
      )
    })
  apps
    .command('show')
    .description('what an app must be told, without its secret')
    .argument('<app>', WHICH)
    .addHelpText('after', '\nExamples:\n  kalnet apps show Photos')
    .action(async (wanted: string) => {
      const it = context()
      const app = await findApp(it, wanted)
      it.output.result([app.name, '', ...(await toldTo(it, app, null))], app)
    })
}

interface AddFlags extends WhoFlags {
  redirect: string[]
  leave: string[]
  logout?: string
  public?: boolean
  trusted?: boolean
}
function addMaking(apps: Command, context: () => Context): void {
  apps
    .command('add')
    .description('register an app; its secret is shown once')
    .argument('<name>', 'what people know it by')
    .option('--redirect <address>', 'where it takes people back; can be given several times', collect, [])
    .option('--leave <address>', 'where it takes people after signing out', collect, [])
    .option('--logout <address>', 'told when a sign-in ends (back-channel logout)')
    .option('--public', 'it runs in a browser or on a phone, and keeps no secret')
    .option('--trusted', 'people are not asked')
    .option('--role <role>', `only these roles: ${ROLES}`, collect, [])
    .option('--group <group>', 'or whoever is in this group', collect, [])
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet apps add Photos --redirect https://photos.example.org/callback --role member',
    )
    .action(async (name: string, flags: AddFlags) => {
      if (flags.redirect.length === 0)
        throw usage(
          'Say where the app takes people back.',
          "Use --redirect; the app's manual has the address.",
        )
      const it = context()
      const { app, secret } = await it.api.call(appRoutes.add, {
        body: {
          name,
          redirectUris: flags.redirect,
          leaveUris: flags.leave,
          logoutUri: flags.logout ?? null,
          kind: flags.public ? 'public' : 'confidential',
          trusted: flags.trusted ?? false,
          allowed: await allowedBy(it, flags),
        },
      })
      const words = secret ? 'The secret is not shown again.' : 'It has no secret.'
      it.output.result([`${name} is registered. ${words}`, '', ...(await toldTo(it, app, secret))], {
        app,
        secret,
      })
    })
  apps
    .command('secret')
    .description('a new secret; the old one ends at once')
    .argument('<app>', WHICH)
    .addHelpText('after', '\nExamples:\n  kalnet apps secret Photos')
    .action(async (wanted: string) => {
      const it = context()
      const app = await findApp(it, wanted)
      const { secret } = await it.api.call(appRoutes.secret, { params: { id: app.id } })
      it.output.result(['The secret is not shown again.', '', ...(await toldTo(it, app, secret))], { secret })
    })
  apps
    .command('remove')
    .description('forget an app; everybody is signed out of it')
    .argument('<app>', WHICH)
    .addHelpText('after', '\nExamples:\n  kalnet apps remove Photos')
    .action(async (wanted: string) => {
      const it = context()
      const { id, name } = await findApp(it, wanted)
      await it.api.call(appRoutes.remove, { params: { id } })
      it.output.result(`${name} is forgotten.`, { id })
    })
  apps
    .command('rotate-keys')
    .description('sign with the next key from now on; apps still find the old one')
    .addHelpText('after', '\nExamples:\n  kalnet apps rotate-keys')
    .action(async () => {
      const { api, output } = context()
      const { keys } = await api.call(appRoutes.rotateKeys)
      output.result(`Signing with ${keys[0]}; ${keys.length} keys are published.`, { keys })
    })
}
