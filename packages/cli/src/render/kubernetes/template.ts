/** Writes an object with holes as a template of the chart. The same object, filled, is the manifest: a test compares both. */
import { type Node, type Path, Text, When, Whole } from './nodes.ts'

const reference = (path: Path): string =>
  path === 'release.name'
    ? '.Release.Name'
    : path === 'release.namespace'
      ? '.Release.Namespace'
      : `.Values.${path}`

/** Everything is quoted: no value can be read as another kind, or end where it stands. */
function scalar(node: string | number | boolean | Text): string {
  if (!(node instanceof Text)) return JSON.stringify(node)
  const paths = node.pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.path]))
  if (paths.length === 0) return JSON.stringify(node.pieces.join(''))
  if (node.pieces.length === 1) return `{{ ${reference(paths[0] ?? '')} | toString | quote }}`
  const format = node.pieces
    .map((piece) => (typeof piece === 'string' ? piece.replaceAll('%', '%%') : '%s'))
    .join('')
  return `{{ printf ${JSON.stringify(format)} ${paths.map((path) => `(toString ${reference(path)})`).join(' ')} | quote }}`
}

const condition = ({ truths }: When): string => {
  const each = truths.map(({ path, is }) => (is ? reference(path) : `(not ${reference(path)})`))
  return each.length === 1 ? (each[0] ?? '').replace(/^\((.*)\)$/, '$1') : `and ${each.join(' ')}`
}
const guarded = (it: When, lines: string[]): string[] => [
  `{{- if ${condition(it)} }}`,
  ...lines,
  '{{- end }}',
]
const isPlain = (node: Node): node is string | number | boolean | Text =>
  typeof node !== 'object' || node instanceof Text
const isEmpty = (node: Node) =>
  !isPlain(node) && !(node instanceof Whole) && !(node instanceof When) && Object.keys(node).length === 0

/** What stands after `key:` or `-`: on the same line, or below it. */
function after(node: Node, depth: number): { beside: string } | { below: string[] } {
  if (isPlain(node)) return { beside: scalar(node) }
  if (node instanceof Whole) return { beside: `{{ toJson ${reference(node.path)} }}` }
  if (node instanceof When) throw new Error('a condition belongs to a field, an item or an object')
  if (isEmpty(node)) return { beside: Array.isArray(node) ? '[]' : '{}' }
  return { below: lines(node, depth) }
}

function lines(node: Node, depth: number): string[] {
  const indent = '  '.repeat(depth)
  if (Array.isArray(node))
    return node.flatMap((item: Node): string[] => {
      if (item instanceof When) return guarded(item, lines([item.node], depth))
      const text = after(item, depth + 1)
      if ('beside' in text) return [`${indent}- ${text.beside}`]
      // A dash alone: what follows may begin with a condition.
      return [`${indent}-`, ...text.below]
    })
  return Object.entries(node as { readonly [key: string]: Node }).flatMap(([key, inner]): string[] => {
    if (inner instanceof When) return guarded(inner, lines({ [key]: inner.node }, depth))
    const text = after(inner, depth + 1)
    const name = /^[\w./-]+$/.test(key) ? key : JSON.stringify(key)
    return 'beside' in text ? [`${indent}${name}: ${text.beside}`] : [`${indent}${name}:`, ...text.below]
  })
}

/** One document; a condition around the whole object leaves nothing where it does not hold. */
export function template(node: Node): string {
  const document = (inner: Node) => ['---', ...lines(inner, 0)]
  return `${(node instanceof When ? guarded(node, document(node.node)) : document(node)).join('\n')}\n`
}
