/** What is wrong with templates and recipes, in words: the one lint of the catalog's test and of `kalnet templates lint`. */
import { admissionProblems } from '@kalnet/contracts/admission'
import { chainOf, type NamedRecipe } from '@kalnet/contracts/recipe'
import { type Answers, recipesOf, type Template, type TemplateInput } from '@kalnet/contracts/template'
import { resolveProblems, serviceProblems } from './lint-services.ts'
import { readProofs } from './proofs.ts'
import { resolveTemplate } from './resolve.ts'
import { type CatalogFiles, type CatalogProblem, readCatalog } from './source.ts'

const ENTRY = '/usr/lib/kalnet/session'
const ICON_BYTES = 4096
const SENTENCE = /^[A-Z].*\.$/
const FEWEST_KEYWORDS = 3
/** Nothing that runs, loads or hides: shapes, colours and a title. */
const SHAPES = /^(svg|title|rect|circle|ellipse|path|line|polyline|polygon|g)$/
const SHELL = /(^|\/)(ba|da|k|z)?sh$/

/** Words, names, numbers, passwords: what questions with a pattern ask for. */
const SAMPLES = ['sample', 'Sample-1234-sample', 'Sample1234sample', '1234']

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** An answer that a person could give, for a question that must be answered. */
function sampleOf(input: TemplateInput): Answers[string] {
  if (input.type === 'number') return 1
  if (input.type === 'boolean') return true
  if (input.type === 'choice') return input.choices?.[0] ?? ''
  if (input.type === 'url') return 'https://example.org'
  const fits = (text: string) => !input.pattern || new RegExp(`^(?:${input.pattern})$`, 'u').test(text)
  return SAMPLES.find(fits) ?? 'sample'
}

/** Answers for the questions that must be answered, so that a template can be tried. */
export const sampleAnswers = (template: Template): Answers =>
  Object.fromEntries(
    template.inputs
      .filter((input) => input.required && input.default === undefined)
      .map((input) => [input.name, sampleOf(input)]),
  )

/** Its recipe leads to a base, it resolves with nothing but what must be answered, and it is admitted. */
export function launchProblems(template: Template, recipes: CatalogFiles['recipes']): string[] {
  if (template.kind === 'service') return resolveProblems(template, recipes, sampleAnswers(template))
  if (template.inputs.some((input) => input.type === 'secret')) return ['inputs: only services keep a secret']
  try {
    const chain = 'recipe' in template.image ? chainOf(template.image.recipe, recipes) : null
    const spec = resolveTemplate(template, sampleAnswers(template), chain)
    const problems = admissionProblems(spec)
    if (chain && chain[0]?.name !== 'base')
      problems.push(`its recipe begins with ${chain[0]?.name}; it should lead to base (extends: display)`)
    if (chain && spec.command[0] !== ENTRY)
      problems.push(`command: its first word is not ${ENTRY}, which starts the screen`)
    return problems
  } catch (error) {
    return [wordsOf(error)]
  }
}

/** What people read of it. */
export function textProblems(template: Template): string[] {
  const problems: string[] = []
  if (!SENTENCE.test(template.summary))
    problems.push('summary: is not a sentence (a capital first, a full stop last)')
  if (template.keywords.length < FEWEST_KEYWORDS)
    problems.push(`keywords: ${FEWEST_KEYWORDS} or more, so that people find it`)
  const capitals = template.keywords.filter((word) => word !== word.toLowerCase())
  if (capitals.length > 0) problems.push(`keywords: not in lower case: ${capitals.join(', ')}`)
  return problems
}

