/**
 * Where modules go that many pages share: what the first page needs is one file, what only other pages need is another,
 * which comes with the first of them. Else each new page that has a dialog would make the first visit heavier.
 */
import { join } from 'node:path'

interface Modules {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null
}
const SOURCE = join(import.meta.dirname, '../src')
/** Home asks for its services by itself, so they are of the first visit too. */
export const FIRST = ['main.tsx', 'home/home.tsx', 'home/services.tsx'].map((it) => join(SOURCE, it))
/** The catalogue of words names every file of it; only the common words belong to every page. */
const WORDS = join(SOURCE, 'messages/index.ts')
const COMMON_WORDS = join(SOURCE, 'messages/en.ts')

/** All that is imported, directly or by another, without waiting for a page. */
function reachable(modules: Modules): Set<string> {
  const found = new Set<string>()
  const look = (id: string) => {
    if (found.has(id)) return
    found.add(id)
    const imported = id === WORDS ? [COMMON_WORDS] : (modules.getModuleInfo(id)?.importedIds ?? [])
    imported.forEach(look)
  }
  FIRST.forEach(look)
  return found
}

/** How many pages share it at least: of the first visit everything, so that it comes in one file. */
export function sharedFiles() {
  let first: Set<string> | undefined
  const isFirst = (id: string, modules: Modules): boolean => {
    first ??= reachable(modules)
    return first.has(id)
  }
  return [
    { name: (id: string, modules: Modules) => (isFirst(id, modules) ? 'base' : null), minShareCount: 2 },
    { name: (id: string, modules: Modules) => (isFirst(id, modules) ? null : 'more'), minShareCount: 7 },
  ]
}
