/** Refusals on record, but never so many that they fill the disk: what is too much is counted, and said once a minute. */
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { AuditEntry } from '../core/call.ts'

/** Strangers together have one such budget, each person one of their own. */
const BURST = 300
const PER_MINUTE = 10
/** So many people's budgets are remembered. */
const ASKERS = 5_000
/** So many kinds of refusals are told apart in one minute. */
const KINDS = 200

interface Budget {
  left: number
  at: number
}
interface Counted {
  entry: AuditEntry
  times: number
  since: string
}

export interface Flood {
  /** False: it was counted instead. */
  admits(entry: AuditEntry): boolean
  /** What was counted since the last time, as rows. */
  take(): AuditEntry[]
}

export function createFlood({ clock }: { clock: Clock }): Flood {
  const budgets = new Map<string, Budget>()
  let counted = new Map<string, Counted>()

  function spend(asker: string): boolean {
    const now = clock.now().getTime()
    const known = budgets.get(asker)
    budgets.delete(asker)
    for (const oldest of budgets.keys()) {
      if (budgets.size < ASKERS) break
      budgets.delete(oldest)
    }
    // A clock that was set back gives nothing, one that jumped gives no more than a full budget.
    const gained = known ? (Math.max(0, now - known.at) / 60_000) * PER_MINUTE : 0
    const left = Math.min(BURST, (known?.left ?? BURST) + gained)
    budgets.set(asker, { left: left >= 1 ? left - 1 : left, at: now })
    return left >= 1
  }

  return {
    admits(entry) {
      if (entry.outcome === 'done') return true
      if (spend(entry.userId ?? 'nobody')) return true
      const kind = `${entry.userId} ${entry.organisationId} ${entry.action} ${entry.outcome}`
      const known = counted.get(kind)
      if (known) known.times += 1
      else if (counted.size < KINDS) counted.set(kind, { entry, times: 1, since: entry.at })
      else {
        const rest = counted.get('')
        if (rest) rest.times += 1
        else counted.set('', { entry: { ...entry, action: 'requests.refused' }, times: 1, since: entry.at })
      }
      return false
    },
    take() {
      const rows = [...counted.values()].map(({ entry, times, since }) => ({
        ...entry,
        id: newId(),
        at: clock.now().toISOString(),
        object: null,
        details: { times, since },
      }))
      counted = new Map()
      return rows
    },
  }
}
