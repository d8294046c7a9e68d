/** Where each service stands in the drawing of who calls whom: by how many steps it is from outside. Pure. */
import type { Call } from '@kalnet/contracts/gateway'

export const BOX = { width: 168, height: 48 }
const GAP = { x: 96, y: 20 }

export interface Node {
  /** null: people and programs outside. */
  name: string | null
  x: number
  y: number
}
export interface Edge {
  call: Call
  path: string
  /** Of the line, in px: more calls, thicker. */
  width: number
  failing: boolean
}
export interface Drawing {
  nodes: Node[]
  edges: Edge[]
  width: number
  height: number
}

const keyOf = (name: string | null) => name ?? ''
const FAILING = 0.05

/** Steps from outside; what nobody outside reaches begins at one. Circles end where they were met first. */
function columns(calls: Call[]): Map<string, number> {
  const names = new Set(calls.flatMap(({ from, to }) => [keyOf(from), to]).toSorted())
  const depth = new Map<string, number>()
  const walk = (start: string, at: number) => {
    const queue: [string, number][] = [[start, at]]
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [name, level] = next
      if (depth.has(name)) continue
      depth.set(name, level)
      for (const { from, to } of calls) if (keyOf(from) === name) queue.push([to, level + 1])
    }
  }
  if (names.has('')) walk('', 0)
  const called = new Set(calls.map(({ to }) => to))
  for (const name of names) if (!depth.has(name) && !called.has(name)) walk(name, 1)
  for (const name of names) if (!depth.has(name)) walk(name, 1)
  return depth
}

export function draw(given: Call[]): Drawing {
  const calls = given.toSorted((one, other) => other.calls - one.calls || one.to.localeCompare(other.to))
  const depth = columns(calls)
  const byColumn: string[][] = []
  for (const [name, level] of depth) {
    byColumn[level] ??= []
    byColumn[level]?.push(name)
  }
  const filled = byColumn.filter(Boolean)
  const tallest = Math.max(0, ...filled.map(({ length }) => length))
  const step = { x: BOX.width + GAP.x, y: BOX.height + GAP.y }
  const height = Math.max(BOX.height, tallest * step.y - GAP.y)
  const place = new Map<string, Node>()
  filled.forEach((names, column) => {
    const top = (height - (names.length * step.y - GAP.y)) / 2
    // Beside those who call it, so that lines cross as little as an easy rule can do.
    const wish = (name: string) => {
      const above = calls.filter(({ to }) => to === name).flatMap(({ from }) => place.get(keyOf(from)) ?? [])
      return above.length > 0 ? above.reduce((sum, { y }) => sum + y, 0) / above.length : 0
    }
    names
      .toSorted((one, other) => wish(one) - wish(other) || one.localeCompare(other))
      .forEach((name, row) => {
        place.set(name, { name: name === '' ? null : name, x: column * step.x, y: top + row * step.y })
      })
  })
  const most = Math.max(1, ...calls.map((it) => it.calls))
  const edges = calls.flatMap((call): Edge[] => {
    const from = place.get(keyOf(call.from))
    const to = place.get(call.to)
    if (!from || !to) return []
    const start = { x: from.x + BOX.width, y: from.y + BOX.height / 2 }
    const end = { x: to.x, y: to.y + BOX.height / 2 }
    const bend = Math.max(40, Math.abs(end.x - start.x) / 2)
    return [
      {
        call,
        path: `M${start.x} ${start.y}C${start.x + bend} ${start.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`,
        width: 1.5 + 3.5 * (Math.log1p(call.calls) / Math.log1p(most)),
        failing: call.calls > 0 && call.failures / call.calls > FAILING,
      },
    ]
  })
  return {
    nodes: [...place.values()],
    edges,
    width: Math.max(BOX.width, filled.length * step.x - GAP.x),
    height,
  }
}
