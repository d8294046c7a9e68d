/** `kalnet images list|build|push|warm|prune`: the root file systems that sessions and services run from. */
import type { ImageRecord } from '@kalnet/controller/images/images'
import { imagesInUse } from '@kalnet/controller/images/in-use'
import { rememberPushes } from '@kalnet/controller/images/oci/remembered'
import type { AddCommand, Context } from '../context.ts'
import { size, table } from '../output.ts'
import { refused } from '../problem.ts'
import { knownRecipes, openImages, wantedRecipes } from './images-found.ts'
import { addPush } from './images-push.ts'
import { addWarm } from './images-warm.ts'

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
  addPush(images, context)
  addWarm(images, context)
  images
    .command('prune')
    .description('remove what no recipe of the catalog needs any more')
    .option('--all', 'remove every image that no session runs from; the next launch builds it again')
    .action(async (flags: { all?: boolean }) => prune(context(), flags))
}

async function list(it: Context): Promise<void> {
  const images = openImages(it)
  const [{ chains }, built, pushes] = await Promise.all([
    knownRecipes(),
    images.list(),
    rememberPushes(images.folder).list(),
  ])
  const current = new Map([...chains].map(([name, chain]) => [images.digest(chain), name]))
  const there = new Set(built.map((one) => one.digest))
  const pushed = (digest: string) => pushes.filter((one) => one.image === digest).map((one) => one.reference)
  type Item = Partial<ImageRecord> & Pick<ImageRecord, 'digest' | 'name'> & { state: string }
  const found: Item[] = [
    ...built.map((one) => ({ ...one, state: current.has(one.digest) ? 'built' : 'outdated' })),
    ...[...current]
      .filter(([digest]) => !there.has(digest))
      .map(([digest, name]) => ({ digest, name, state: 'not built' })),
  ]
  const items = found.map((one) => ({ ...one, pushed: pushed(one.digest) }))
  const rows = items.map((one) => [
    one.name,
    one.state,
    one.sizeBytes === undefined ? '–' : size(one.sizeBytes),
    one.ownBytes === undefined ? '–' : size(one.ownBytes),
    String(one.packages ?? '–'),
    one.digest.slice(0, 12),
    one.pushed.join(' ') || '–',
  ])
  const head = ['image', 'state', 'size', 'own', 'packages', 'digest', 'in registries']
  it.output.result(table(head, rows), { items })
}

async function build(it: Context, wanted: string[]): Promise<void> {
  const images = openImages(it)
  const items: { name: string; digest: string; root: string }[] = []
  for (const [given, chain] of wantedRecipes(await knownRecipes(), wanted)) {
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
  const images = openImages(it)
  const inUse = await imagesInUse(it.folders)
  if (inUse.unknown.length > 0)
    throw refused(
      `Nothing was removed: ${sessions(inUse.unknown.length)} here, and it cannot be told from which image.`,
      'Stop what `kalnet sessions list` shows, or try again when it has started.',
    )
  const wanted = flags.all
    ? []
    : [...(await knownRecipes()).chains.values()].map((chain) => images.digest(chain))
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
