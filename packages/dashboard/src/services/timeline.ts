/** How healthy each instance was over a day, from the changes that are known. */
import type { HealthState } from '@kalnet/contracts/health'
import type { HealthChange } from '@kalnet/contracts/service'

export interface Span {
  state: HealthState
  /** 0 to 1 of the stretch that is looked at. */
  from: number
  to: number
}
export interface Line {
  id: string
  part: string
  number: number
  spans: Span[]
  /** Share of the known time that it was healthy. */
  well: number
}

/** Changes newest first, as the server tells them. What lies before the first known change is left open. */
export function lines(changes: HealthChange[], from: number, to: number): Line[] {
  const by = new Map<string, HealthChange[]>()
  for (const it of changes.toReversed()) {
    // Each start is an instance anew to the controller; to people it is the same one.
    const key = `${it.part}/${it.number}`
    by.set(key, [...(by.get(key) ?? []), it])
  }
  const share = (at: number) => Math.min(1, Math.max(0, (at - from) / (to - from)))
  return [...by.entries()]
    .map(([id, some]) => {
      const spans = some
        .map(({ state, at }, index) => {
          const until = some[index + 1]
          return { state, from: share(Date.parse(at)), to: until ? share(Date.parse(until.at)) : 1 }
        })
        .filter((span) => span.to > span.from)
      const known = spans.reduce((sum, span) => sum + span.to - span.from, 0)
      const good = spans
        .filter(({ state }) => state === 'healthy')
        .reduce((sum, span) => sum + span.to - span.from, 0)
      const { part = '', number = 0 } = some[0] ?? {}
      return { id, part, number, spans, well: known > 0 ? good / known : 0 }
    })
    .filter(({ spans }) => spans.length > 0)
    .sort((one, other) => one.part.localeCompare(other.part) || one.number - other.number)
}
