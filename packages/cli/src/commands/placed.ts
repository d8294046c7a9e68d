/** Why something is on its machine, as lines for people: what spoke for each that could have it, and why the others could not. */
import type { Placed } from '@kalnet/contracts/placing'
import { table } from '../output.ts'

const HOW: Record<Placed['placing'], string> = {
  spread: 'where most is free',
  pack: 'the fullest that has room',
}

export function placedLines({ placing, considered, others }: Placed): string[] {
  const able = considered.flatMap(({ name, points }) => (points ? [{ name, ...points }] : []))
  const points = (it: number) => it.toFixed(1)
  const rows = able.map(({ name, image, memory, cpu, person }) => [
    name,
    points(image + memory + cpu + person),
    ...[image, memory, cpu, person].map(points),
  ])
  return [
    `why there (${HOW[placing]}; points)`,
    ...table(['machine', 'all', 'image', 'memory', 'cpu', 'person'], rows).map((line) => `  ${line}`),
    ...considered.flatMap(({ problem }) => (problem ? [`  ${problem}`] : [])),
    ...(others > 0 ? [`  and ${others} more`] : []),
  ]
}
