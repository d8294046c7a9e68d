/** What answers in a row come to: the states of health as a pure step, so that every case stands in a table. */
import type { HealthState, Probe } from '@kalnet/contracts/health'

export interface Standing {
  state: HealthState
  /** Of one kind in a row; the other kind starts again from nothing. */
  failures: number
  answers: number
  /** Has answered once in its life: from then on every failure counts. */
  hasAnswered: boolean
}

/** null: the probe could not tell (the platform itself still waits); counts neither way. */
export type Verdict = 'fine' | 'failed' | null

export const freshStanding = (state: HealthState = 'starting'): Standing => ({
  state,
  failures: 0,
  answers: 0,
  hasAnswered: state !== 'starting',
})

type Limits = Pick<Probe, 'failuresToUnhealthy' | 'answersToHealthy' | 'startPeriodMs'>

/** `ageMs`: since the instance was created. */
export function judge(standing: Standing, verdict: Verdict, ageMs: number, limits: Limits): Standing {
  if (verdict === null) return standing
  if (verdict === 'fine') {
    const answers = standing.answers + 1
    const isHealthy = standing.state === 'healthy' || answers >= limits.answersToHealthy
    return { state: isHealthy ? 'healthy' : standing.state, failures: 0, answers, hasAnswered: true }
  }
  const isExcused = !standing.hasAnswered && ageMs < limits.startPeriodMs
  if (isExcused) return { ...standing, answers: 0 }
  const failures = standing.failures + 1
  const isUnhealthy = failures >= limits.failuresToUnhealthy
  return { ...standing, state: isUnhealthy ? 'unhealthy' : standing.state, failures, answers: 0 }
}

/** Until it is asked again; up to a tenth more or less, so that many that began together do not stay together. */
export function waitAfter(
  standing: Standing,
  probe: Pick<Probe, 'intervalMs' | 'failingIntervalMs'>,
  random = Math.random,
): number {
  const isFine = standing.state === 'healthy' && standing.failures === 0
  return Math.round((isFine ? probe.intervalMs : probe.failingIntervalMs) * (0.9 + random() / 5))
}
