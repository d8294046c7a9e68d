/** The name of an image is what it is made from: the same recipe chain gives the same digest everywhere. */
import { createHash } from 'node:crypto'
import type { ImageSource } from '@kalnet/contracts/instance'
import type { RecipeChain, RecipeLayer } from '@kalnet/contracts/recipe'

/** Raised when the builder itself makes something else of the same recipe. */
const BUILDER = 1

/** JSON with sorted keys, so that the order in a file means nothing. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  entries.sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`
}

/** Another zlib packs otherwise: what counts is the hash of the text. */
const withoutPacking = ({ npm, pypi, ...rest }: RecipeLayer) => ({
  ...rest,
  npm: npm && { ...npm, manifest: npm.manifest.sha256, lock: npm.lock.sha256 },
  pypi: pypi?.requirements.sha256,
})

/** 64 hexadecimal digits. Every prefix of a chain has its own: that is how layers are shared. */
export const digestOf = (chain: RecipeChain): string =>
  createHash('sha256')
    .update(`kalnet-image ${BUILDER}\n${canonical(chain.map(withoutPacking))}`)
    .digest('hex')

/** Of every prefix, base first: what the root of the whole chain consists of. */
export const digestsOf = (chain: RecipeChain): string[] =>
  chain.map((_, index) => digestOf(chain.slice(0, index + 1)))

/** What a controller calls the parts of an image that it has, the whole last. Somebody else's image is known by its reference alone. */
export const imageParts = (image: ImageSource): string[] =>
  'recipe' in image ? digestsOf(image.recipe) : [image.reference]
