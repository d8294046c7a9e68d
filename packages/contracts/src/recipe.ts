/** An image recipe: Debian, npm and PyPI packages and files → one root file system that serves every platform. */
import { z } from 'zod'
import { slug } from './basics.ts'
import { exactly } from './loosened.ts'

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

/** A text that travels with the recipe: packed, because a lock file of a few hundred packages is in every message that holds it. */
export const packedText = z.strictObject({
  /** Of the text itself; the image's digest is made from this and not from how it was packed. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** gzip, as base64. */
  packed: z.base64().max(512 * 1024),
})
export type PackedText = z.infer<typeof packedText>

const npmPackage = z
  .string()
  .regex(/^(@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/, 'is not the name of an npm package')
/** Goes to `/opt/<recipe>/node_modules`, exactly as locked and checked by its hashes. */
const npmParts = {
  /** Packages of it whose install scripts run, inside the root; nobody else's do. */
  scripts: z.array(npmPackage).max(20).default([]),
}

/**
 * `remove` are globs inside the root deleted after installing (locales, drivers nobody needs).
 * `run` are argument arrays run inside the finished root, as its root (`["fc-cache", "-f"]`).
 */
export const recipe = exactly(
  z.strictObject({
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
    npm: z.strictObject({ ...npmParts, manifest: packedText, lock: packedText }).optional(),
    /** Goes into a virtual environment in `/opt/<recipe>`: wheels only, each with its hash. */
    pypi: z.strictObject({ requirements: packedText }).optional(),
  }),
)
export type RecipeLayer = z.infer<typeof recipe>

/** A recipe of a catalog; `extends` names the recipe whose root it continues. */
export interface NamedRecipe extends RecipeLayer {
  extends?: string | undefined
}

const beside = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,60}$/, 'is not the name of a file beside the recipe')
/** As it stands in `catalog/images/<name>/recipe.yaml`: locks are files beside it. */
export const recipeFileFormat = recipe.extend({
  extends: slug.optional(),
  npm: z
    .strictObject({
      ...npmParts,
      lock: beside.describe('package-lock.json with integrity hashes; a package.json lies beside it.'),
    })
    .optional(),
  pypi: z
    .strictObject({ requirements: beside.describe('A full pip freeze, each line with its --hash.') })
    .optional(),
})
export type RecipeFileFormat = z.infer<typeof recipeFileFormat>

/** As it travels in an instance spec: layers from the base outwards, whole, so that any controller can build it. */
export const recipeChain = z.array(recipe).min(1).max(6)
export type RecipeChain = z.infer<typeof recipeChain>

/** The chain of a named recipe, base first; throws in words where a name is missing, runs in a circle or is too deep. */
export function chainOf(name: string, recipes: ReadonlyMap<string, NamedRecipe>): RecipeChain {
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
