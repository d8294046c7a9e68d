/** `kalnet cert …`: what names are served with: looked at, brought, ordered, renewed, revoked; and the authority that devices trust. */
import { type Certificate, certificateRoutes } from '@kalnet/contracts/certificate'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import type { Command } from 'commander'
import type { AddCommand, Context } from '../context.ts'
import { table } from '../output.ts'
import { failed, refused, usage } from '../problem.ts'
import { everything, meant } from './people-found.ts'

const WHICH = 'one of its names, its id, or either end of the id'
const LIST = 'kalnet cert ls'
const WAIT_MS = 5 * 60_000
const LOOK_MS = 1_000

const all = ({ api }: Context): Promise<Certificate[]> =>
  everything<Certificate>((after) => api.call(certificateRoutes.list, { query: { after, limit: 200 } }))

/** Of several for one name: the one that is served. */
async function find(it: Context, wanted: string): Promise<Certificate> {
  const found = await all(it)
  const named = found.filter((one) => one.names.includes(wanted.toLowerCase()))
  const served = named.filter((one) => one.state === 'valid' || one.state === 'expiring')
  const [only, second] = served.length > 0 ? served : named
  if (only && !second) return only
  if (only) throw usage(`More than one certificate is for ${wanted}.`, `Give the id: ${LIST}.`)
  const { id } = meant(
    found.map((one) => ({ id: one.id, name: one.names[0] ?? '' })),
    wanted,
    'certificate',
    LIST,
  )
  const one = found.find((each) => each.id === id)
  if (!one) throw usage(`There is no certificate ${wanted}.`, `See \`${LIST}\`.`)
  return one
}

const day = (at: string | null) => at?.slice(0, 10) ?? '–'
const SOURCES = { own: 'brought', acme: 'ordered', local: 'local authority' }
const detail = (one: Certificate): string[] =>
  [
    one.names.join(', '),
    '',
    `  state          ${one.state}${one.step ? `, at the step: ${one.step}` : ''}`,
    `  from           ${SOURCES[one.source]}${one.issuer ? `, given by ${one.issuer}` : ''}`,
    one.notAfter ? `  good           ${day(one.notBefore)} to ${day(one.notAfter)}` : '',
    one.keyType ? `  key            ${one.keyType}` : '',
    one.serial ? `  serial         ${one.serial}` : '',
    one.fingerprint ? `  SHA-256        ${one.fingerprint}` : '',
    one.challenge ? `  proved by      ${one.challenge}` : '',
    one.nextAt ? `  tried next     ${one.nextAt}` : '',
    one.problem ? `  problem        ${one.problem}` : '',
    `  id             ${one.id}`,
  ].filter((line, index) => line !== '' || index === 1)

export const addCert: AddCommand = (program, context) => {
  const cert = program
    .command('cert')
    .description('certificates: what names are served with, and the authority that devices trust')
    .addHelpText(
      'after',
      `
Examples:
  kalnet cert ls
  kalnet cert authority --out kalnet.crt            for a device that shall trust this house
  kalnet cert import photos.pem photos.key          one of your own
  kalnet cert order photos.example.org --agree      from Let's Encrypt, renewed by itself
  kalnet cert revoke photos.example.org`,
    )
  addReading(cert, context)
  addMaking(cert, context)
  addEnding(cert, context)
}

function addReading(cert: Command, context: () => Context): void {
  cert
    .command('ls')
    .description('every certificate, and what each name is served with')
    .addHelpText('after', '\nExamples:\n  kalnet cert ls\n  kalnet cert ls --json')
    .action(async () => {
      const it = context()
      const items = await all(it)
      const { items: hosts } = await it.api.call(certificateRoutes.hosts)
      const rows = items.map((one) => [
        one.names.join(' '),
        SOURCES[one.source],
        one.state,
        day(one.notAfter),
        one.id,
      ])
      const served = hosts.map((one) => [one.host, SOURCES[one.source], day(one.notAfter)])
      it.output.result(
        [
          ...(rows.length === 0
            ? ['No certificate was brought or ordered.']
            : table(['names', 'from', 'state', 'good until', 'id'], rows)),
          ...(served.length === 0 ? [] : ['', ...table(['name', 'served with', 'good until'], served)]),
        ],
        { items, hosts },
      )
    })
  cert
    .command('show')
    .description('all about one')
    .argument('<certificate>', WHICH)
    .addHelpText('after', '\nExamples:\n  kalnet cert show photos.example.org')
    .action(async (wanted: string) => {
      const it = context()
      const one = await find(it, wanted)
      it.output.result(detail(one), one)
    })
  cert
    .command('authority')
    .description("this house's own authority, which devices are told to trust")
    .option(
      '--out <file>',
      'write it there; ending in .der, .cer or .crt in the binary form that Windows and televisions take',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet cert authority\n  kalnet cert authority --out kalnet.pem      Linux, Firefox, Android\n  kalnet cert authority --out kalnet.crt      Windows, televisions',
    )
    .action(async (flags: { out?: string }) => {
      const { api, output } = context()
      const { authority } = await api.call(certificateRoutes.authority)
      if (!authority)
        throw refused(
          'There is no authority: https is switched off.',
          'Start with `kalnet up --lan`, or set tls.enabled.',
        )
      if (flags.out)
        await writeWhole(
          flags.out,
          /\.(der|cer|crt)$/.test(flags.out) ? Buffer.from(authority.der, 'base64') : authority.pem,
          0o644,
        )
      output.result(
        [
          authority.name,
          '',
          `  SHA-256        ${authority.fingerprint}`,
          `  good until     ${day(authority.notAfter)}`,
          ...(flags.out ? [`  written to     ${flags.out}`] : ['', ...authority.pem.trim().split('\n')]),
        ],
        authority,
      )
    })
}

