/**
 * Where modules go that many pages share: what the first page needs is one file, what only other pages need is another,
 * which comes with the first of them. Else each new page that has a dialog would make the first visit heavier.
 */
import { join } from 'node:path'

interface Modules {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null
}
const SOURCE = join(import.meta.dirname, '../src')
const FIRST = ['main.tsx', 'home/home.tsx'].map((it) => join(SOURCE, it))
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

/** The name of the file for a shared module. One for each build: the modules are the same throughout it. */
export function sharedFile() {
  let first: Set<string> | undefined
  return (id: string, modules: Modules): string => {
    first ??= reachable(modules)
    return first.has(id) ? 'base' : 'more'
  }
}
