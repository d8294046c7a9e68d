/** YAML as people write it: its data, or every problem in words with line and column. */
import { LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'

/** A file with more than this many problems is told the first ones; the rest is usually the same mistake. */
const TOLD = 8

/** Where a field stands, as " (line 3, column 5)"; empty when it does not stand in this file. */
export type Where = (path: readonly PropertyKey[]) => string
export type Parsed = { data: unknown; where: Where } | { problem: string }

/** YAML with its aliases bounded, or the problem with line and column. */
export function parseYaml(text: string): Parsed {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter })
  const first = document.errors[0]
  if (first) {
    const at = first.linePos?.[0]
    const words = first.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '')
    return { problem: `${words}${at ? ` (line ${at.line}, column ${at.col})` : ''}` }
  }
  const where: Where = (path) => {
    if (path.length === 0) return ''
    const node = document.getIn(path, true)
    const start =
      typeof node === 'object' && node && 'range' in node && Array.isArray(node.range) ? node.range[0] : null
    if (typeof start !== 'number') return ''
    const { line, col } = lineCounter.linePos(start)
    return ` (line ${line}, column ${col})`
  }
  try {
    return { data: document.toJS({ maxAliasCount: 20 }), where }
  } catch (error) {
    // The parser throws only here: when aliases would unfold to more than the limit.
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

/** All problems of a zod error as one sentence: which field, what, where it stands. */
export function sayProblems(error: z.ZodError, where: Where): string {
  const told = error.issues.slice(0, TOLD).map((issue) => {
    // An unknown key is the problem of what it stands in; it is found by its own name.
    const place = issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path
    return `${issue.path.join('.') || 'it'}: ${issue.message}${where(place)}`
  })
  const left = error.issues.length - told.length
  return [...told, ...(left > 0 ? [`and ${left} more`] : [])].join('; ') || 'it is not valid'
}
