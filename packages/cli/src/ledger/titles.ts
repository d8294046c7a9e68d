/** Finds which tests name which clauses, in their sources: `test('[SES-1.launch] …')`. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CLAUSE } from './requirements.ts'

export interface Naming {
  clause: string
  /** From the root of the tree. */
  file: string
  line: number
}

const ONE = CLAUSE.source
const BRACKETS = new RegExp(`\\[(${ONE}(?:[ ,]+${ONE})*)\\]`, 'g')

/** The clauses a title (or any text) names in brackets. */
export const clausesIn = (text: string): string[] =>
  [...text.matchAll(BRACKETS)].flatMap((match) => (match[1] ?? '').split(/[ ,]+/))

const SKIPPED = new Set(['node_modules', 'dist', 'generated', '.git', '.kalnet', 'results'])

async function* walk(root: string, folder: string, wanted: RegExp): AsyncGenerator<string> {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = folder ? `${folder}/${entry.name}` : entry.name
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) yield* walk(root, path, wanted)
    } else if (wanted.test(entry.name)) yield path
  }
}

async function namings(root: string, folder: string, wanted: RegExp): Promise<Naming[]> {
  const found: Naming[] = []
  for await (const file of walk(root, folder, wanted)) {
    const text = await readFile(join(root, file), 'utf8')
    for (const [index, line] of text.split('\n').entries())
      for (const clause of clausesIn(line)) found.push({ clause, file, line: index + 1 })
  }
  return found
}

/** The ledger's own tests name invented clauses; they prove none. */
const OWN = 'packages/cli/src/ledger/'

export const namedByTests = async (root: string): Promise<Naming[]> =>
  (await namings(root, '', /(\.test\.tsx?|\.conformance\.ts)$/)).filter(({ file }) => !file.startsWith(OWN))

/** Pages that claim a clause by naming it. */
export const namedByPages = (root: string): Promise<Naming[]> => namings(root, '', /\.md$/)
