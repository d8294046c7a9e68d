/** The import law holds in the whole tree, and the law itself catches what it should. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importsOf, LINES, problemsOf, type SourceFile } from './boundaries.ts'

const root = import.meta.dirname
const SKIPPED = new Set(['node_modules', 'dist', 'generated'])

function* sources(folder: string): Generator<SourceFile> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) yield* sources(path)
    } else if (/\.tsx?$/.test(entry.name)) yield { path, text: readFileSync(join(root, path), 'utf8') }
  }
}
const tree = [...sources('packages')]

test('every file keeps the import law', () => {
  const broken = tree.flatMap((file) => problemsOf(file).map((problem) => `${file.path}: ${problem}`))
  expect(broken).toEqual([])
})

test('every file says first why it exists', () => {
  const silent = tree
    .filter((file) => !/^(#![^\n]*\n)?\/(\*\*|\/)/.test(file.text) && !/\.(d|test)\.tsx?$/.test(file.path))
    .map((file) => file.path)
  expect(silent).toEqual([])
})

test('long files are few', () => {
  const long = tree.filter(
    (file) => !/\.test\.tsx?$/.test(file.path) && file.text.split('\n').length > LINES.wantsReason,
  )
  expect(long.length, long.map((file) => file.path).join(', ')).toBeLessThanOrEqual(5)
})

const at = (path: string, text: string) => problemsOf({ path: `packages/${path}`, text })
const cases: [string, string, string, RegExp | null][] = [
  [
    'contracts import nothing of ours',
    'contracts/src/a.ts',
    "import { x } from '@kalnet/io/log'",
    /may not import io/,
  ],
  [
    'server never imports controller',
    'server/src/core/a.ts',
    "import { x } from '@kalnet/controller/link'",
    /may not import controller/,
  ],
  [
    'controller never imports server',
    'controller/src/a.ts',
    "const x = await import('@kalnet/server/server')",
    /may not import server/,
  ],
  [
    'the dashboard reads contracts only',
    'dashboard/src/a.tsx',
    "import { x } from '@kalnet/io/log'",
    /may not import io/,
  ],
  [
    'a path out of the package is refused',
    'wire/src/a.ts',
    "import { x } from '../../io/src/log.ts'",
    /by its name/,
  ],
  [
    'a lower capability cannot use a higher one',
    'server/src/streams/a.ts',
    "import { x } from '../sessions/sessions.ts'",
    /use an event/,
  ],
  [
    'a store is private to its capability',
    'server/src/sessions/a.ts',
    "import { x } from '../instances/store.ts'",
    /never its store/,
  ],
  [
    'the store of core is for everybody',
    'server/src/sessions/a.ts',
    "import { x } from '../core/store.ts'",
    null,
  ],
  [
    'processes start in one place',
    'controller/src/a.ts',
    "import { spawn } from 'node:child_process'",
    /starting processes/,
  ],
  [
    'types of processes are free',
    'controller/src/a.ts',
    "import type { ChildProcess } from 'node:child_process'",
    null,
  ],
  ['requests leave in one place', 'server/src/core/a.ts', "await fetch('http://example.org')", /outbound/],
  ['SQL outside a store', 'server/src/sessions/routes.ts', 'await sql<Row>`select 1`', /SQL/],
  ['SQL in a store', 'server/src/sessions/store.ts', 'await sql<Row>`select 1`', null],
  ['four hundred lines', 'server/src/sessions/a.ts', '// x\n'.repeat(401), /limit/],
]
test.each(cases)('law: %s', (_name, path, text, expected) => {
  const found = at(path, text).join('; ')
  if (expected) expect(found).toMatch(expected)
  else expect(found).toBe('')
})

test('imports are found in every form', () => {
  expect(
    importsOf(
      "import a from 'a'\nimport {\n  b,\n} from 'b'\nexport * from 'c'\nimport 'd'\nawait import('e')",
    ),
  ).toEqual(['a', 'b', 'c', 'd', 'e'])
})
