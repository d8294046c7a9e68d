/** Objects with holes in them: filled here they are manifests, written as text they are the chart's templates. */

/** `.Values.…`, or one of what an installation is called. */
export type Path = string
type Truth = { path: Path; is: boolean }

/** Text made of literals and values. */
export class Text {
  readonly pieces: readonly (string | { path: Path })[]
  constructor(pieces: readonly (string | { path: Path })[]) {
    this.pieces = pieces
  }
}
/** A value as it is: a number, a list, an object. */
export class Whole {
  readonly path: Path
  constructor(path: Path) {
    this.path = path
  }
}
/** There only where all of these are (not) so: a field, an item of a list, an object. */
export class When {
  readonly truths: readonly Truth[]
  readonly node: Node
  constructor(truths: readonly Truth[], node: Node) {
    this.truths = truths
    this.node = node
  }
}
export type Node =
  | string
  | number
  | boolean
  | Text
  | Whole
  | When
  | readonly Node[]
  | { readonly [key: string]: Node }

/** `` text`${'release.name'}-data` ``: each hole is a path. */
export const text = (literals: TemplateStringsArray, ...paths: Path[]): Text =>
  new Text(
    literals
      .flatMap((literal, index) => [literal, ...(index < paths.length ? [{ path: paths[index] ?? '' }] : [])])
      .filter((piece) => piece !== ''),
  )
export const whole = (path: Path): Whole => new Whole(path)
const truth = (path: Path): Truth =>
  path.startsWith('!') ? { path: path.slice(1), is: false } : { path, is: true }
/** `!path`: where it is false, empty or zero. Conditions within conditions become one. */
export function when(paths: Path | readonly Path[], node: Node): When {
  const truths = [paths].flat().map(truth)
  return node instanceof When ? new When([...truths, ...node.truths], node.node) : new When(truths, node)
}

export interface Around {
  values: unknown
  release: { name: string; namespace: string }
}

function valueAt(path: Path, around: Around): unknown {
  let at: unknown = path.startsWith('release.') ? around : around.values
  for (const key of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[key]
  if (at === undefined) throw new Error(`there is no value ${path}`)
  return at
}

/** As templates judge: nothing, zero and empty things are false. */
function isTrue(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return false
  return typeof value === 'object' ? Object.keys(value).length > 0 : true
}
const holds = ({ truths }: When, around: Around) =>
  truths.every(({ path, is }) => isTrue(valueAt(path, around)) === is)

/** The object with its holes filled; undefined where it is not there. */
export function fill(node: Node, around: Around): unknown {
  if (node instanceof Text)
    return node.pieces
      .map((piece) => (typeof piece === 'string' ? piece : String(valueAt(piece.path, around))))
      .join('')
  if (node instanceof Whole) return valueAt(node.path, around)
  if (node instanceof When) return holds(node, around) ? fill(node.node, around) : undefined
  if (Array.isArray(node)) return node.map((item) => fill(item, around)).filter((item) => item !== undefined)
  if (typeof node !== 'object') return node
  const fields = Object.entries(node).map(([key, inner]) => [key, fill(inner, around)] as const)
  return Object.fromEntries(fields.filter(([, inner]) => inner !== undefined))
}
