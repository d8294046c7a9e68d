/** Which recipes there are, and which of them a person means. */
import { join } from 'node:path'
import { chainOf, type RecipeChain } from '@kalnet/contracts/recipe'
import { recipesOf } from '@kalnet/contracts/template'
import { createImages, type Images } from '@kalnet/controller/images/images'
import { createLog } from '@kalnet/io/log'
import { readCatalog } from '@kalnet/server/catalog/source'
import { nearest } from '@kalnet/server/core/nearest'
import type { Context } from '../context.ts'
import { usage } from '../problem.ts'
import { ROOT } from '../tree.ts'

export const openImages = ({ folders }: Context): Images =>
  createImages({ folder: join(folders.data, 'images'), log: createLog('images', 'warn') })

export interface Known {
  /** Recipe name → its layers from the base outwards. */
  chains: Map<string, RecipeChain>
  /** Template id → the recipes of its parts. */
  templates: Map<string, readonly string[]>
}

export async function knownRecipes(): Promise<Known> {
  const files = await readCatalog(join(ROOT, 'catalog'))
  const chains = new Map([...files.recipes.keys()].map((name) => [name, chainOf(name, files.recipes)]))
  const templates = new Map(
    files.templates
      .map(({ template }) => [template.id, [...new Set(recipesOf(template))]] as const)
      .filter(([, recipes]) => recipes.length > 0),
  )
  return { chains, templates }
}

/** Recipes by their own name or by a template's; none named: those of every template. */
export function wantedRecipes(
  { chains, templates }: Known,
  wanted: readonly string[],
): [string, RecipeChain][] {
  const names =
    wanted.length > 0
      ? wanted.flatMap((given) => templates.get(given) ?? [given])
      : [...new Set([...templates.values()].flat())]
  return [...new Set(names)].map((given) => {
    const chain = chains.get(given)
    if (chain) return [given, chain]
    const near = nearest(given, [...chains.keys(), ...templates.keys()])
    throw usage(
      `There is no recipe or template ${given}.`,
      near ? `Did you mean ${near}?` : 'See `kalnet images list`.',
    )
  })
}
