/** An address and its rules as sentences. */
import type { GatewayRoute, Policy, WayInProblem } from '@kalnet/contracts/gateway'
import { duration, size } from '../format.ts'
import * as m from '../messages/index.ts'

/** What people type, dial or see in the bar of the browser. */
export function addressOf({ match, url }: Pick<GatewayRoute, 'match' | 'url'>): string {
  if (match.kind === 'http')
    return (
      url?.replace(/^https?:\/\//, '').replace(/\/$/, '') ??
      `${match.host}${match.pathPrefix === '/' ? '' : match.pathPrefix}`
    )
  const port = m.routePort(match.kind.toUpperCase(), match.listen)
  return match.kind === 'tcp' && match.sni ? `${port} ${m.routeSni(match.sni)}` : port
}

const USUAL_ANSWER_MS = 60_000
const USUAL_TRIES = 2

/** Only what is not as usual. */
export function rulesOf(policy: Policy): string[] {
  const { balance, sticky, canary, retries, breaker, rate, timeouts, bodyBytes } = policy
  return [
    balance === 'round-robin' ? null : m.ruleBalance[balance],
    sticky ? m.ruleSticky : null,
    ...canary.map(({ percent, release }) => m.ruleCanary(percent, release)),
    timeouts.answerMs === USUAL_ANSWER_MS ? null : m.ruleTimeout(duration(timeouts.answerMs)),
    retries.attempts === USUAL_TRIES ? null : m.ruleRetries(retries.attempts),
    breaker &&
      (breaker.onFault === 'closed'
        ? m.ruleBreaker(breaker.failurePercent, duration(breaker.openMs))
        : m.ruleBreakerSays(breaker.failurePercent)),
    rate && m.ruleRate(rate.perSecond, rate.by === 'client'),
    bodyBytes === null ? null : m.ruleBody(size(bodyBytes)),
  ].filter((it) => it !== null)
}

/** Two counts and the time between them, as "a minute"; null: nothing to compare with yet. */
export function perMinute(
  before: { count: number; at: number } | null,
  count: number,
  at: number,
): number | null {
  if (!before || at <= before.at || count < before.count) return null
  return ((count - before.count) * 60_000) / (at - before.at)
}

/** Those of one service's addresses, and what is about all of them. */
export function shownProblems(
  problems: readonly WayInProblem[],
  routeIds: ReadonlySet<string> | null,
): WayInProblem[] {
  return problems.filter(({ routeId }) => routeIds === null || routeId === null || routeIds.has(routeId))
}
