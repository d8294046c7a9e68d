/** An entry of the record as a sentence: who, what they did, and the thing's name where it is known. */
import type { AuditRow } from '@kalnet/contracts/audit'
import { duration } from '../format.ts'
import * as m from '../messages/index.ts'

export interface Sentence {
  who: string
  /** Before, the thing, after: the thing stands out. */
  before: string
  thing: string | null
  after: string
}

export const isRefused = (row: Pick<AuditRow, 'outcome'>) => row.outcome !== 'done'

export function whoOf(row: Pick<AuditRow, 'userName' | 'actorKind'> & Partial<AuditRow>): string {
  if (row.details?.by === 'rule') return m.product
  if (row.actorKind === 'local-cli') return m.activityMachine
  if (row.userName) return row.userName
  return row.actorKind === 'service-key' ? m.activityProgram : m.activitySomebody
}

/** "launch|launched {a session}" → "launched …" or "launch …". */
function phrase(row: AuditRow): string {
  const refused = isRefused(row)
  const known = m.activityWords[row.action]
  if (!known) {
    const plain = row.action.replace(/[.-]/g, ' ')
    return refused ? m.activityOtherTried(plain) : m.activityOther(plain)
  }
  const [verb = '', rest = ''] = known.split('|')
  if (!refused) return row.details.step === 'first' ? m.activityFirstStep : rest
  if (row.action === 'user.signed-in')
    return row.objectName ? m.activityFailed(row.objectName) : m.activityFailedUnknown
  return m.activityTried(`${verb}${rest.slice(rest.indexOf(' ') < 0 ? rest.length : rest.indexOf(' '))}`)
}

export function sentenceOf(row: AuditRow): Sentence {
  const [, before = '', fallback, after = ''] = /^([^{]*)(?:\{([^}]*)\})?(.*)$/.exec(phrase(row)) ?? []
  const named = typeof row.details.email === 'string' ? row.details.email : null
  const thing = fallback === undefined ? null : (row.objectName ?? named)
  const lasted = row.action === 'stream.closed' ? Number(row.details.durationMs) : Number.NaN
  const times = Number(row.details.times)
  const ends = [
    after,
    Number.isFinite(lasted) ? ` ${m.activityAfter(duration(lasted))}` : '',
    times > 0 ? `, ${m.activityMore(times)}` : '',
  ]
  return {
    who: whoOf(row),
    before: thing === null && fallback !== undefined ? `${before}${fallback}` : before,
    thing,
    after: ends.join(''),
  }
}

export const reasonOf = (row: AuditRow) => m.activityReasons[row.outcome] ?? row.outcome
export const placeOf = (row: Pick<AuditRow, 'address'>) =>
  row.address === 'local' ? m.activityHere : m.activityFrom(row.address)

/** Today, yesterday, or the date. */
export function dayOf(at: string, now: Date): string {
  const day = new Date(at)
  const start = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
  const back = Math.round((start(now) - start(day)) / 86_400_000)
  if (back === 0) return m.today
  if (back === 1) return m.yesterday
  return new Intl.DateTimeFormat(document.documentElement.lang || 'en', { dateStyle: 'full' }).format(day)
}