/** A small picture of our own that runs and loads nothing. */
export function iconProblems(svg: string): string[] {
  const problems: string[] = []
  if (svg.length >= ICON_BYTES) problems.push(`is ${svg.length} bytes; ${ICON_BYTES} is the limit`)
  if (!/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 64 64"/.test(svg))
    problems.push('does not begin with <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"')
  const names = [...svg.matchAll(/<([A-Za-z:]+)/g)].map((match) => match[1] ?? '')
  const strangers = [...new Set(names.filter((name) => !SHAPES.test(name)))]
  if (strangers.length > 0) problems.push(`has more than shapes and a title: ${strangers.join(', ')}`)
  const unsafe = /\son\w+=|href|url\(|<!|<\?|style/.exec(svg)?.[0].trim()
  if (unsafe) problems.push(`could run or load something: ${unsafe}`)
  if (!svg.includes('rx="14"')) problems.push('has no ground with rounded corners: a rect with rx="14"')
  return problems
}

/** No shell reads what a person answered. */
export function shellProblems(template: Template): string[] {
  const words =
    template.kind === 'session'
      ? template.command
      : template.parts.flatMap(({ command, probe }) => [
          ...command,
          ...(probe?.kind === 'command' ? probe.command : []),
        ])
  const shells = words.filter((word) => SHELL.test(word) || word === '-c')
  return shells.length === 0
    ? []
    : [`command: a shell could read answers (${shells.join(' ')}); put a script into the recipe's files`]
}

export function recipeProblems(name: string, layer: NamedRecipe): string[] {
  const evals = layer.files.filter((file) => /\beval\b/.test(file.content))
  return [
    ...(layer.name === name ? [] : [`its name is ${layer.name} but its folder is called ${name}`]),
    ...evals.map((file) => `${file.path} uses eval: an answer could become a command`),
  ]
}

/** The names of a recipe and all below it, as far as they are there. */
function recipesBelow(name: string, recipes: CatalogFiles['recipes']): Set<string> {
  const seen = new Set<string>()
  for (let next: string | undefined = name; next && !seen.has(next); next = recipes.get(next)?.extends)
    seen.add(next)
  return seen
}

const folderOf = (file: string): string => file.split('/')[1] ?? ''

/** Every template the catalog has a folder for, readable or not. */
export const idsOf = (files: CatalogFiles): string[] => [
  ...new Set([
    ...files.templates.map(({ template }) => template.id),
    ...files.problems.filter(({ file }) => file.startsWith('templates/')).map(({ file }) => folderOf(file)),
  ]),
]

/** Everything wrong with these templates and the recipes they use; without ids with the whole catalog. */
export async function lintCatalog(root: string, ids?: readonly string[]): Promise<CatalogProblem[]> {
  const [files, proofs] = await Promise.all([readCatalog(root), readProofs(root)])
  const templates = files.templates.filter(({ template }) => !ids || ids.includes(template.id))
  // One that cannot be read names no recipe: then the one of its own name is looked at.
  const used = new Set(ids ?? files.recipes.keys())
  for (const { template } of templates)
    for (const recipe of recipesOf(template))
      for (const name of recipesBelow(recipe, files.recipes)) used.add(name)
  const isAsked = ({ file }: CatalogProblem) =>
    !ids || (file.startsWith('images/') ? used : new Set(ids)).has(folderOf(file))
  const say = (file: string, problems: string[]) => problems.map((problem) => ({ file, problem }))
  return [
    ...files.problems.filter(isAsked),
    ...[...files.recipes]
      .filter(([name]) => used.has(name))
      .flatMap(([name, layer]) => say(`images/${name}/recipe.yaml`, recipeProblems(name, layer))),
    ...templates.flatMap(({ template, icon }) => [
      ...say(`templates/${template.id}/template.yaml`, [
        ...textProblems(template),
        ...(template.kind === 'session'
          ? launchProblems(template, files.recipes)
          : serviceProblems(
              template,
              files.recipes,
              sampleAnswers(template),
              proofs.get(template.id) === template.version,
            )),
        ...shellProblems(template),
      ]),
      ...say(`templates/${template.id}/${template.icon}`, iconProblems(icon)),
    ]),
  ]
}
