/** Plain manifests as one file, for those without helm; values are judged as helm would judge them. */
import { stringify } from 'yaml'
import type { Around } from './nodes.ts'
import { manifests } from './objects.ts'
import { clusterValues } from './values.ts'

/** Throws zod's error for values that do not exist or cannot be. */
export function plainFile(given: unknown, release: Around['release']): string {
  const values = clusterValues.parse(given)
  const documents = manifests(values, release).map((it) =>
    stringify(it, { lineWidth: 0, aliasDuplicateObjects: false }),
  )
  return `# Kalnet on a cluster. Made by \`kalnet render --kubernetes\`: what is changed by hand is lost with the next one.\n---\n${documents.join('---\n')}`
}
