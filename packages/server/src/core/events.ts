/** The outbox: facts written with their cause, read in order by everybody who follows; nothing lost, nothing twice, or an explicit gap. */
import { EVENTS, type EventData, type EventType, type KalnetEvent } from '@kalnet/contracts/event'
import { backoff, type Clock, stamp, systemClock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { cursorOf, isAfter, type Place, parseCursor } from './cursor.ts'
import { type EventRow, statements } from './events.store.ts'
import { createTail, PAGE, readOutbox } from './events-tail.ts'
import type { Store, Tx } from './store.ts'
import type { WakeUps } from './wake-ups.ts'

export type Heard = { kind: 'event'; event: KalnetEvent } | { kind: 'gap'; cursor: string }
export interface Events {
  /** Stands in the transaction of its cause. organisationId null: about the installation (kalnet_system only). */
  publish<T extends EventType>(
    tx: Tx,
    type: T,
    where: { organisationId: string | null; userId: string | null },
    data: EventData<T>,
  ): Promise<void>
  /**
   * `after` null: from now. A gap means: read everything again, then go on; its cursor is where this goes on.
   * Lives through a database that is away; ends with the signal.
   */
  subscribe(options: { types?: EventType[]; after: string | null; signal: AbortSignal }): AsyncIterable<Heard>
  /** Now: every event committed later comes after it. */
  cursor(): Promise<string>
  /** Forgets events older than this; who still stands before them gets a gap. */
  prune(olderThanMs: number): Promise<void>
  close(): void
}

const eventOf = (epoch: string, place: Place, row: EventRow): KalnetEvent | null =>
  row.type in EVENTS
    ? {
        cursor: cursorOf(epoch, place),
        type: row.type as EventType,
        organisationId: row.organisation_id,
        userId: row.user_id,
        at: row.at,
        // Written by publish, whose types are the contract's.
        data: row.data as EventData<EventType>,
      }
    : null

export function createEvents({
  store,
  log,
  clock = systemClock,
  wakeUps = null,
}: {
  store: Store
  log: Log
  clock?: Clock
  /** How others hear of it besides NOTIFY. */
  wakeUps?: WakeUps | null
}): Events {
  const tail = createTail({ store, log, clock, wakeUps })

  /** The database may be away for a while: a follower waits for it. */
  async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (signal.aborted) throw error
        log.debug(
          { problem: error instanceof Error ? error.message : String(error) },
          'waiting for the database',
        )
        await clock.sleep(backoff(attempt, 100, 2_000), signal)
      }
    }
  }

  async function* follow(
    after: string | null,
    types: Set<string> | null,
    signal: AbortSignal,
  ): AsyncGenerator<Heard> {
    const wanted = (epoch: string, place: Place, row: EventRow): Heard[] => {
      const event = types && !types.has(row.type) ? null : eventOf(epoch, place, row)
      return event ? [{ kind: 'event', event }] : []
    }
    const known = after === null ? null : parseCursor(after)
    const first = (await patiently(() => readOutbox(store, null), signal)).state
    let epoch = known?.epoch ?? (after === null ? first.epoch : '')
    let place: Place = known ?? first.now
    while (!signal.aborted) {
      const shared = tail.epoch() === epoch ? tail.follow(place, signal) : null
      if (shared) {
        for await (const entry of shared) {
          place = entry.place
          yield* wanted(epoch, place, entry.row)
        }
        continue
      }
      // Behind, or starting: read for ourselves until we stand where the shared reader stands.
      tail.start()
      const reached = tail.epoch() === epoch ? tail.place() : null
      const { state, entries } = await patiently(() => readOutbox(store, place), signal)
      if (state.epoch !== epoch || isAfter(state.pruned, place)) {
        epoch = state.epoch
        place = state.now
        yield { kind: 'gap', cursor: cursorOf(epoch, place) }
        continue
      }
      for (const entry of entries) {
        place = entry.place
        yield* wanted(epoch, place, entry.row)
      }
      if (entries.length < PAGE) {
        if (reached && isAfter(reached, place)) place = reached
        if (!reached) await tail.started(signal)
      }
    }
  }

  return {
    async publish(tx, type, where, data) {
      await statements.publish({ type, ...where, at: stamp(clock), data: JSON.stringify(data) }).execute(tx)
      if (wakeUps) store.afterCommit(tx, wakeUps.tell)
    },
    async *subscribe({ types, after, signal }) {
      try {
        yield* follow(after, types ? new Set(types) : null, signal)
      } catch (error) {
        // Stopping while waiting for the database is an end, not a failure.
        if (!signal.aborted) throw error
      }
    },
    async cursor() {
      const { state } = await readOutbox(store, null)
      return cursorOf(state.epoch, state.now)
    },
    async prune(olderThanMs) {
      const before = new Date(clock.now().getTime() - olderThanMs).toISOString()
      await store.system.transaction((tx) => statements.prune({ before }).execute(tx))
    },
    close: () => tail.close(),
  }
}
