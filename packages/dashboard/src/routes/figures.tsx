/** How an address goes: how many come by, how many fail, how long it takes. */
import type { RouteFigures } from '@kalnet/contracts/gateway'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { duration } from '../format.ts'
import * as m from '../messages/index.ts'
import { figuresQuery } from './queries.ts'
import css from './routes.module.css'
import { perMinute } from './words.ts'

export interface RouteNumbers extends RouteFigures {
  /** Null: counted for the first time. */
  minute: number | null
}
type Counts = Map<string, { count: number; at: number }>

/** By route. "A minute" is told from the first count that was seen here, at most this long ago. */
const WINDOW_MS = 60_000
export function useNumbers(): Map<string, RouteNumbers> {
  const { data } = useQuery(figuresQuery)
  const seen = useRef<{ at: number; counts: Counts }[]>([])
  const [numbers, setNumbers] = useState(new Map<string, RouteNumbers>())
  useEffect(() => {
    if (!data || seen.current.at(-1)?.at === data.at) return
    const counts: Counts = new Map(data.routes.map((it) => [it.routeId, { count: it.requests, at: data.at }]))
    seen.current = [...seen.current.filter(({ at }) => data.at - at <= WINDOW_MS), { at: data.at, counts }]
    const first = seen.current[0]?.counts
    setNumbers(
      new Map(
        data.routes.map((it) => [
          it.routeId,
          { ...it, minute: perMinute(first?.get(it.routeId) ?? null, it.requests, data.at) },
        ]),
      ),
    )
  }, [data])
  return numbers
}

const percent = (share: number) =>
  new Intl.NumberFormat('en', { style: 'percent', maximumSignificantDigits: 2 }).format(share)
const rounded = (value: number) =>
  new Intl.NumberFormat('en', { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)

export function Figures({ numbers }: { numbers: RouteNumbers | null }) {
  if (!numbers || numbers.requests === 0) return <p className={css.figures}>{m.figureNone}</p>
  const { minute, requests, failures, p99Ms, open } = numbers
  return (
    <ul className={css.figures}>
      <li>{minute === null ? m.figureRequestsTotal(requests) : m.figureRequests(rounded(minute))}</li>
      <li data-bad={failures / requests > 0.05 || undefined}>
        {failures === 0 ? m.figureNoFailures : m.figureFailures(percent(failures / requests))}
      </li>
      {p99Ms !== null && <li>{m.figureSlowest(duration(p99Ms))}</li>}
      {open > 0 && <li>{m.figureOpen(open)}</li>}
    </ul>
  )
}
