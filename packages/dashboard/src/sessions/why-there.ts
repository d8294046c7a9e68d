/** Why something is where it is, in words: what spoke for that machine more than for any other, and what became of the others. */
import type { Placed, Points } from '@kalnet/contracts/placing'
import * as m from '../messages/index.ts'

const WORDS: Record<Placed['placing'], Record<keyof Points, string>> = {
  spread: { image: m.whyImage, memory: m.whyMemory, cpu: m.whyCpu, person: m.whyPerson },
  pack: { image: m.whyImage, memory: m.whyMemoryPacked, cpu: m.whyCpuPacked, person: m.whyPerson },
}
const KINDS: readonly (keyof Points)[] = ['image', 'memory', 'cpu', 'person']

export function whyThere({ placing, considered, others }: Placed): { name: string; lines: string[] } | null {
  const [chosen, ...rest] = considered
  const its = chosen?.points
  // Where there is one machine nobody asks why.
  if (!chosen || !its || rest.length + others === 0) return null
  const able = rest.flatMap((it) => (it.points ? [{ name: it.name, points: it.points }] : []))
  const reasons = KINDS.filter(
    (kind) => its[kind] > 0 && able.every(({ points }) => points[kind] < its[kind]),
  )
  const because =
    reasons.length > 0 ? m.whyBecause(reasons.map((kind) => WORDS[placing][kind]).join('; ')) : m.whySum
  return {
    name: chosen.name,
    lines: [
      able.length > 0 ? because : m.whyAlone,
      ...able.map(({ name }) => m.whyOther(name)),
      ...rest.flatMap(({ problem }) => (problem ? `${problem.replace(/\.$/, '')}.` : [])),
      ...(others > 0 ? [m.whyMore(others)] : []),
    ],
  }
}
