/** `kalnet images list|build|prune`: the root file systems that sessions and services run from. */
import { join } from 'node:path'
import { chainOf, type RecipeChain } from '@kalnet/contracts/recipe'
import { recipesOf } from '@kalnet/contracts/template'
import { createImages, type ImageRecord } from '@kalnet/controller/images/images'
import { imagesInUse } from '@kalnet/controller/images/in-use'
import { createLog } from '@kalnet/io/log'
import { readCatalog } from '@kalnet/server/catalog/source'
import { nearest } from '@kalnet/server/core/nearest'
import type { AddCommand, Context } from '../context.ts'
import { size, table } from '../output.ts'
import { refused, usage } from '../problem.ts'
import { ROOT } from '../tree.ts'

export const addImages: AddCommand = (program, context) => {
  const images = program
    .command('images')
    .description('the root file systems that sessions and services run from')
  images
    .command('list')
    .description('built ones, and those that a recipe could build')
    .action(async () => list(context()))
  images
    .command('build')
    .description('build now what a first launch would build')
    .argument('[recipe...]', 'recipes or templates; none: those of every template')
    .action(async (wanted: string[]) => build(context(), wanted))
  images
    .command('prune')
    .description('remove what no recipe of the catalog needs any more')
    .option('--all', 'remove every image that no session runs from; the next launch builds it again')
    .action(async (flags: { all?: boolean }) => prune(context(), flags))
}

const open = ({ folders }: Context) =>
  createImages({ folder: join(folders.data, 'images'), log: createLog('images', 'warn') })

interface Known {
  /** Recipe name → its layers from the base outwards. */
  chains: Map<string, RecipeChain>
  /** Template id → the recipes of its parts. */
  templates: Map<string, readonly string[]>
}

async function known(): Promise<Known> {
  const files = await readCatalog(join(ROOT, 'catalog'))
  const chains = new Map([...files.recipes.keys()].map((name) => [name, chainOf(name, files.recipes)]))
  const templates = new Map(
    files.templates
      .map(({ template }) => [template.id, [...new Set(recipesOf(template))]] as const)
      .filter(([, recipes]) => recipes.length > 0),
  )
  return { chains, templates }
}

async function list(it: Context): Promise<void> {
  const images = open(it)
  const [{ chains }, built] = await Promise.all([known(), images.list()])
  const current = new Map([...chains].map(([name, chain]) => [images.digest(chain), name]))
  const there = new Set(built.map((one) => one.digest))
  type Item = Partial<ImageRecord> & Pick<ImageRecord, 'digest' | 'name'> & { state: string }
  const items: Item[] = [
    ...built.map((one) => ({ ...one, state: current.has(one.digest) ? 'built' : 'outdated' })),
    ...[...current]
      .filter(([digest]) => !there.has(digest))
      .map(([digest, name]) => ({ digest, name, state: 'not built' })),
  ]
  const rows = items.map((one) => [
    one.name,
    one.state,
    one.sizeBytes === undefined ? '–' : size(one.sizeBytes),
    one.ownBytes === undefined ? '–' : size(one.ownBytes),
    String(one.packages ?? '–'),
    one.digest.slice(0, 12),
  ])
  it.output.result(table(['image', 'state', 'size', 'own', 'packages', 'digest'], rows), { items })
}

async function build(it: Context, wanted: string[]): Promise<void> {
  const { chains, templates } = await known()
  const names =
    wanted.length > 0
      ? wanted.flatMap((given) => templates.get(given) ?? [given])
      : [...new Set([...templates.values()].flat())]
  const images = open(it)
  const items: { name: string; digest: string; root: string }[] = []
  for (const given of new Set(names)) {
    const chain = chains.get(given)
    if (!chain) {
      const near = nearest(given, [...chains.keys(), ...templates.keys()])
      throw usage(
        `There is no recipe or template ${given}.`,
        near ? `Did you mean ${near}?` : 'See `kalnet images list`.',
      )
    }
    const root = await it.output.step(`Building ${given}`, (say) =>
      images.ensureRoot(chain, it.signal, ({ text, share }) => say(`${text} ${Math.round(share * 100)} %`)),
    )
    items.push({ name: given, digest: images.digest(chain), root })
  }
  it.output.result(
    items.map((one) => `${one.name} is built (${one.digest.slice(0, 12)}).`),
    { items },
  )
}

async function prune(it: Context, flags: { all?: boolean }): Promise<void> {
  const images = open(it)
  const inUse = await imagesInUse(it.folders)
  if (inUse.unknown.length > 0)
    throw refused(
      `Nothing was removed: ${sessions(inUse.unknown.length)} here, and it cannot be told from which image.`,
      'Stop what `kalnet sessions list` shows, or try again when it has started.',
    )
  const wanted = flags.all ? [] : [...(await known()).chains.values()].map((chain) => images.digest(chain))
  const removed = await it.output.step('Removing', () =>
    images.prune(new Set([...wanted, ...inUse.digests]), it.signal),
  )
  const kept = (await images.list()).filter((one) => inUse.digests.has(one.digest))
  it.output.result(
    [
      `${removed.length} image${removed.length === 1 ? '' : 's'} removed.`,
      ...kept.map((one) => `${one.name} was kept with the layers below it: sessions run from it.`),
    ],
    { removed, inUse: kept.map((one) => one.digest) },
  )
}

const sessions = (count: number) => (count === 1 ? 'a session runs' : `${count} sessions run`)
