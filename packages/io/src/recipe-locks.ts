/** The lock files of a recipe as they travel in it: read and packed here, unpacked and checked where an image is built. */
import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { NamedRecipe, PackedText, RecipeFileFormat } from '@kalnet/contracts/recipe'

/** A lock file is about 150 KB; this is no lock file any more. */
const MOST_BYTES = 4 * 2 ** 20

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

export const packText = (text: string): PackedText => ({
  sha256: hashOf(text),
  packed: gzipSync(text, { level: 9 }).toString('base64'),
})

/** Throws when it is not what its hash says. */
export function unpackText(it: PackedText): string {
  const text = gunzipSync(Buffer.from(it.packed, 'base64'), { maxOutputLength: MOST_BYTES }).toString('utf8')
  if (hashOf(text) !== it.sha256) throw new Error('a lock file of the recipe is not what its hash says')
  return text
}

/** The recipe with its lock files in it; `read` gives the text of a file beside it. */
export function withLocks(
  { npm, pypi, ...rest }: RecipeFileFormat,
  read: (name: string) => string,
): NamedRecipe {
  return {
    ...rest,
    ...(npm && {
      npm: { scripts: npm.scripts, manifest: packText(read('package.json')), lock: packText(read(npm.lock)) },
    }),
    ...(pypi && { pypi: { requirements: packText(read(pypi.requirements)) } }),
  }
}
