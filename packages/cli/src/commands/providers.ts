/** `kalnet providers list|show|add-openid|add-saml|on|off|test|remove`: identity providers people may sign in with. */
import { readFile } from 'node:fs/promises'
import type { MappingRule, Provider, ProviderCheck } from '@kalnet/contracts/federation'
import { mappedRole } from '@kalnet/contracts/federation'
import { providerRoutes } from '@kalnet/contracts/federation-routes'
import type { Command } from 'commander'
import type { AddCommand, Context } from '../context.ts'
import { table } from '../output.ts'
import { refused, usage } from '../problem.ts'
import { keyExamples } from './key.ts'
import { everything, meant } from './people-found.ts'

const WHICH = 'its name, its id, or either end of the id'
const collect = (text: string, before: string[]) => [...before, text]
const all = ({ api }: Context): Promise<Provider[]> =>
  everything<Provider>((after) => api.call(providerRoutes.list, { query: { after, limit: 200 } }))
const find = async (it: Context, wanted: string) =>
  meant(await all(it), wanted, 'provider', 'kalnet providers list')

/** What the provider's own settings want to know of us. */
const ours = (it: Provider): string[] =>
  it.kind === 'openid'
    ? [
        `  redirect address             ${it.callbackUrl}`,
        `  back-channel logout address  ${it.backchannelLogoutUrl}`,
      ]
    : [`  our metadata and entity id   ${it.ourMetadataUrl}`, `  answers go to (ACS)          ${it.acsUrl}`]
const said = ({ checks }: ProviderCheck) =>
  checks.map(({ what, state, text }) => `${{ good: '✓', warning: '!', bad: '✗' }[state]} ${what}: ${text}`)

/** `parents=admin`: a group there and the role it gives here, in the order given. */
function ruleOf(text: string): MappingRule {
  const at = text.lastIndexOf('=')
  const role = mappedRole.safeParse(text.slice(at + 1))
  if (at < 1 || !role.success)
    throw usage(
      `${text} is no rule.`,
      `Write a group there and a role: parents=${mappedRole.options.join('|')}.`,
    )
  return { group: text.slice(0, at), role: role.data }
}
const textOf = (path: string) =>
  readFile(path, 'utf8').catch(() => {
    throw usage(`${path} cannot be read.`, 'Give the path of a file.')
  })

interface Common {
  createPeople?: boolean
  defaultRole?: string
  rule: string[]
}
function commonOf({ createPeople = false, defaultRole = 'member', rule }: Common) {
  const role = mappedRole.safeParse(defaultRole)
  if (!role.success)
    throw usage(`There is no such role here: ${defaultRole}.`, `Take ${mappedRole.options.join(', ')}.`)
  return { createsPeople: createPeople, defaultRole: role.data, rules: rule.map(ruleOf) }
}
const withCommon = (command: Command) =>
  command
    .option('--create-people', 'new people may come in by it; without it only linked accounts do')
    .option('--default-role <role>', 'role of who comes in', 'member')
    .option('--rule <group=role>', 'what a group there gives here; the first that fits counts', collect, [])

function added(it: Context, made: Provider): void {
  const words = [`${made.name} is added, and off. Enter these at the provider:`, '', ...ours(made), '']
  it.output.result(
    [...words, `Then: kalnet providers test "${made.name}" && kalnet providers on "${made.name}"`],
    made,
  )
}

export const addProviders: AddCommand = (program, context) => {
  const providers = program
    .command('providers')
    .description('identity providers people may sign in with')
    .addHelpText(
      'after',
      keyExamples(
        ['kalnet providers list', 'which there are, on or off'],
        [
          'kalnet providers add-openid "Our school" --issuer https://login.example.org --client-id kalnet',
          '',
        ],
        ['kalnet providers add-saml Club --metadata-url https://idp.example.org/metadata', ''],
        ['kalnet providers test Club', 'look whether it answers as it should'],
        ['kalnet providers on Club', 'its button stands on the sign-in page'],
      ),
    )
  addReading(providers, context)
  addMaking(providers, context)
  addSwitching(providers, context)
}

