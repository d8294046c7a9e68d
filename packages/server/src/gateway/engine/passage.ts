/** One admitted request on its way: judged, let through the breaker, counted, and ended with its sign-in. */
import type { IncomingMessage } from 'node:http'
import { fail, type KalnetError } from '@kalnet/contracts/errors'
import { mustBeJudged, type Passed, type Visit } from './admit.ts'
import type { Calls } from './figures.ts'
import type { EngineOptions, Verdict } from './interface.ts'
import type { Opened } from './opened.ts'
import type { Member } from './rotation.ts'

export interface Shared extends Pick<EngineOptions, 'clock' | 'log' | 'judge'> {
  calls: Calls
  opened: Opened
  /** The service at this address, when it is one of ours. */
  serviceAt(address: string): string | null
}

const PASSED: Passed = { pass: true, headers: {}, drop: [], signInId: null, userId: null }

/** Null: nobody needs to be asked. */
export function judgeVisit(
  visit: Visit,
  request: IncomingMessage,
  { judge }: Shared,
): Promise<Verdict> | Passed {
  if (!mustBeJudged(visit)) return PASSED
  return judge({
    route: visit.rotation.route,
    method: visit.method,
    scheme: visit.scheme,
    host: visit.host.text,
    uri: visit.uri,
    headers: request.headers,
    address: visit.address,
    upgrade: visit.upgrade,
  })
}

export type Outcome = 'answered' | 'failed' | 'given-up'
export interface Passage {
  now(): number
  /** One try at one instance began. Answers how to end it; `open` counts it until then. */
  try(member: Member): () => void
  /** What came of the last try. */
  told(member: Member, outcome: Outcome): void
  mayRetry(attempts: number): boolean
  /** The answer's headers are there, or there is none. `failed`: as people see it. */
  answered(failed: boolean): void
  over(): void
}

/** Throws `gateway.open-breaker`. `end` is called when the sign-in that let it in ends. */
export function beginPassage(visit: Visit, verdict: Passed, shared: Shared, end: () => void): Passage {
  const { rotation } = visit
  const { counts, policy, route, breaker, budget } = rotation
  const now = () => shared.clock.now().getTime()
  const admission = breaker?.admit(now()) ?? { pass: true as const, trial: false }
  if (!admission.pass) {
    counts.rejected += 1
    throw fail('gateway.open-breaker', { name: route.serviceName, seconds: admission.seconds })
  }
  const began = performance.now()
  budget.asked(now())
  counts.open += 1
  const forget = verdict.signInId === null ? null : shared.opened.add(verdict.signInId, end)
  let over = false
  let said = false
  let toldBreaker = false
  return {
    now,
    try(member) {
      member.open += 1
      let ended = false
      return () => {
        if (!ended) member.open -= 1
        ended = true
      }
    },
    told(member, outcome) {
      toldBreaker = true
      breaker?.told(now(), outcome, admission.trial)
      if (outcome !== 'given-up') rotation.told(now(), member, outcome === 'answered')
    },
    mayRetry(attempts) {
      if (attempts > policy.retries.attempts || !budget.take(now())) return false
      counts.retries += 1
      return true
    },
    answered(failed) {
      if (said) return
      said = true
      counts.times.add(performance.now() - began)
      if (failed) counts.failures += 1
      shared.calls.note(shared.serviceAt(visit.address), route.serviceName, failed, now())
    },
    over() {
      if (over) return
      over = true
      counts.open -= 1
      if (!toldBreaker) breaker?.told(now(), 'given-up', admission.trial)
      forget?.()
    },
  }
}

/** Why there was no answer, for people. */
export function noAnswer(visit: Visit, error: Error & { code?: string }): KalnetError {
  const name = visit.rotation.route.serviceName
  const words: Record<string, string> = {
    ECONNREFUSED: 'nothing listens there',
    ECONNRESET: 'it hung up',
    EPIPE: 'it hung up',
    EHOSTUNREACH: 'its machine is not there',
    ENETUNREACH: 'its machine is not there',
  }
  const problem =
    words[error.code ?? ''] ?? (error.code?.startsWith('HPE_') ? 'it does not speak HTTP' : 'no connection')
  return fail('gateway.unreachable', { name, problem }, error)
}
