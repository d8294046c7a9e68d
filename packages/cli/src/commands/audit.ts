/** `kalnet audit`: what is claimed and proved of Kalnet itself. `kalnet audit list|export|verify`: who did what here, and that nobody changed it. */
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import {
  type AuditRow,
  type AuditSegment,
  auditRoutes,
  exportFormat,
  keeperRoutes,
  type Verified,
} from '@kalnet/contracts/audit'
import type { Command } from 'commander'
import type { AddCommand, Context } from '../context.ts'
import { audit } from '../ledger/audit.ts'
import { table } from '../output.ts'
import { CliProblem, EXIT, usage } from '../problem.ts'
import { ROOT } from '../tree.ts'
import { findPerson } from './people-found.ts'

const MARK = {
  proved: '✓',
  part: '~',
  open: '·',
  passed: '✓',
  failed: '✗',
  skipped: '~',
  'not run': '·',
} as const

export const addAudit: AddCommand = (program, context) => {
  const command = program
    .command('audit')
    .description(
      'who did what here (list, export, verify); alone: which requirements are proved, by which tests',
    )
    .addHelpText(
      'after',
      `
Alone it prints the ledger of requirements: a check for those who build Kalnet.

Examples:
  kalnet audit list --outcome refused                what was refused, newest first
  kalnet audit list --actor ada@example.org --text terminal
  kalnet audit export --format csv --output audit.csv
  kalnet audit verify                                is every chain whole? 1 when not
  kalnet audit verify kalnet-audit-2026-03-01.jsonl  is this file?`,
    )
    .action(() => printLedger(context()))
  addList(command, context)
  addExport(command, context)
  addVerify(command, context)
}

async function printLedger({ output, exit }: Context): Promise<void> {
  const { lines, problems } = await audit(ROOT)
  const words = lines.flatMap((line) => [
    `${MARK[line.state]} ${line.id}  ${line.what}  (${line.state}${line.commit ? `, ${line.commit.slice(0, 7)}` : ''})`,
    ...line.clauses.flatMap((clause) => [
      `  ${MARK[clause.state]} ${clause.clause}  ${clause.text}`,
      ...clause.tests.map((test) => `      ${MARK[test.result]} ${test.result}  ${test.file}  ${test.title}`),
    ]),
  ])
  const clauses = lines.flatMap((line) => line.clauses)
  const proved = clauses.filter(({ state }) => state === 'proved').length
  output.result([...words, '', `${proved} of ${clauses.length} clauses proved.`], lines)
  for (const problem of problems) output.note(problem)
  if (problems.length > 0) exit.code = EXIT.failed
}

interface FilterFlags {
  actor?: string
  action?: string
  object?: string
  outcome?: string
  from?: string
  to?: string
  text?: string
}
const withFilter = (command: Command): Command =>
  command
    .option('--actor <person>', 'who: an id, an e-mail address or a name')
    .option('--action <action>', 'what: session.launched, or session. for all that begins so')
    .option('--object <id>', 'about what')
    .option('--outcome <outcome>', 'done, refused, or one code such as permission.denied')
    .option('--from <time>', 'since: 2026-03-01 or 2026-03-01T08:00:00Z')
    .option('--to <time>', 'until')
    .option('--text <words>', 'words that its action, object, address or details begin with')

function timeOf(text: string | undefined, name: string): string | undefined {
  if (text === undefined) return undefined
  const time = new Date(text)
  if (Number.isNaN(time.getTime())) throw usage(`--${name} is a time such as 2026-03-01, not ${text}.`)
  return time.toISOString()
}
async function filterOf(it: Context, flags: FilterFlags) {
  const { actor, from, to, action, object, outcome, text } = flags
  return {
    actor: actor === undefined ? undefined : (await findPerson(it, actor)).id,
    from: timeOf(from, 'from'),
    to: timeOf(to, 'to'),
    action,
    object,
    outcome,
    text,
  }
}

const who = (row: AuditRow) =>
  row.userName ??
  (row.actorKind === 'local-cli' ? 'this machine' : row.actorKind === 'nobody' ? 'somebody' : '?')

