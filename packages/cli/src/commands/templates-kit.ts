/** `kalnet templates new|lint|test|publish`: the kit of people who write templates. */
import { join, resolve } from 'node:path'
import { category } from '@kalnet/contracts/template'
import { lintCatalog } from '@kalnet/server/catalog/lint'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT, failed } from '../problem.ts'
import { chosen } from '../templates/chosen.ts'
import { writeTemplate } from '../templates/new.ts'
import { type Publication, publishTemplates } from '../templates/publish.ts'
import { ROOT } from '../tree.ts'
import { PLATFORMS, type TestFlags, testTemplates } from './templates-test.ts'

const CATALOG = join(ROOT, 'catalog')
const FOLDER = ['--catalog <folder>', 'the folder of the catalog', CATALOG] as const

interface NewFlags {
  catalog: string
  name?: string
  summary?: string
  category?: string
  package?: string[]
  command?: string[]
}
interface PublishFlags {
  catalog: string
  to: string
  branch?: string
  dryRun?: boolean
}
const examples = (...lines: string[]) => `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`

export function addTemplatesKit(templates: Command, context: () => Context): void {
  templates
    .command('new')
    .description('begin a template: its files, commented and valid at once')
    .argument('<id>', 'lower-case letters, digits and dashes')
    .option('--name <name>', 'what people read')
    .option('--summary <sentence>', 'what it is, in one sentence')
    .option('--category <category>', category.options.join(', '))
    .option('--package <name...>', 'Debian packages; without them a terminal to begin with')
    .option('--command <word...>', 'the program and its words; without them the first package')
    .option(...FOLDER)
    .addHelpText(
      'after',
      examples(
        'kalnet templates new paint --package tuxpaint --category design',
        'kalnet templates new notes --name "Notes" --summary "Write things down." --package mousepad',
      ),
    )
    .action((id: string, flags: NewFlags) => begin(context(), id, flags))
  templates
    .command('lint')
    .description('say everything that is wrong with templates and their recipes')
    .argument('[id...]', 'none: the whole catalog')
    .option(...FOLDER)
    .addHelpText('after', examples('kalnet templates lint', 'kalnet templates lint paint --json'))
    .action((ids: string[], flags: { catalog: string }) => lint(context(), ids, flags))
  templates
    .command('test')
    .description(
      'build the image, start it, wait for the first frame and keep its picture; a service: until it is well, and once more',
    )
    .argument('[id...]', 'none: the whole catalog')
    .option('--platform <platform>', PLATFORMS.join(', '), 'process')
    .option('--pictures <folder>', 'where pictures are kept; default: pictures, in the data folder')
    .option('--proof', 'note it in proved.json, so that the catalog shows it as proved')
    .option(...FOLDER)
    .addHelpText(
      'after',
      examples('kalnet templates test paint', 'kalnet templates test paint --platform docker --proof'),
    )
    .action((ids: string[], flags: TestFlags) => testTemplates(context(), ids, flags))
  templates
    .command('publish')
    .description('put templates, with the recipes below them and their proofs, into a git repository')
    .argument('<id...>', 'which')
    .requiredOption('--to <repository>', 'its address or folder, as git takes it: https, ssh or a path')
    .option('--branch <name>', 'default: the one that the repository begins with')
    .option('--dry-run', 'say what would change, and change nothing')
    .option(...FOLDER)
    .addHelpText(
      'after',
      examples(
        'kalnet templates publish paint --to git@git.example.org:club/templates.git',
        'kalnet templates publish paint notes --to /srv/git/templates.git --dry-run',
      ),
    )
    .action((ids: string[], flags: PublishFlags) => publish(context(), ids, flags))
}

async function begin(it: Context, id: string, flags: NewFlags): Promise<void> {
  const catalog = resolve(flags.catalog)
  const files = await writeTemplate(catalog, { ...flags, packages: flags.package, id })
  it.output.result(
    [
      ...files.map((file) => join(catalog, file)),
      '',
      'Edit them, then:',
      `  kalnet templates lint ${id}`,
      `  kalnet templates test ${id}`,
    ],
    { id, catalog, files },
  )
}

async function lint(it: Context, wanted: string[], flags: { catalog: string }): Promise<void> {
  const catalog = resolve(flags.catalog)
  const checked = await chosen(catalog, wanted)
  const problems = await lintCatalog(catalog, wanted.length > 0 ? checked : undefined)
  if (problems.length > 0) it.exit.code = EXIT.failed
  const count = (many: number, what: string) => `${many} ${what}${many === 1 ? '' : 's'}`
  it.output.result(
    problems.length === 0
      ? `${count(checked.length, 'template')} checked, nothing wrong.`
      : [
          ...problems.map(({ file, problem }) => `${join(catalog, file)}: ${problem}`),
          '',
          `${count(problems.length, 'problem')} in ${count(checked.length, 'template')} checked.`,
          '→ Mend them and lint again; docs/schema has both formats.',
        ],
    { checked, problems },
  )
}

const CHANGES: Record<Publication['change'], (it: Publication) => string> = {
  new: ({ version }) => `${version}, new`,
  raised: ({ version, before }) => `${version}, was ${before}`,
  same: ({ version }) => `${version}, there already`,
}

async function publish(it: Context, wanted: string[], flags: PublishFlags): Promise<void> {
  const catalog = resolve(flags.catalog)
  const ids = [...new Set(await chosen(catalog, wanted))]
  const [problem] = await lintCatalog(catalog, ids)
  if (problem)
    throw failed(
      `${join(catalog, problem.file)}: ${problem.problem}`,
      `Mend what \`kalnet templates lint ${ids.join(' ')}\` says first.`,
    )
  const { to, branch, dryRun = false } = flags
  const wish = { catalog, ids, to, branch, dryRun, signal: it.signal }
  const items = await it.output.step('Publishing', () => publishTemplates(wish))
  const touched = [...new Set(items.flatMap((one) => one.touched))]
  it.output.result(
    [
      ...items.map((one) => `${one.id} ${CHANGES[one.change](one)}`),
      ...(touched.length > 0
        ? ['', `Made of the same recipes, so changed with them: ${touched.join(', ')}.`]
        : []),
      ...(dryRun ? ['', 'Nothing was changed: --dry-run.'] : []),
    ],
    { items, published: !dryRun && items.some(({ change }) => change !== 'same') },
  )
}
