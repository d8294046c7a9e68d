/** Who called whom, since this process started: what the gateway let in, and what instances said through their links. For the topology. */
import type { Call } from '@kalnet/contracts/gateway'
import { type Clock, stamp } from '@kalnet/io/clock'

export interface Calls {
  /** An instance's link was used. `from` and `to`: names of services of this organisation. */
  add(organisationId: string, it: { from: string; to: string; calls: number; failures: number }): void
  /** Of one organisation; from outside first, then by name. */
  of(organisationId: string): Call[]
}
export interface Seen {
  organisationId: string
  serviceName: string
  requests: number
  failures: number
}

/** Names go with their services; this many pairs are kept at most. */
const MOST = 10_000

export function createCalls(clock: Clock, seenByGateway: () => Iterable<Seen>): Calls {
  const links = new Map<string, Call & { organisationId: string }>()
  /** When the gateway's count of a service was last seen to have grown. */
  const grown = new Map<string, { calls: number; at: string }>()

  function fromOutside(organisationId: string): Call[] {
    const sums = new Map<string, { calls: number; failures: number }>()
    for (const it of seenByGateway()) {
      if (it.organisationId !== organisationId || it.requests === 0) continue
      const { calls, failures } = sums.get(it.serviceName) ?? { calls: 0, failures: 0 }
      sums.set(it.serviceName, { calls: calls + it.requests, failures: failures + it.failures })
    }
    return [...sums].map(([to, { calls, failures }]) => {
      const key = `${organisationId} ${to}`
      const last = grown.get(key)
      const at = last?.calls === calls ? last.at : stamp(clock)
      grown.set(key, { calls, at })
      return { from: null, to, calls, failures, lastAt: at }
    })
  }

  return {
    add(organisationId, { from, to, calls, failures }) {
      const key = `${organisationId} ${from} ${to}`
      const known = links.get(key)
      if (!known && links.size >= MOST) links.delete(links.keys().next().value ?? '')
      links.set(key, {
        organisationId,
        from,
        to,
        calls: (known?.calls ?? 0) + calls,
        failures: (known?.failures ?? 0) + failures,
        lastAt: stamp(clock),
      })
    },
    of(organisationId) {
      const inside = [...links.values()]
        .filter((it) => it.organisationId === organisationId)
        .map(({ from, to, calls, failures, lastAt }) => ({ from, to, calls, failures, lastAt }))
      return [...fromOutside(organisationId), ...inside].toSorted(
        (one, other) => (one.from ?? '').localeCompare(other.from ?? '') || one.to.localeCompare(other.to),
      )
    },
  }
}