function addReading(providers: Command, context: () => Context): void {
  providers
    .command('list')
    .description('every provider')
    .action(async () => {
      const it = context()
      const items = await all(it)
      const rows = items.map((one) => [
        one.name,
        one.kind === 'openid' ? 'OpenID Connect' : 'SAML',
        one.enabled ? 'on' : 'off',
        String(one.people),
        one.kind === 'openid' ? one.issuer : one.entityId,
        one.id,
      ])
      it.output.result(
        rows.length === 0
          ? 'There is no provider. Everybody signs in with Kalnet itself.'
          : table(['name', 'speaks', 'state', 'accounts', 'address', 'id'], rows),
        { items },
      )
    })
  providers
    .command('show')
    .description('what to enter at the provider')
    .argument('<provider>', WHICH)
    .action(async (wanted: string) => {
      const it = context()
      const one = await find(it, wanted)
      it.output.result([`${one.name}, ${one.enabled ? 'on' : 'off'}`, '', ...ours(one)], one)
    })
  providers
    .command('test')
    .description('look whether it answers as it should')
    .argument('<provider>', WHICH)
    .action(async (wanted: string) => {
      const it = context()
      const { id, name } = await find(it, wanted)
      const check = await it.api.call(providerRoutes.test, { params: { id }, body: {} })
      it.output.result(said(check), check)
      if (!check.good) throw refused(`${name} cannot work like this yet.`, 'See what is marked ✗ above.')
    })
}

function addMaking(providers: Command, context: () => Context): void {
  withCommon(
    providers
      .command('add-openid')
      .description('add an OpenID Connect provider, off until it is switched on')
      .argument('<name>', 'what stands on its button')
      .requiredOption('--issuer <address>', 'its issuer address')
      .requiredOption('--client-id <id>', 'the client id it gave you')
      .option(
        '--client-secret-file <path>',
        'a file that holds the client secret; without it a public client',
      )
      .option('--groups-claim <name>', 'where it lists groups', 'groups'),
  ).action(
    async (
      name: string,
      options: Common & { issuer: string; clientId: string; clientSecretFile?: string; groupsClaim: string },
    ) => {
      const it = context()
      const { issuer, clientId, clientSecretFile, groupsClaim } = options
      const clientSecret = clientSecretFile ? (await textOf(clientSecretFile)).trim() : undefined
      const body = {
        kind: 'openid',
        name,
        issuer,
        clientId,
        groupsClaim,
        clientSecret,
        ...commonOf(options),
      } as const
      added(it, await it.api.call(providerRoutes.add, { body }))
    },
  )
  withCommon(
    providers
      .command('add-saml')
      .description('add a SAML provider, off until it is switched on')
      .argument('<name>', 'what stands on its button')
      .option('--metadata-url <address>', 'where its metadata is')
      .option('--metadata-file <path>', 'a file that holds its metadata')
      .option('--groups-attribute <name>', 'where it lists groups', 'groups')
      .option('--email-attribute <name>', 'where it tells the e-mail address', 'email'),
  ).action(
    async (
      name: string,
      options: Common & {
        metadataUrl?: string
        metadataFile?: string
        groupsAttribute: string
        emailAttribute: string
      },
    ) => {
      const { metadataUrl, metadataFile, groupsAttribute, emailAttribute } = options
      if ((metadataUrl === undefined) === (metadataFile === undefined))
        throw usage('Its metadata is needed once.', 'Give either --metadata-url or --metadata-file.')
      const it = context()
      const metadata = metadataFile ? { xml: await textOf(metadataFile) } : { url: metadataUrl }
      const body = {
        kind: 'saml',
        name,
        metadata,
        groupsAttribute,
        emailAttribute,
        ...commonOf(options),
      } as const
      added(it, await it.api.call(providerRoutes.add, { body }))
    },
  )
}

function addSwitching(providers: Command, context: () => Context): void {
  for (const state of ['on', 'off'] as const)
    providers
      .command(state)
      .description(
        state === 'on'
          ? 'its button stands on the sign-in page'
          : 'nobody signs in by it; who came in by it is out',
      )
      .argument('<provider>', WHICH)
      .action(async (wanted: string) => {
        const it = context()
        const { id, name } = await find(it, wanted)
        const body = { enabled: state === 'on' }
        const after = await it.api.call(providerRoutes.change, { params: { id }, body })
        it.output.result(`${name} is ${state}.`, after)
      })
  providers
    .command('remove')
    .description('remove it with its linked accounts; people stay')
    .argument('<provider>', WHICH)
    .option('--yes', 'do not ask')
    .action(async (wanted: string, { yes = false }: { yes?: boolean }) => {
      const it = context()
      const { id, name, people } = await find(it, wanted)
      if (
        !yes &&
        people > 0 &&
        !(await it.output.ask(`${people} accounts are linked by ${name}. Remove it?`))
      )
        throw refused('Nothing was removed.', 'Say yes, or add --yes.')
      await it.api.call(providerRoutes.remove, { params: { id } })
      it.output.result(`${name} is removed.`, { id })
    })
}
