/** What is known of the chains without asking for a check: how far they are sealed, and what the last check found. */

import type { auditRoutes, Verified } from '@kalnet/contracts/audit'
import type { AnswerOf } from '@kalnet/contracts/route'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Store } from '../core/store.ts'
import { lastPosition } from './canonical.ts'
import { shapeSegment } from './heads.ts'
import type { Retention } from './retention.ts'
import type { Search } from './search.ts'
import { statements } from './store.ts'
import type { Verifier } from './verify.ts'

const SHOWN = 100
const FIRST_MS = 60_000
const EVERY_MS = 24 * 3600_000
/** A chain of ten million rows takes less. */
const LONGEST_MS = 15 * 60_000

export interface ChecksOptions {
  store: Store
  clock: Clock
  log: Log
  search: Search
  retention: Retention
  verifier: Verifier
}

export function createChecks({ store, clock, log, search, retention, verifier }: ChecksOptions) {
  const last = new Map<string | null, Verified>()

  async function check(organisationId: string | null, signal: AbortSignal): Promise<Verified> {
    const result = await verifier.verify(organisationId, signal)
    last.set(organisationId, result)
    if (result.break) log.error({ organisationId, ...result.break }, 'the audit does not hold')
    return result
  }
  /** Who reads the installation's chain too is shown what is wrong with either. */
  const worse = (one: Verified | null, other: Verified | null) => (other?.break && !one?.break ? other : one)

  return {
    async check(organisationId: string, signal: AbortSignal): Promise<Verified> {
      const own = await check(organisationId, signal)
      const installation = (await search.readsInstallation(organisationId)) ? await check(null, signal) : null
      return worse(own, installation) ?? own
    },
    async state(organisationId: string): Promise<AnswerOf<typeof auditRoutes.chain>> {
      const { segments, pending } = await store.system.read(async (tx) => ({
        segments: (await statements.segments({ organisationId, newest: SHOWN }).execute(tx)).rows.map(
          shapeSegment,
        ),
        pending: (await statements.pending({ organisationId }).execute(tx)).rows[0]?.pending ?? 0,
      }))
      const newest = segments.at(-1)
      const installation = (await search.readsInstallation(organisationId)) ? (last.get(null) ?? null) : null
      return {
        sealed: newest ? String(lastPosition(newest)) : '0',
        pending,
        segments: segments.toReversed(),
        retentionDays: await retention.days(organisationId),
        last: worse(last.get(organisationId) ?? null, installation),
      }
    },
    /** A minute after the start, then daily: a break is in the log and on the screen without anybody asking. */
    async run(signal: AbortSignal): Promise<void> {
      for (let wait = FIRST_MS; !signal.aborted; wait = EVERY_MS) {
        await clock.sleep(wait, signal)
        try {
          const { rows } = await store.system.read((tx) => statements.chains().execute(tx))
          for (const row of rows)
            await check(row.organisation_id, AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]))
        } catch (error) {
          if (!signal.aborted)
            log.warn(
              { problem: error instanceof Error ? error.message : String(error) },
              'the audit could not be checked; tried again tomorrow',
            )
        }
      }
    },
  }
}
export type Checks = ReturnType<typeof createChecks>
