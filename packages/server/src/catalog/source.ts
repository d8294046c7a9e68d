/** Reads the catalog's files: templates and recipes, or problems in words. Nothing is thrown for one bad file. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type NamedRecipe, type RecipeFileFormat, recipeFileFormat } from '@kalnet/contracts/recipe'
import { type Template, template } from '@kalnet/contracts/template'
import { readIfThere } from '@kalnet/io/files'
import { withLocks } from '@kalnet/io/recipe-locks'
import { z } from 'zod'
import { lockProblem } from './locks.ts'
import { parseYaml, sayProblems, type Where } from './yaml.ts'

export interface CatalogProblem {
  file: string
  problem: string
}
export interface CatalogFiles {
  templates: { template: Template; icon: string }[]
  /** By name; `extends` names the layer below. */
  recipes: Map<string, NamedRecipe>
  problems: CatalogProblem[]
}

type Read<T> = { value: T; where: Where } | { problem: string }

async function readYaml<T extends z.ZodType>(file: string, schema: T): Promise<Read<z.infer<T>>> {
  const size = await stat(file).then(
    (found) => found.size,
    () => -1,
  )
  if (size < 0) return { problem: 'the file is missing' }
  if (size > 256 * 1024) return { problem: 'the file is larger than 256 KiB' }
  const parsed = parseYaml(await readFile(file, 'utf8'))
  if ('problem' in parsed) return parsed
  const checked = schema.safeParse(parsed.data)
  return checked.success
    ? { value: checked.data, where: parsed.where }
    : { problem: sayProblems(checked.error, parsed.where) }
}

const foldersIn = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

/** A template may start from another one: its own fields win, one level at a time, no circles. */
async function readTemplate(root: string, id: string): Promise<{ value: Template } | { problem: string }> {
  let merged: Record<string, unknown> = {}
  let where: Where = () => ''
  const seen = new Set<string>()
  for (let current: string | undefined = id; current; ) {
    if (seen.has(current)) return { problem: `extends goes in a circle at ${current}` }
    seen.add(current)
    const read: Read<Record<string, unknown>> = await readYaml(
      join(root, 'templates', current, 'template.yaml'),
      z.record(z.string(), z.unknown()),
    )
    if ('problem' in read) return current === id ? read : { problem: `extends ${current}: ${read.problem}` }
    if (current === id) where = read.where
    merged = { ...read.value, ...merged }
    current = typeof read.value.extends === 'string' ? read.value.extends : undefined
  }
  const checked = template.safeParse(merged)
  if (!checked.success) return { problem: sayProblems(checked.error, where) }
  return checked.data.id === id
    ? { value: checked.data }
    : { problem: `its id is ${checked.data.id} but its folder is called ${id}` }
}

/** With its lock files; answers what is wrong with them. */
async function addRecipe(
  { recipes }: CatalogFiles,
  folder: string,
  file: RecipeFileFormat,
): Promise<string | null> {
  const names = [
    ...(file.npm ? ['package.json', file.npm.lock] : []),
    ...(file.pypi ? [file.pypi.requirements] : []),
  ]
  const texts = new Map<string, string>()
  for (const name of names) {
    const text = await readIfThere(join(folder, name))
    if (text === null) return `${name} is missing beside it`
    const problem = lockProblem(name, text)
    if (problem) return `${name}: ${problem}`
    texts.set(name, text)
  }
  recipes.set(
    basename(folder),
    withLocks(file, (name) => texts.get(name) ?? ''),
  )
  return null
}

export async function readCatalog(root: string): Promise<CatalogFiles> {
  const result: CatalogFiles = { templates: [], recipes: new Map(), problems: [] }
  for (const name of await foldersIn(join(root, 'images'))) {
    const file = join('images', name, 'recipe.yaml')
    const read = await readYaml(join(root, file), recipeFileFormat)
    const problem =
      'problem' in read ? read.problem : await addRecipe(result, join(root, 'images', name), read.value)
    if (problem) result.problems.push({ file, problem })
  }
  for (const id of await foldersIn(join(root, 'templates'))) {
    const file = join('templates', id, 'template.yaml')
    const read = await readTemplate(root, id)
    if ('problem' in read) {
      result.problems.push({ file, problem: read.problem })
      continue
    }
    const icon = await readIfThere(join(root, 'templates', id, read.value.icon))
    if (icon === null) result.problems.push({ file, problem: `its icon ${read.value.icon} is missing` })
    else result.templates.push({ template: read.value, icon })
  }
  return result
}
