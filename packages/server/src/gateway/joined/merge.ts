/** Figures of several gateways as those of one. Pure. */
import type { RouteFigures } from '@kalnet/contracts/gateway'

const WORST = ['open', 'half-open', 'closed'] as const

/** Times cannot be added: the slower one is told. */
const slower = (one: number | null, other: number | null) =>
  one === null ? other : other === null ? one : Math.max(one, other)

function both(one: RouteFigures, other: RouteFigures): RouteFigures {
  return {
    routeId: one.routeId,
    requests: one.requests + other.requests,
    failures: one.failures + other.failures,
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
    open: one.open + other.open,
    retries: one.retries + other.retries,
    rejected: one.rejected + other.rejected,
    breaker: WORST.find((state) => state === one.breaker || state === other.breaker) ?? null,
    p50Ms: slower(one.p50Ms, other.p50Ms),
    p99Ms: slower(one.p99Ms, other.p99Ms),
  }
}

export function mergeFigures(...all: Iterable<RouteFigures>[]): RouteFigures[] {
  const byRoute = new Map<string, RouteFigures>()
  for (const one of all)
    for (const figures of one) {
      const before = byRoute.get(figures.routeId)
      byRoute.set(figures.routeId, before ? both(before, figures) : figures)
    }
  return [...byRoute.values()]
}