const addList = (command: Command, context: () => Context) =>
  withFilter(command.command('list'))
    .description('what was done and refused, newest first')
    .option('--limit <number>', 'how many', '50')
    .action(async (flags: FilterFlags & { limit: string }) => {
      const it = context()
      const wanted = Number(flags.limit)
      if (!Number.isInteger(wanted) || wanted < 1)
        throw usage(`--limit is a number from 1, not ${flags.limit}.`)
      const filter = await filterOf(it, flags)
      const items: AuditRow[] = []
      let after: string | undefined
      do {
        const limit = Math.min(200, wanted - items.length)
        const page = await it.api.call(auditRoutes.list, {
          query: { ...filter, limit, after },
          signal: it.signal,
        })
        items.push(...page.items)
        after = page.next ?? undefined
      } while (after && items.length < wanted)
      const rows = items.map((row) => [
        row.at,
        row.seal ? row.seal.position : 'pending',
        who(row),
        row.action,
        row.outcome,
        row.address,
        row.objectName ?? row.object ?? '',
      ])
      it.output.result(
        rows.length === 0
          ? 'Nothing on record fits.'
          : table(['at', 'place', 'who', 'what', 'outcome', 'from', 'about'], rows),
        { items },
      )
    })

const addExport = (command: Command, context: () => Context) =>
  withFilter(command.command('export'))
    .description('the audit as a file: json (lines, can be verified), csv or cef')
    .option('--format <format>', exportFormat.options.join(', '), 'json')
    .option('--output <file>', 'where to; without it: standard output')
    .action(async (flags: FilterFlags & { format: string; output?: string }) => {
      const it = context()
      const format = exportFormat.safeParse(flags.format)
      if (!format.success) throw usage(`--format is one of ${exportFormat.options.join(', ')}.`)
      const query = { ...(await filterOf(it, flags)), format: format.data }
      const stream = await it.api.read(auditRoutes.export, { query, signal: it.signal })
      if (flags.output === undefined) return pipeline(stream, process.stdout, { end: false })
      await pipeline(stream, createWriteStream(flags.output, { mode: 0o600, flags: 'wx' }))
      it.output.result(`Written to ${flags.output}.`, { file: flags.output, format: format.data })
    })

const count = (value: number, one: string, many: string) => `${value} ${value === 1 ? one : many}`
const nameOf = (organisationId: string | null) =>
  organisationId === null ? 'the installation' : `organisation ${organisationId}`

const addVerify = (command: Command, context: () => Context) =>
  command
    .command('verify')
    .description('is every chain of the audit whole, or an exported file? Says where the first break is')
    .argument('[file]', 'an export in json; without it: the running Kalnet')
    .action(async (file: string | undefined) => {
      const it = context()
      if (file !== undefined) return verifyFile(it, file)
      const { items } = await it.output.step('Checking the audit', () =>
        it.api.call(keeperRoutes.verifyAll, { timeoutMs: 15 * 60_000, signal: it.signal }),
      )
      it.output.result(items.map(sentenceOf), { items })
      if (items.some((one) => one.break)) it.exit.code = EXIT.failed
    })

function sentenceOf(one: Verified): string {
  const name = nameOf(one.organisationId)
  if (one.break) {
    const { segment, position, message, problem } = one.break
    const where = [
      segment === null ? null : `segment ${segment}`,
      position === null ? null : `place ${position}`,
    ]
    return `✗ ${name}: ${message} (${[problem, ...where].filter(Boolean).join(', ')})`
  }
  const dropped = one.dropped > 0 ? `, ${one.dropped} dropped by age` : ''
  return `✓ ${name}: ${count(one.rows, 'row', 'rows')} in ${count(one.segments, 'segment', 'segments')}: whole${dropped}; ${one.pending} pending`
}

/** The heads that a running server vouches for; null when none runs: then only the file is checked. */
async function signedHeads(it: Context): Promise<AuditSegment[] | null> {
  try {
    return (await it.api.call(keeperRoutes.heads, { signal: it.signal })).items
  } catch (error) {
    if (error instanceof CliProblem && error.exit === EXIT.notRunning) return null
    throw error
  }
}

async function verifyFile(it: Context, file: string): Promise<void> {
  const heads = await signedHeads(it)
  // Only here: the other commands need nothing of it.
  const { checkFile } = await import('@kalnet/server/audit/file-check')
  const input = createReadStream(file, 'utf8')
  const opened = new Promise<void>((resolve, reject) =>
    input.once('open', () => resolve()).once('error', reject),
  )
  await opened
  const checked = await checkFile(createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }), heads)
  const found = checked.break
  if (found) {
    it.output.result(
      `✗ ${file}, line ${found.line}, ${nameOf(found.organisationId)}: ${found.message} (${found.problem})`,
      checked,
    )
    it.exit.code = EXIT.failed
    return
  }
  const compared =
    checked.compared === null
      ? 'Kalnet is not running here, so its heads were not compared.'
      : `${count(checked.compared, 'closed segment is as', 'closed segments are as')} this server signed.`
  it.output.result(
    [
      `✓ ${file}: ${count(checked.rows, 'row', 'rows')}: whole${checked.filtered ? ', each for itself' : ''}.`,
      compared,
    ],
    checked,
  )
}
