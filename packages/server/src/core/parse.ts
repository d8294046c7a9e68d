/** Input against a schema: the parsed value, or request.invalid that says where and what. */
import { fail } from '@kalnet/contracts/errors'
import type { z } from 'zod'

const PROBLEMS = 3

/** `answers.width: must be a number`; the value itself is never repeated: it may be a password. */
export function problemOf(error: z.ZodError): string {
  const said = error.issues.slice(0, PROBLEMS).map((issue) => {
    const where = issue.path.map(String).join('.')
    return where ? `${where}: ${issue.message}` : issue.message
  })
  const more = error.issues.length - said.length
  return said.join('; ') + (more > 0 ? `; and ${more} more` : '')
}

/** Zero bytes and halves of letters: PostgreSQL takes neither in text nor in jsonb, and no keyboard makes them. */
const isStorable = (value: unknown): boolean => {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0')
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every((pair) => pair.every(isStorable))
}

export function parseInput<T>(schema: z.ZodType<T>, value: unknown, part: 'address' | 'query' | 'body'): T {
  const result = schema.safeParse(value)
  if (result.success) {
    if (isStorable(result.data)) return result.data
    throw fail('request.invalid', { problem: `${part}: it contains a character that cannot be stored` })
  }
  throw fail('request.invalid', { problem: `${part}: ${problemOf(result.error)}` })
}
