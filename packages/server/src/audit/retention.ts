/** How long the audit is kept: whole closed segments go, their heads stay. */
import { RETENTION } from '@kalnet/contracts/audit'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Store } from '../core/store.ts'
import type { Sealer } from './sealer.ts'
import { statements } from './store.ts'

const EVERY_MS = 3600_000
/** A clock that moved by more than this against the wait was set: nothing is removed on its word. */
const STEADY_MS = 10 * 60_000

export function createRetention({ store, clock, log }: { store: Store; clock: Clock; log: Log }) {
  async function dropDue(): Promise<number> {
    let dropped = 0
    for (;;) {
      const now = clock.now().toISOString()
      const { rows } = await store.system.read((tx) =>
        statements.dueSegments({ now, defaultDays: RETENTION.default }).execute(tx),
      )
      if (rows.length === 0) return dropped
      for (const { organisation_id: organisationId, number } of rows) {
        const gone = await store.system.transaction((tx) =>
          statements.dropSegment({ organisationId, number }).execute(tx),
        )
        log.info({ organisationId, segment: number, rows: gone.rows[0]?.gone }, 'old audit was dropped')
        dropped += 1
      }
    }
  }
  return {
    dropDue,
    async days(organisationId: string): Promise<number> {
      const { rows } = await store
        .as(organisationId)
        .read((tx) => statements.retention({ organisationId }).execute(tx))
      return rows[0]?.retention_days ?? RETENTION.default
    },
    async set(organisationId: string, days: number): Promise<void> {
      await store
        .as(organisationId)
        .transaction((tx) => statements.setRetention({ organisationId, days }).execute(tx))
    },
    /** Every hour, when the clock went evenly through that hour: one that jumped ahead would drop everything. */
    async run(sealer: Pick<Sealer, 'closeDays'>, signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        const began = clock.now().getTime()
        await clock.sleep(EVERY_MS, signal)
        const off = Math.abs(clock.now().getTime() - began - EVERY_MS)
        try {
          await sealer.closeDays()
          if (off <= STEADY_MS) await dropDue()
          else log.warn({ offMs: off }, 'the clock was set: old audit is kept for now')
        } catch (error) {
          log.warn(
            { problem: error instanceof Error ? error.message : String(error) },
            'old audit could not be dropped; tried again in an hour',
          )
        }
      }
    },
  }
}
export type Retention = ReturnType<typeof createRetention>
