/** What people are told of a service: derived from what is wanted and from its instances, with the reason in words. Pure. */
import type { ServiceState } from '@kalnet/contracts/service'
import { instanceState, isEnded, isGood, isReachable, type Member } from './member.ts'
import { type PlannedRelease, placesOf } from './plan.ts'

export interface Told {
  state: ServiceState
  reason: string | null
}
export interface StateOf {
  desired: 'running' | 'stopped'
  replicas: number
  live: PlannedRelease
  next: PlannedRelease | null
  members: readonly Member[]
  /** Why nothing could be placed, why it was stopped, why the last release was given up. */
  problem: string | null
}

export const AWAY = 'Its machine is not connected.'
/** From here on it is said that it failed, though it is tried again. */
const FAILED_FROM = 3

const why = (it: Member): string => {
  const said = it.observed?.reason ?? 'Its program ended.'
  return said.endsWith('.') ? said : `${said}.`
}

export function serviceState({ desired, replicas, live, next, members, problem }: StateOf): Told {
  if (desired === 'stopped') {
    const left = members.find((it) => !isEnded(it) && it.observed !== null)
    if (!left) return { state: 'stopped', reason: problem }
    return { state: 'stopping', reason: isReachable(left) ? problem : AWAY }
  }
  if (next && next.number !== live.number)
    return { state: 'updating', reason: problem ?? `Release ${next.number} is on its way.` }

  const mine = members.filter((it) => it.release === live.number)
  const probed = new Map(live.parts.map((part) => [part.name, part.hasProbe]))
  const good = (it: Member) => isGood(it, probed.get(it.part) ?? false)
  const missing = placesOf(live, replicas).filter(
    ({ part, number }) => !mine.some((it) => it.part === part.name && it.number === number && good(it)),
  )
  if (missing.length === 0) return { state: 'running', reason: problem }

  const inTrouble = mine.filter((it) => !good(it))
  const main = live.parts[0]?.name
  const others = missing.filter(({ part }) => part.name !== main)
  const mains = mine.filter((it) => it.part === main && good(it))
  if (others.length === 0 && mains.length > 0)
    return { state: 'running', reason: `${mains.length} of ${replicas} are there.` }

  const away = inTrouble.find((it) => instanceState(it) === 'unreachable')
  if (away) return { state: 'unhealthy', reason: AWAY }
  const sick = inTrouble.find((it) => it.observed?.health?.state === 'unhealthy')
  if (sick) return { state: 'unhealthy', reason: sick.observed?.health?.detail ?? null }
  const ended = inTrouble.find((it) => it.desired === 'running' && isEnded(it))
  if (ended)
    return ended.restarts >= FAILED_FROM
      ? { state: 'failed', reason: why(ended) }
      : { state: 'starting', reason: `${why(ended)} It is started again.` }
  if (problem && missing.length > inTrouble.length) return { state: 'waiting', reason: problem }
  return { state: 'starting', reason: null }
}
