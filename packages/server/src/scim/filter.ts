/** SCIM filters (RFC 7644 §3.4.2.2): read once into a tree, asked of each resource. */
import { refused } from './refusal.ts'

type Literal = string | number | boolean | null
const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
type Operator = (typeof OPERATORS)[number]
export type Filter =
  | { kind: 'and' | 'or'; of: Filter[] }
  | { kind: 'not'; of: Filter }
  | { kind: 'present'; path: string[] }
  | { kind: 'compare'; path: string[]; operator: Operator; value: Literal }
  /** `emails[type eq "work"]`: one and the same value fulfils all of it. */
  | { kind: 'some'; path: string[]; of: Filter }

const bad = (problem: string) => refused('invalidFilter', `The filter cannot be read: ${problem}.`)
const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|([()[\]])|([^\s()[\]"]+))/y
const DEPTH = 40

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  while (text.slice(TOKEN.lastIndex).trim() !== '') {
    const match = TOKEN.exec(text)
    if (!match) throw bad('a quotation mark is missing')
    tokens.push(match[1] ?? match[2] ?? match[3] ?? '')
  }
  return tokens
}

const ATTRIBUTE = /^[A-Za-z$][\w$-]*$/
/** `urn:…:User:name.givenName` → the schema's own attributes without it, an extension's under its name. */
export function pathOf(text: string): string[] {
  const colon = text.lastIndexOf(':')
  const schema = colon < 0 ? '' : text.slice(0, colon)
  if (schema && !schema.toLowerCase().startsWith('urn:')) throw bad(`${text.slice(0, 80)} is no attribute`)
  const parts = text.slice(colon + 1).split('.')
  // A version number within the name of a schema (2.0) belongs to the schema.
  if (!parts.every((part) => ATTRIBUTE.test(part))) throw bad(`${text.slice(0, 80)} is no attribute`)
  return schema && !/:core:2\.0:(user|group)$/i.test(schema) ? [schema, ...parts] : parts
}

function literalOf(token: string | undefined): Literal {
  if (token === undefined || /^[()[\]]$/.test(token)) throw bad('a value is missing')
  try {
    const value: unknown = JSON.parse(token)
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as Literal
  } catch {
    // Said below, as for what is JSON but no single value.
  }
  throw bad(`${token.slice(0, 80)} is no value`)
}

export function parseFilter(text: string): Filter {
  const tokens = tokensOf(text)
  let at = 0
  const peek = () => tokens[at]?.toLowerCase()
  const expect = (token: string) => {
    if (tokens[at++] !== token) throw bad(`${token} is missing`)
  }
  const list =
    (kind: 'and' | 'or', part: (depth: number) => Filter) =>
    (depth: number): Filter => {
      const of = [part(depth)]
      while (peek() === kind) {
        at += 1
        of.push(part(depth))
      }
      return of.length === 1 && of[0] ? of[0] : { kind, of }
    }
  function single(depth: number): Filter {
    if (depth > DEPTH) throw bad('it is nested too deep')
    const negated = peek() === 'not' && tokens[at + 1] === '('
    if (negated) at += 1
    if (tokens[at] === '(') {
      at += 1
      const of = either(depth + 1)
      expect(')')
      return negated ? { kind: 'not', of } : of
    }
    const name = tokens[at++]
    if (name === undefined) throw bad('it ends too early')
    const path = pathOf(name)
    if (tokens[at] === '[') {
      at += 1
      const of = either(depth + 1)
      expect(']')
      return { kind: 'some', path, of }
    }
    const operator = tokens[at++]?.toLowerCase()
    if (operator === 'pr') return { kind: 'present', path }
    const known = OPERATORS.find((it) => it === operator)
    if (!known) throw bad(`${operator ?? 'an operator'} is not known`)
    return { kind: 'compare', path, operator: known, value: literalOf(tokens[at++]) }
  }
  const both = list('and', single)
  const either = list('or', both)
  const tree = either(0)
  if (at < tokens.length) throw bad(`${tokens[at]?.slice(0, 80)} is too much`)
  return tree
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Names of attributes do not depend on case. */
export function fieldOf(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined
  const key = Object.keys(value).find((it) => it.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : value[key]
}
/** All that stands at a path; several where an attribute has several values. */
export function valuesAt(resource: unknown, path: string[]): unknown[] {
  let values: unknown[] = [resource]
  for (const name of path) values = values.flatMap((it) => fieldOf(it, name)).filter((it) => it !== undefined)
  return values.flat().filter((it) => it !== null && it !== undefined)
}

/** Compared as written; everything else without regard to case (RFC 7643 §2.2, §4.1). */
const EXACT = ['id', 'externalid', '$ref', 'version', 'resourcetype']
const DATE = /^\d{4}-\d\d-\d\dT/

function compares(value: unknown, operator: Operator, wanted: Literal, exact: boolean): boolean {
  if (typeof value === 'boolean' || typeof wanted === 'boolean' || wanted === null) {
    if (!['eq', 'ne'].includes(operator))
      throw refused('invalidFilter', `${operator} is not possible with true, false and null.`)
    return (value === wanted) === (operator === 'eq')
  }
  const fold = (it: unknown) => (exact ? String(it) : String(it).toLowerCase())
  const texts = [fold(value), fold(wanted)] as const
  if (operator === 'co') return texts[0].includes(texts[1])
  if (operator === 'sw') return texts[0].startsWith(texts[1])
  if (operator === 'ew') return texts[0].endsWith(texts[1])
  const bothDates = DATE.test(String(value)) && DATE.test(String(wanted))
  const [left, right] = bothDates
    ? [Date.parse(String(value)), Date.parse(String(wanted))]
    : typeof value === 'number' && typeof wanted === 'number'
      ? [value, wanted]
      : texts
  if (operator === 'eq') return left === right
  if (operator === 'ne') return left !== right
  if (operator === 'gt') return left > right
  if (operator === 'ge') return left >= right
  return operator === 'lt' ? left < right : left <= right
}

export function matches(filter: Filter, resource: unknown): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.of.every((it) => matches(it, resource))
    case 'or':
      return filter.of.some((it) => matches(it, resource))
    case 'not':
      return !matches(filter.of, resource)
    case 'present':
      return valuesAt(resource, filter.path).some((it) => it !== '')
    case 'some':
      return valuesAt(resource, filter.path).some((it) => matches(filter.of, it))
    case 'compare': {
      const exact = EXACT.includes(filter.path.at(-1)?.toLowerCase() ?? '')
      // Of a complex attribute its `value` is meant.
      const found = valuesAt(resource, filter.path).map((it) => (isObject(it) ? fieldOf(it, 'value') : it))
      if (found.length === 0) return filter.operator === (filter.value === null ? 'eq' : 'ne')
      return found.some((it) => compares(it, filter.operator, filter.value, exact))
    }
  }
}
