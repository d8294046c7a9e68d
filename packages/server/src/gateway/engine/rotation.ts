/** A route with all that is remembered about it while policies and instances change: who is next, what failed, what was counted. */
import type { Endpoint, Policy } from '@kalnet/contracts/gateway'
import { type Counts, newCounts } from './figures.ts'
import type { SnapshotRoute } from './interface.ts'
import { choose, type Weighed } from './policies/balance.ts'
import { type Breaker, createBreaker } from './policies/breaker.ts'
import { type Bucket, createBucket } from './policies/bucket.ts'
import { type Budget, createBudget } from './policies/budget.ts'
import { createSpread, releaseFor } from './policies/canary.ts'
import { noteOutcome, type Watched } from './policies/outlier.ts'
import { tagOf } from './policies/sticky.ts'
import { createUpstream, keyOf, type Upstream } from './upstream.ts'

/** One instance's port in one route. */
export interface Member extends Weighed, Watched {
  endpoint: Endpoint
  tag: string
  upstream: Upstream
}
export interface Rotation {
  route: SnapshotRoute
  policy: Policy
  counts: Counts
  budget: Budget
  breaker: Breaker | null
  bucket: Bucket | null
  /** Who gets the next request; not one of `tried`, while there is another. Null: nobody is there. */
  pick(now: number, tag: string | null, tried: readonly Member[]): Member | null
  /** Calls as soon as somebody is there, or after this time in any case. Answers how to wait no longer. */
  arrival(withinMs: number, then: () => void): () => void
  /** There is one that was not tried. */
  others(tried: readonly Member[]): boolean
  /** Also counted by the outlier rule. */
  told(now: number, member: Member, good: boolean): void
  /** Takes over what changed; what is counted and open stays. */
  change(route: SnapshotRoute, endpoints: readonly Endpoint[]): void
  /** Instances by what is open there, also those that get nothing new. */
  open(): Map<string, number>
  /** Those that get nothing new, and have something open. */
  finishing(): string[]
  retire(): void
}

const same = (one: unknown, other: unknown) => one === other || JSON.stringify(one) === JSON.stringify(other)

/**
 * A service is said to run as soon as its row says so, and is known here a moment later, when its event was heard: so long whoever comes
 * first waits for it, within the time a connection may take.
 */
const ARRIVAL_MS = 1_000
export const arrivalMs = ({ timeouts }: Policy): number => Math.min(timeouts.connectMs, ARRIVAL_MS)

export function createRotation(
  first: SnapshotRoute,
  endpoints: readonly Endpoint[],
  options: Parameters<typeof createUpstream>[1],
): Rotation {
  let members: Member[] = []
  /** They get nothing new; what is open there goes on. */
  const leaving = new Set<Member>()
  function leave(member: Member) {
    member.upstream.retire()
    if (member.open > 0) leaving.add(member)
  }
  const spread = createSpread()
  const waiting = new Set<() => void>()

  function memberOf(endpoint: Endpoint, route: SnapshotRoute, before: Member | undefined): Member {
    const secureName = route.upstreamTls === 'mutual' ? route.serviceName : null
    const reach = { endpoint, secureName, organisationId: route.organisationId }
    if (before && before.upstream.key === keyOf(reach, options.machine)) {
      before.endpoint = endpoint
      before.weight = endpoint.weight
      return before
    }
    if (before) leave(before)
    return {
      endpoint,
      tag: tagOf(endpoint.id),
      upstream: createUpstream(reach, options, () => rotation.policy.timeouts.connectMs),
      weight: endpoint.weight,
      open: 0,
      credit: 0,
      failuresInARow: 0,
      leftOutUntil: 0,
    }
  }
  /** One release of those in rotation, when shares are tried out. */
  function ofRelease(all: Member[]): Member[] {
    const shares = rotation.policy.canary
    if (shares.length === 0) return all
    const release = releaseFor(shares, [...new Set(all.map((it) => it.endpoint.release))], spread())
    return all.filter((it) => it.endpoint.release === release)
  }

  const rotation: Rotation = {
    route: first,
    policy: first.policy,
    counts: newCounts(),
    budget: createBudget(() => rotation.policy.retries.budgetPercent),
    breaker: first.policy.breaker && createBreaker(first.policy.breaker),
    bucket: first.policy.rate && createBucket(first.policy.rate),
    pick(now, tag, tried) {
      if (members.length === 1) return members[0] ?? null
      const well = members.filter((it) => it.leftOutUntil <= now)
      const fresh = tried.length === 0 ? well : well.filter((it) => !tried.includes(it))
      const among = fresh.length > 0 ? fresh : members.filter((it) => !tried.includes(it))
      const stays = tag !== null && among.find((it) => it.tag === tag)
      if (stays) return stays
      return (
        choose(tried.length === 0 ? ofRelease(among) : among, rotation.policy.balance) ?? members[0] ?? null
      )
    },
    arrival(withinMs, then) {
      const end = () => {
        clearTimeout(late)
        waiting.delete(go)
      }
      const go = () => {
        end()
        then()
      }
      const late = setTimeout(go, withinMs)
      waiting.add(go)
      return end
    },
    others: (tried) => members.some((it) => !tried.includes(it)),
    told(now, member, good) {
      if (rotation.policy.outlier) noteOutcome(member, members, good, rotation.policy.outlier, now)
    },
    change(route, all) {
      const before = rotation.policy
      rotation.route = route
      rotation.policy = route.policy
      if (!same(before.breaker, route.policy.breaker))
        rotation.breaker = route.policy.breaker && createBreaker(route.policy.breaker)
      if (!same(before.rate, route.policy.rate))
        rotation.bucket = route.policy.rate && createBucket(route.policy.rate)
      const old = new Map(members.map((it) => [it.endpoint.id, it]))
      const inRotation = all.filter(
        ({ health, direct, tunnel }) => (health === null || health === 'healthy') && (direct || tunnel),
      )
      members = inRotation.map((endpoint) => {
        const member = memberOf(endpoint, route, old.get(endpoint.id))
        old.delete(endpoint.id)
        return member
      })
      for (const gone of old.values()) leave(gone)
      if (members.length > 0) for (const go of [...waiting]) go()
    },
    open() {
      const all = new Map<string, number>()
      for (const member of [...members, ...leaving]) {
        const { id } = member.endpoint
        if (member.open > 0) all.set(id, (all.get(id) ?? 0) + member.open)
        else leaving.delete(member)
      }
      return all
    },
    finishing: () => [...leaving].flatMap(({ open, endpoint }) => (open > 0 ? [endpoint.id] : [])),
    retire() {
      for (const member of members) leave(member)
      members = []
    },
  }
  rotation.change(first, endpoints)
  return rotation
}
