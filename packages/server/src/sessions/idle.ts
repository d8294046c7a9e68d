/**
 * What becomes of a session that nobody uses, as its template said when it was launched: at first whoever looks is warned, and when
 * nobody stirs, it is put to sleep or stopped. All of it stands in its row, so that a restart of ours changes nothing, but that nobody is acted
 * upon without a warning. Pure.
 */
import { IDLE_WARNING_MS, type Session } from '@kalnet/contracts/session'
import type { SessionTemplate } from '@kalnet/contracts/template'

/** As it stands in the row; null there: nothing is done. */
export interface IdleRule {
  action: 'hibernate' | 'stop'
  afterMinutes: number
  watching: boolean
}
export interface Unused {
  state: Session['state']
  idle: IdleRule | null
  used_at: string | null
  warned_at: string | null
}

/** What a template says, as it is kept with the session: later versions of the template change nothing for it. */
export function ruleOf({ idle, home }: Pick<SessionTemplate, 'idle' | 'home'>): IdleRule | null {
  const { action, ...rest } = idle
  return action === 'nothing' || (action === 'hibernate' && home !== 'kept') ? null : { action, ...rest }
}

const MINUTE_MS = 60_000

/** When it is done if nobody stirs; null while nobody was warned. */
export function endOf({ state, idle, used_at: used, warned_at: warned }: Unused): Date | null {
  if (state !== 'running' || !idle || !used || !warned) return null
  return new Date(
    Math.max(Date.parse(used) + idle.afterMinutes * MINUTE_MS, Date.parse(warned) + IDLE_WARNING_MS),
  )
}

export type Due = 'nothing' | 'warn' | IdleRule['action']
export function dueOf(it: Unused, now: Date): Due {
  const { state, idle, used_at: used, warned_at: warned } = it
  if (state !== 'running' || !idle || !used) return 'nothing'
  const end = endOf(it)
  if (warned && end) return now >= end ? idle.action : 'nothing'
  const warnAt = Date.parse(used) + idle.afterMinutes * MINUTE_MS - IDLE_WARNING_MS
  return now.getTime() >= warnAt ? 'warn' : 'nothing'
}

const amount = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`
const inWords = (minutes: number): string =>
  minutes % 1440 === 0
    ? amount(minutes / 1440, 'day')
    : minutes % 60 === 0
      ? amount(minutes / 60, 'hour')
      : amount(minutes, 'minute')
/** Why it sleeps or was stopped. */
export const reasonOf = ({ afterMinutes }: IdleRule): string => `Nobody used it for ${inWords(afterMinutes)}.`
