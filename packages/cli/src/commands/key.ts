/** `kalnet key …`: what programs sign in with. A key made here acts as the owner, or as a service account. */
import {
  KEY_DAYS,
  keyRoutes,
  OVERLAP_MINUTES,
  SCOPE_PRESETS,
  SCOPE_WORDS,
  type ServiceAccount,
  type ServiceKey,
} from '@kalnet/contracts/key'
import { type KeyScope, SCOPES } from '@kalnet/contracts/permission'
import { type Command, InvalidArgumentError } from 'commander'
import type { AddCommand, Context } from '../context.ts'
import { ago, table } from '../output.ts'
import { usage } from '../problem.ts'
import { addKeyAccounts } from './key-account.ts'
import { everything, meant } from './people-found.ts'

export const keyExamples = (...lines: [string, string][]) =>
  `\nExamples:\n${lines.map(([line, what]) => `  ${line.padEnd(54)} ${what}`.trimEnd()).join('\n')}`
const PRESETS = Object.keys(SCOPE_PRESETS) as (keyof typeof SCOPE_PRESETS)[]

export const allAccounts = ({ api }: Context): Promise<ServiceAccount[]> =>
  everything<ServiceAccount>((after) => api.call(keyRoutes.accounts, { query: { after, limit: 200 } }))
const allKeys = ({ api }: Context): Promise<ServiceKey[]> =>
  everything<ServiceKey>((after) => api.call(keyRoutes.all, { query: { after, limit: 200 } }))
export const findAccount = async (it: Context, wanted: string) =>
  meant(await allAccounts(it), wanted, 'service account', 'kalnet key account list')
async function findKey(it: Context, wanted: string): Promise<ServiceKey> {
  const all = await allKeys(it)
  const begins = all.filter((key) => wanted.startsWith(key.begins))
  return begins.length === 1 && begins[0] ? begins[0] : meant(all, wanted, 'key', 'kalnet key list')
}

const wholeNumber = (least: number, most: number) => (text: string) => {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
}
const collect = (text: string, before: string[]) => [...before, text]

function scopesOf({ preset, scope }: { preset?: string; scope: string[] }): KeyScope[] {
  const wrong = scope.find((it) => !(SCOPES as readonly string[]).includes(it))
  if (wrong) throw usage(`There is no scope ${wrong}.`, 'See `kalnet key scopes`.')
  if (preset && !(preset in SCOPE_PRESETS))
    throw usage(`There is no preset ${preset}.`, `The presets are ${PRESETS.join(', ')}.`)
  const chosen = preset ? SCOPE_PRESETS[preset as keyof typeof SCOPE_PRESETS].scopes : []
  const all = [...new Set([...chosen, ...(scope as KeyScope[])])]
  if (all.length === 0)
    throw usage(
      'Say what the key may do.',
      `Use --preset ${PRESETS.join('|')}, or --scope; see \`kalnet key scopes\`.`,
    )
  return all
}

const until = (key: ServiceKey) => key.expiresAt?.slice(0, 10) ?? 'never'
const shownOnce = (words: string, { key, token }: { key: ServiceKey; token: string }) => [
  words,
  '',
  `  ${token}`,
  '',
  `It acts as ${key.userName} until ${until(key)}, and is not shown again.`,
]

export const addKey: AddCommand = (program, context) => {
  const key = program
    .command('key')
    .description('service keys: what programs sign in with')
    .addHelpText(
      'after',
      keyExamples(
        ['kalnet key list', 'every key, whose it is, when it was last used'],
        ['kalnet key add backup --preset read', 'acts as you, may only look'],
        ['kalnet key add directory --preset scim --account Directory', 'acts as a service account'],
        ['kalnet key rotate backup --overlap 60', 'a new secret; the old one works for an hour'],
        ['kalnet key revoke backup', 'over, at once'],
      ),
    )
  addReading(key, context)
  addMaking(key, context)
  addKeyAccounts(key, context)
}

