/** The circuit breaker: opens when too much fails, tries one request after a while, closes when that one is answered. */
import type { Policy } from '@kalnet/contracts/gateway'
import { next, type Table } from '@kalnet/contracts/machine'
import { createWindow } from './window.ts'

export type BreakerState = 'closed' | 'open' | 'half-open'
type BreakerEvent = 'too-many-failures' | 'rested' | 'trial-answered' | 'trial-failed'

export const BREAKER_TABLE: Table<BreakerState, BreakerEvent> = {
  closed: { 'too-many-failures': 'open' },
  open: { rested: 'half-open' },
  'half-open': { 'trial-answered': 'closed', 'trial-failed': 'open' },
}
type Rules = NonNullable<Policy['breaker']>
/** `trial`: what becomes of it must be told as such. */
export type Admission = { pass: true; trial: boolean } | { pass: false; seconds: number }

export interface Breaker {
  state(now: number): BreakerState
  admit(now: number): Admission
  /** Given up by the client: says nothing, but frees the place of a trial. */
  told(now: number, outcome: 'answered' | 'failed' | 'given-up', trial: boolean): void
}

export function createBreaker(rules: Rules): Breaker {
  const counts = createWindow(rules.windowMs)
  let state: BreakerState = 'closed'
  let openedAt = 0
  let trying = false

  function move(event: BreakerEvent, now: number) {
    const to = next(BREAKER_TABLE, state, event)
    if (!to) return
    state = to
    trying = false
    if (to === 'open') openedAt = now
    else counts.clear()
  }
  function look(now: number): BreakerState {
    if (state === 'open' && now - openedAt >= rules.openMs) move('rested', now)
    return state
  }
  return {
    state: look,
    admit(now) {
      const at = look(now)
      if (at === 'closed') return { pass: true, trial: false }
      if (at === 'half-open' && !trying) {
        trying = true
        return { pass: true, trial: true }
      }
      if (rules.onFault === 'open') return { pass: true, trial: false }
      const restMs = at === 'open' ? openedAt + rules.openMs - now : 1000
      return { pass: false, seconds: Math.max(1, Math.ceil(restMs / 1000)) }
    },
    told(now, outcome, trial) {
      if (trial) {
        if (outcome === 'given-up') trying = false
        else move(outcome === 'answered' ? 'trial-answered' : 'trial-failed', now)
        return
      }
      if (outcome === 'given-up' || state !== 'closed') return
      counts.add(now, outcome === 'answered' ? 1 : 0, outcome === 'failed' ? 1 : 0)
      if (outcome !== 'failed') return
      const { good, bad } = counts.sum(now)
      if (good + bad >= rules.requests && (bad / (good + bad)) * 100 >= rules.failurePercent)
        move('too-many-failures', now)
    },
  }
}
