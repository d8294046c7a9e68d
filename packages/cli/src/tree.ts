/** Where the checkout is, and the command line that starts this program again. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The root of the checkout. */
export const ROOT = join(import.meta.dirname, '../../..')
export const VERSION: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version

/** This CLI as a child: the same Node, the same file. */
export const ourselves = (...args: string[]): [string, string[]] => [
  process.execPath,
  ['--disable-warning=ExperimentalWarning', join(ROOT, 'packages/cli/src/main.ts'), ...args],
]
