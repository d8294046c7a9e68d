/** Puts templates, with all they are made of, into a git repository that is a catalog of its own: whole or not at all. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recipesOf } from '@kalnet/contracts/template'
import { readIfThere } from '@kalnet/io/files'
import { lintCatalog } from '@kalnet/server/catalog/lint'
import { type CatalogFiles, readCatalog } from '@kalnet/server/catalog/source'
import { failed, refused } from '../problem.ts'
import { openRepository, type Repository } from './repository.ts'

export interface Publication {
  id: string
  version: string
  /** Null: it was not there. */
  before: string | null
  change: 'new' | 'raised' | 'same'
  /** Others in the repository that are made of a recipe that changes with it. */
  touched: string[]
}
interface Wish {
  catalog: string
  ids: readonly string[]
  /** An address or a folder, as git takes them. */
  to: string
  branch?: string | undefined
  dryRun: boolean
  signal: AbortSignal
}

/** Somebody else may publish at the same moment; then it is looked at afresh. */
const ATTEMPTS = 3

export async function publishTemplates(wish: Wish): Promise<Publication[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-publish-'))
  try {
    for (let attempt = 1; ; attempt += 1) {
      const repository = await openRepository({ ...wish, folder: join(folder, String(attempt)) })
      const done = await placeAll(wish, repository.folder)
      const changed = done.filter(({ change }) => change !== 'same')
      if (changed.length === 0 || wish.dryRun) return done
      const words = changed.map(({ id, version }) => `${id} ${version}`).join(', ')
      if (await send(repository, `Publish ${words}`)) return done
      if (attempt === ATTEMPTS)
        throw failed('Others publish there at the same time.', 'Nothing was changed; try again in a moment.')
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function send(repository: Repository, message: string): Promise<boolean> {
  await repository.commit(message)
  return repository.push()
}

/** The folders of a recipe and of all below it. */
function layersOf(recipe: string, recipes: CatalogFiles['recipes']): string[] {
  const layers = new Set<string>()
  for (let name: string | undefined = recipe; name && !layers.has(`images/${name}`); ) {
    layers.add(`images/${name}`)
    name = recipes.get(name)?.extends
  }
  return [...layers]
}

/** `templates/…` and `images/…` that one consists of: those it starts from, and every layer below. */
async function partsOf(catalog: string, { templates, recipes }: CatalogFiles, id: string): Promise<string[]> {
  const parts = new Set<string>()
  for (let next: string | undefined = id; next && !parts.has(`templates/${next}`); ) {
    parts.add(`templates/${next}`)
    const text: string = (await readIfThere(join(catalog, 'templates', next, 'template.yaml'))) ?? ''
    next = /^extends:\s*["']?([a-z0-9-]+)/m.exec(text)?.[1]
  }
  const its = templates.find(({ template }) => template.id === id)?.template
  for (const recipe of its ? recipesOf(its) : [])
    for (const layer of layersOf(recipe, recipes)) parts.add(layer)
  return [...parts]
}

async function placeAll({ catalog, ids }: Wish, target: string): Promise<Publication[]> {
  const [ours, theirs] = await Promise.all([readCatalog(catalog), readCatalog(target)])
  const done: Publication[] = []
  for (const id of ids) {
    const version = ours.templates.find(({ template }) => template.id === id)?.template.version ?? ''
    const before = theirs.templates.find(({ template }) => template.id === id)?.template.version ?? null
    const parts = await partsOf(catalog, ours, id)
    const different: string[] = []
    for (const part of parts)
      if ((await textOf(join(catalog, part))) !== (await textOf(join(target, part)))) different.push(part)
    const change = before === null ? 'new' : different.length > 0 ? 'raised' : 'same'
    if (change === 'raised' && !isHigher(version, before ?? ''))
      throw refused(
        `${id} ${before} is published there, and what is here is something else: ${different.join(', ')}.`,
        `Raise \`version\` of ${id} above ${before}, then publish again. Nothing was changed.`,
      )
    const touched = theirs.templates
      .filter(({ template }) => !ids.includes(template.id))
      .filter(({ template }) =>
        recipesOf(template).some((name) =>
          layersOf(name, theirs.recipes).some((layer) => different.includes(layer)),
        ),
      )
    for (const part of different) await replace(join(catalog, part), join(target, part))
    done.push({ id, version, before, change, touched: touched.map(({ template }) => template.id) })
  }
  await takeProofs(catalog, target, done)
  const [problem] = await lintCatalog(target, ids)
  if (problem)
    throw failed(
      `${problem.file} would not be valid there: ${problem.problem}`,
      '`kalnet templates lint` says the same of the catalog here.',
    )
  return done
}

/** Of a folder without folders; empty where there is none. */
async function textOf(folder: string): Promise<string> {
  const names = (await readdir(folder).catch(() => [])).sort()
  const texts = await Promise.all(
    names.map(async (name) => [name, await readFile(join(folder, name), 'base64')]),
  )
  return JSON.stringify(texts)
}

async function replace(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true })
  await mkdir(join(to, '..'), { recursive: true })
  await cp(from, to, { recursive: true, verbatimSymlinks: true })
}

/** That a version was seen to work goes with it; that another one was does not stay. */
async function takeProofs(catalog: string, target: string, done: readonly Publication[]): Promise<void> {
  const read = async (folder: string) =>
    JSON.parse((await readIfThere(join(folder, 'proved.json'))) ?? '{}') as Record<
      string,
      { version: string }
    >
  const [ours, theirs] = await Promise.all([read(catalog), read(target)])
  const before = JSON.stringify(theirs)
  for (const { id, version } of done) {
    const proof = ours[id]
    if (proof?.version === version) theirs[id] = proof
    else if (theirs[id]?.version !== version) delete theirs[id]
  }
  if (JSON.stringify(theirs) !== before)
    await writeFile(join(target, 'proved.json'), `${JSON.stringify(theirs, null, 2)}\n`)
}

/** Both as `1.2.3`. */
function isHigher(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split('.').map(Number))
  for (const [index, part] of (one ?? []).entries())
    if (part !== (other?.[index] ?? 0)) return part > (other?.[index] ?? 0)
  return false
}