async function fileOf(path: string): Promise<string> {
  const text = await readIfThere(path)
  if (text === null) throw usage(`There is no file ${path}.`)
  return text
}

/** Until it is there or was refused; what happens meanwhile is told. */
async function untilGiven(it: Context, first: Certificate, was: string | null): Promise<Certificate> {
  const end = it.clock.now().getTime() + WAIT_MS
  const done = await it.output.step(`Ordering ${first.names.join(', ')}`, async (say) => {
    for (let now = first; ; now = await it.api.call(certificateRoutes.read, { params: { id: first.id } })) {
      if ((now.state === 'valid' && now.serial !== was) || (now.step === null && now.problem)) return now
      if (it.clock.now().getTime() > end) return now
      say(now.problem ?? now.step ?? now.state)
      await it.clock.sleep(LOOK_MS, it.signal)
    }
  })
  if (done.problem)
    throw failed(`It was not given: ${done.problem}`, 'It is tried again by itself; see `kalnet cert ls`.')
  return done
}

function addMaking(cert: Command, context: () => Context): void {
  cert
    .command('import')
    .description('bring one of your own, with its chain and key (PEM)')
    .argument('<certificate>', 'file with the certificate and its chain')
    .argument('<key>', 'file with its key, not locked by a password')
    .addHelpText('after', '\nExamples:\n  kalnet cert import fullchain.pem privkey.pem')
    .action(async (certificate: string, key: string) => {
      const { api, output } = context()
      const body = { certificate: await fileOf(certificate), key: await fileOf(key) }
      const one = await api.call(certificateRoutes.import, { body })
      output.result(['Kept, and served from now on.', '', ...detail(one)], one)
    })
  cert
    .command('order')
    .description("order one from an authority of the internet (acme.directory, else Let's Encrypt)")
    .argument('<names...>', 'names it is made out to; *.example.org for all right below')
    .option('--dns', 'prove it by DNS instead of by http: for *., or when nobody can reach this house')
    .option('--agree', "agree to the authority's terms")
    .option('--no-wait', 'do not wait until it is there')
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet cert order photos.example.org music.example.org --agree\n  kalnet cert order "*.home.example.org" --dns --agree',
    )
    .action(async (names: string[], flags: { dns?: boolean; agree?: boolean; wait: boolean }) => {
      if (!flags.agree)
        throw usage('The authority has terms of use.', 'Read them on its page, then add --agree.')
      const it = context()
      const body = {
        names,
        challenge: flags.dns ? ('dns-01' as const) : ('http-01' as const),
        agree: true as const,
      }
      const made = await it.api.call(certificateRoutes.order, { body })
      const one = flags.wait ? await untilGiven(it, made, null) : made
      it.output.result(detail(one), one)
    })
  cert
    .command('renew')
    .description('order it again now; what there is stays until the new one is there')
    .argument('<certificate>', WHICH)
    .option('--no-wait', 'do not wait until it is there')
    .addHelpText('after', '\nExamples:\n  kalnet cert renew photos.example.org')
    .action(async (wanted: string, flags: { wait: boolean }) => {
      const it = context()
      const { id, serial } = await find(it, wanted)
      const made = await it.api.call(certificateRoutes.renew, { params: { id }, body: {} })
      const one = flags.wait ? await untilGiven(it, made, serial) : made
      it.output.result(detail(one), one)
    })
}

function addEnding(cert: Command, context: () => Context): void {
  cert
    .command('revoke')
    .description('tell the authority that it must not be trusted any more, and serve it no more')
    .argument('<certificate>', WHICH)
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet cert revoke photos.example.org      somebody may have its key',
    )
    .action(async (wanted: string) => {
      const it = context()
      const { id } = await find(it, wanted)
      const one = await it.api.call(certificateRoutes.revoke, { params: { id }, body: {} })
      it.output.result(`Revoked: ${one.names.join(', ')}.`, one)
    })
  cert
    .command('remove')
    .description('forget it with its key; the local authority takes over')
    .argument('<certificate>', WHICH)
    .addHelpText('after', '\nExamples:\n  kalnet cert remove photos.example.org')
    .action(async (wanted: string) => {
      const it = context()
      const { id, names } = await find(it, wanted)
      await it.api.call(certificateRoutes.remove, { params: { id } })
      it.output.result(`Forgotten: ${names.join(', ')}.`, { id })
    })
}
