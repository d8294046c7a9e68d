/** An image recipe: Debian packages and files → one root file system that serves every platform. */
import { z } from 'zod'
import { slug } from './basics.ts'

const debianPackage = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'is not a Debian package name')
const absolute = z
  .string()
  .regex(/^\/[\w@%+=:,./-]*$/, 'is not an absolute path')
  .refine((path) => !path.split('/').includes('..'), 'must not contain ..')

export const recipeFile = z.strictObject({
  path: absolute,
  /** Octal, as a string: "0644". */
  mode: z
    .string()
    .regex(/^0[0-7]{3}$/)
    .default('0644'),
  content: z.string().max(64 * 1024),
})

/**
 * `remove` are globs inside the root deleted after installing (locales, drivers nobody needs).
 * `run` are argument arrays run inside the finished root, as its root (`["fc-cache", "-f"]`).
 */
export const recipe = z.strictObject({
  name: slug,
  suite: z.enum(['bookworm']).default('bookworm'),
  packages: z.array(debianPackage).max(200).default([]),
  files: z.array(recipeFile).max(50).default([]),
  remove: z
    .array(z.string().regex(/^\/[\w@%+=:,./*?-]+$/))
    .max(200)
    .default([]),
  run: z
    .array(z.array(z.string().max(500)).min(1))
    .max(20)
    .default([]),
})
export type RecipeLayer = z.infer<typeof recipe>

/** As it stands in `catalog/images/<name>/recipe.yaml`; `extends` names the recipe whose root it continues. */
export const recipeFileFormat = recipe.extend({ extends: slug.optional() })
export type RecipeFileFormat = z.infer<typeof recipeFileFormat>

/** As it travels in an instance spec: layers from the base outwards, whole, so that any controller can build it. */
export const recipeChain = z.array(recipe).min(1).max(6)
export type RecipeChain = z.infer<typeof recipeChain>

/** The chain of a named recipe, base first; throws in words where a name is missing, runs in a circle or is too deep. */
export function chainOf(name: string, recipes: ReadonlyMap<string, RecipeFileFormat>): RecipeChain {
  const chain: RecipeLayer[] = []
  const seen = new Set<string>()
  for (let next: string | undefined = name; next !== undefined; ) {
    if (seen.has(next)) throw new Error(`the recipe ${next} continues itself`)
    seen.add(next)
    const found = recipes.get(next)
    if (!found) throw new Error(`there is no recipe called ${next}`)
    const { extends: below, ...layer } = found
    chain.unshift(layer)
    next = below
  }
  return recipeChain.parse(chain)
}