function addReading(key: Command, context: () => Context): void {
  key
    .command('list')
    .description('every key of this organisation')
    .addHelpText('after', keyExamples(['kalnet key list --json', 'for scripts']))
    .action(async () => {
      const it = context()
      const items = await allKeys(it)
      const now = it.clock.now()
      const rows = items.map((one) => [
        one.name,
        one.userName,
        until(one),
        one.lastUsedAt ? `${ago(new Date(one.lastUsedAt), now)} ago, ${one.lastUsedAddress ?? ''}` : 'never',
        one.begins,
        one.scopes.length === SCOPES.length ? 'everything' : one.scopes.join(' '),
      ])
      it.output.result(
        rows.length === 0
          ? 'There are no keys.'
          : table(['name', 'acts as', 'until', 'last used', 'begins with', 'may'], rows),
        { items },
      )
    })
  key
    .command('scopes')
    .description('what a key may be given')
    .action(() => {
      const presets = PRESETS.map((name) => ({ name, ...SCOPE_PRESETS[name] }))
      context().output.result(
        [
          ...table(
            ['preset', 'what', 'scopes'],
            presets.map((it) => [
              it.name,
              it.words,
              it.scopes.length === SCOPES.length ? 'all' : it.scopes.join(' '),
            ]),
          ),
          '',
          ...table(
            ['scope', 'what'],
            SCOPES.map((it) => [it, SCOPE_WORDS[it]]),
          ),
        ],
        { presets, scopes: SCOPES.map((name) => ({ name, words: SCOPE_WORDS[name] })) },
      )
    })
}

interface AddFlags {
  preset?: string
  scope: string[]
  days?: number
  never?: boolean
  account?: string
}
function addMaking(key: Command, context: () => Context): void {
  key
    .command('add')
    .description('make a key; it is shown once')
    .argument('<name>', 'what it is for')
    .option('--preset <preset>', PRESETS.join(', '))
    .option('--scope <scope>', 'one more thing it may; can be given several times', collect, [])
    .option(
      '--days <days>',
      `valid this long (${KEY_DAYS.usual}, at most ${KEY_DAYS.most})`,
      wholeNumber(1, KEY_DAYS.most),
    )
    .option('--never', 'never expires; better not')
    .option('--account <account>', 'acts as this service account instead of you')
    .addHelpText('after', keyExamples(['kalnet key add deploy --scope session.launch --days 30', '']))
    .action(async (name: string, flags: AddFlags) => {
      const it = context()
      const body = {
        name,
        scopes: scopesOf(flags),
        expiresInDays: flags.never ? null : (flags.days ?? KEY_DAYS.usual),
      }
      const made = flags.account
        ? await it.api.call(keyRoutes.makeForAccount, {
            params: { id: (await findAccount(it, flags.account)).id },
            body,
          })
        : await it.api.call(keyRoutes.make, { body })
      it.output.result(shownOnce(`The key ${name}:`, made), made)
    })
  key
    .command('rotate')
    .description('a new secret for the same key')
    .argument('<key>', 'its name, its beginning, or its id')
    .option(
      '--overlap <minutes>',
      `the old secret works this long still (${OVERLAP_MINUTES.usual}, at most ${OVERLAP_MINUTES.most})`,
      wholeNumber(0, OVERLAP_MINUTES.most),
    )
    .addHelpText(
      'after',
      keyExamples(['kalnet key rotate backup --overlap 0', 'the old one is over at once']),
    )
    .action(async (wanted: string, flags: { overlap?: number }) => {
      const it = context()
      const { id, name, userKind } = await findKey(it, wanted)
      // Of a person only the person gets the secret: here, the owner.
      const route = userKind === 'service' ? keyRoutes.rotate : keyRoutes.rotateMine
      const made = await it.api.call(route, {
        params: { id },
        body: { overlapMinutes: flags.overlap ?? OVERLAP_MINUTES.usual },
      })
      it.output.result(shownOnce(`The new secret of ${name}:`, made), made)
    })
  key
    .command('revoke')
    .description('end a key: what it holds open is cut')
    .argument('<key>', 'its name, its beginning, or its id')
    .addHelpText('after', keyExamples(['kalnet key revoke kal_3f9c0a1b2c3d', 'by its beginning']))
    .action(async (wanted: string) => {
      const it = context()
      const { id, name } = await findKey(it, wanted)
      await it.api.call(keyRoutes.revoke, { params: { id } })
      it.output.result(`${name} is revoked.`, { id })
    })
}
