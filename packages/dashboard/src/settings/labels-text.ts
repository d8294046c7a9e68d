/** Labels as people type them, one a line, and back. The same rules as the contract's, in words beside the field. */
import type { Labels } from '@kalnet/contracts/controller'
import * as m from '../messages/index.ts'

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/
const VALUE = /^[A-Za-z0-9._-]{1,63}$/
const MOST = 20

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

function problemOf(line: string): string | undefined {
  const at = line.indexOf('=')
  if (at < 0) return m.labelShape(line)
  if (!NAME.test(line.slice(0, at))) return m.labelName(line.slice(0, at))
  if (!VALUE.test(line.slice(at + 1))) return m.labelValue(line.slice(at + 1))
}

export const textOf = (labels: Labels): string =>
  Object.entries(labels)
    .map((pair) => pair.join('='))
    .join('\n')

export const labelsOf = (text: string): Labels =>
  Object.fromEntries(
    linesOf(text).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )

export function labelsProblem(text: string): string | undefined {
  const lines = linesOf(text)
  const wrong = lines.map(problemOf).find((problem) => problem !== undefined)
  return wrong ?? (Object.keys(labelsOf(text)).length > MOST ? m.labelsTooMany(MOST) : undefined)
}
