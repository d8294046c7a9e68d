/** One reader of the outbox per process, for everybody who has caught up: a thousand followers cost one query. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { isAfter, type Place } from './cursor.ts'
import { type EventRow, statements } from './events.store.ts'
import type { Store } from './store.ts'
import type { WakeUps } from './wake-ups.ts'

export interface Entry {
  place: Place
  row: EventRow
}
/** Where the outbox stands: see the statement `state`. */
export interface OutboxState {
  epoch: string
  now: Place
  pruned: Place
  waiting: boolean
}
/** Ends (done) when the signal fires, the epoch changes, or the follower is too slow for its queue: it reads for itself then. */
export type Follower = AsyncIterable<Entry>

export const PAGE = 500
/** Entries one follower may leave unread. */
const QUEUE = 2_000
const IDLE_MS = 1_000
/** Committed events that wait for an older transaction are looked for this often. */
const WAITING_MS = 15

export async function readOutbox(
  store: Store,
  after: Place | null,
): Promise<{ state: OutboxState; entries: Entry[] }> {
  return store.system.read(async (tx) => {
    const found = (await statements.state().execute(tx)).rows[0]
    if (!found) throw new Error('the table event_log has lost its row')
    const now = { xid: BigInt(found.xmin), seq: 0n }
    const pruned = { xid: BigInt(found.pruned_xid), seq: BigInt(found.pruned_seq) }
    const state = { epoch: found.epoch, now, pruned, waiting: found.waiting }
    if (!after) return { state, entries: [] }
    const request = { xid: String(after.xid), seq: String(after.seq), limit: PAGE }
    const { rows } = await statements.readAfter(request).execute(tx)
    const entries = rows.map((row) => ({ place: { xid: BigInt(row.xid), seq: BigInt(row.seq) }, row }))
    return { state, entries }
  })
}

interface Queue {
  entries: Entry[]
  from: Place
  over: boolean
  wake: () => void
}

export function createTail({
  store,
  log,
  clock,
  wakeUps,
}: {
  store: Store
  log: Log
  clock: Clock
  wakeUps: WakeUps | null
}) {
  const queues = new Set<Queue>()
  let place: Place | null = null
  let epoch: string | null = null
  let running: AbortController | null = null
  let nudge: () => void = () => undefined
  let nudged = false

  const end = (queue: Queue) => {
    queue.over = true
    queues.delete(queue)
    queue.wake()
  }
  function give(entries: Entry[]) {
    for (const queue of queues) {
      for (const entry of entries) if (isAfter(entry.place, queue.from)) queue.entries.push(entry)
      if (queue.entries.length > QUEUE) end(queue)
      else queue.wake()
    }
  }

  async function step(): Promise<number> {
    nudged = false
    const { state, entries } = await readOutbox(store, place)
    if (place === null || epoch !== state.epoch) {
      for (const queue of queues) end(queue)
      epoch = state.epoch
      place = state.now
      return 0
    }
    const last = entries.at(-1)
    if (last) {
      place = last.place
      give(entries)
    }
    if (entries.length === PAGE || nudged) return 0
    return state.waiting ? WAITING_MS : IDLE_MS
  }

  async function run(signal: AbortSignal) {
    const wake = () => {
      nudged = true
      nudge()
    }
    store.listen('kalnet_events', wake, signal)
    wakeUps?.hear(wake)
    while (!signal.aborted) {
      let pause = IDLE_MS
      try {
        pause = await step()
      } catch (error) {
        log.debug(
          { problem: error instanceof Error ? error.message : String(error) },
          'cannot read events yet',
        )
      }
      if (pause === 0) continue
      const woken = new AbortController()
      nudge = () => woken.abort()
      if (nudged && pause === IDLE_MS) continue
      // Woken early or not, the next step looks for itself.
      await clock.sleep(pause, AbortSignal.any([woken.signal, signal])).catch(() => undefined)
    }
  }

  return {
    start() {
      if (running) return
      running = new AbortController()
      void run(running.signal)
    },
    /** Fulfilled when the shared reader knows where it is, or after a second: look again. */
    async started(signal: AbortSignal) {
      for (let waited = 0; place === null && waited < IDLE_MS && !signal.aborted; waited += 10)
        await clock.sleep(10, signal)
    },
    /** How far the shared reader is; null while it has not started. Everything up to here can be read by anyone. */
    place: () => place,
    epoch: () => epoch,
    /** From `from` on; null while the shared reader is further than that (catch up first) or has not started. */
    follow(from: Place, signal: AbortSignal): Follower | null {
      if (place === null || isAfter(place, from) || signal.aborted) return null
      const queue: Queue = { entries: [], from, over: false, wake: () => undefined }
      queues.add(queue)
      signal.addEventListener('abort', () => end(queue), { once: true })
      return (async function* () {
        try {
          while (true) {
            const batch = queue.entries.splice(0)
            yield* batch
            if (queue.entries.length > 0) continue
            if (queue.over) return
            await new Promise<void>((resolve) => {
              queue.wake = resolve
            })
          }
        } finally {
          end(queue)
        }
      })()
    },
    close: () => running?.abort(),
  }
}
