/** Who did what, from where, and what was refused: written by the pipeline, never by a handler; sealed, searched, exported, kept. */
import { type Clock, stamp, systemClock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Events } from '../core/events.ts'
import type { Handler, RecordAudit } from '../core/http.ts'
import type { Secrets } from '../core/secrets.ts'
import { aside, type Store } from '../core/store.ts'
import { createAnchor } from './anchor.ts'
import { createChecks } from './checks.ts'
import { createExport } from './export.ts'
import { createFlood } from './flood.ts'
import { headKey, shapeSegment } from './heads.ts'
import { createRecord } from './record.ts'
import { createRetention } from './retention.ts'
import { routesOfAudit } from './routes.ts'
import { createSealer } from './sealer.ts'
import { createSearch } from './search.ts'
import { statements } from './store.ts'
import { createVerifier } from './verify.ts'

const FLUSH_MS = 60_000
const ALL = 100_000

export interface AuditKeeperOptions {
  events: Events
  secrets: Secrets
  log: Log
  version: string
  /** Where the ends of the chains are noted beside the database; null: nowhere. */
  anchorFile: string | null
}
export interface AuditKeeper {
  routes: Handler[]
  /** Ends when the sealer has given its lease back. */
  close(): Promise<void>
}

export function createAudit({ store, clock = systemClock }: { store: Store; clock?: Clock }) {
  const flood = createFlood({ clock })
  let wake: () => void = () => undefined
  const record: RecordAudit = createRecord({ store, flood, wake: () => wake() })

  async function writeCounted(): Promise<void> {
    for (const row of flood.take())
      await aside(() =>
        store.system.transaction((tx) =>
          statements.add({ ...row, details: JSON.stringify(row.details) }).execute(tx),
        ),
      )
  }

  /** Seals, checks and keeps the audit from here on, until closed. */
  async function keep({
    events,
    secrets,
    log,
    version,
    anchorFile,
  }: AuditKeeperOptions): Promise<AuditKeeper> {
    const stopping = new AbortController()
    const { signal } = stopping
    const key = await headKey(store, secrets)
    const anchor = createAnchor({ path: anchorFile, clock, log })
    const sealer = createSealer({ store, events, clock, log, key, sealed: anchor.note })
    wake = sealer.wake
    const search = createSearch({ store })
    const verifier = createVerifier({ store, clock, key, anchor })
    const retention = createRetention({ store, clock, log })
    const checks = createChecks({ store, clock, log, search, retention, verifier })
    const heads = async (organisationId: string) => {
      const chains = (await search.readsInstallation(organisationId))
        ? [organisationId, null]
        : [organisationId]
      return store.system.read(async (tx) => {
        const found = []
        for (const chain of chains)
          found.push(
            ...(await statements.segments({ organisationId: chain, newest: ALL }).execute(tx)).rows.map(
              shapeSegment,
            ),
          )
        return found
      })
    }
    const counting = async () => {
      while (!signal.aborted) {
        await clock.sleep(FLUSH_MS, signal).catch(() => undefined)
        await writeCounted().catch((error: unknown) =>
          log.warn(
            { problem: error instanceof Error ? error.message : String(error) },
            'refusals that were counted are not on record',
          ),
        )
      }
    }
    // Each ends with the signal; that is no failure.
    const running = [sealer.run(signal), checks.run(signal), retention.run(sealer, signal), counting()].map(
      (it) => it.catch(() => undefined),
    )
    return {
      routes: routesOfAudit({
        search,
        retention,
        checks,
        verifier,
        exported: createExport({ search, heads, version }),
        today: () => stamp(clock).slice(0, 10),
      }),
      async close() {
        stopping.abort(new Error('stopping'))
        await Promise.all(running)
        await anchor
          .flush()
          .catch(() => log.warn({}, 'the end of the audit was not written beside the database'))
      },
    }
  }
  return { record, keep, writeCounted }
}
