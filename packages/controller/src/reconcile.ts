/** Makes what is there match what is desired: level-triggered, one worker per instance, safe against lost, repeated, late and reordered messages. */
import type { Health } from '@kalnet/contracts/health'
import type { DesiredInstance, ObservedInstance, Progress, Wish } from '@kalnet/contracts/instance'
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { handlesOf, isLeft, orphan, type Running, runningOf } from './entries.ts'
import type { Entry, Journal } from './journal.ts'
import { createLife, freshEntry } from './life.ts'
import { createLimit } from './limit.ts'
import { isAway, lostInWords } from './platforms/away.ts'
import type { Handle, Platform } from './platforms/platform.ts'
import { createThrottle } from './throttle.ts'
import { decline } from './unreadable.ts'

const CREATIONS_AT_ONCE = 8
/** Safety net under the platforms' own notices. */
const LOOK_AGAIN_MS = 30_000
const LOST_AFTER_ATTEMPTS = 3
const PROGRESS_MS = 200

export interface Reconciler {
  desired(instance: Wish): void
  /** The full set: what is not in it is taken away. */
  desiredAll(instances: Wish[]): void
  forget(id: string, generation: number): void
  /** Everything known here, for the full exchange on connect. */
  inventory(): ObservedInstance[]
  /** The live runtime of an instance, for streams and logs. */
  find(id: string): { platform: Platform; handle: Handle; generation: number } | null
  /** Anything of it is here, or wanted here. */
  has(id: string): boolean
  /** Null when it does not run: what is asked of it, and what it asks of others, ends then. */
  running(id: string): Running | null
  /** What its probe says now; of another generation it is dropped. */
  noteHealth(id: string, generation: number, health: Health): void
  /** Watches the platforms until the signal given at creation is aborted. Instances stay as they are. */
  run(): Promise<void>
  /** Resolves when no worker has anything to do. For tests. */
  idle(): Promise<void>
}

interface Slot {
  entry: Entry
  dirty: boolean
  working: Promise<void> | null
  /** Aborted when something else is desired than what the worker is doing. */
  change: AbortController
}

export function createReconciler(options: {
  platforms: Platform[]
  journal: Journal
  clock: Clock
  log: Log
  report(observed: ObservedInstance): void
  /** What an instance that asks for a certificate is given before it starts. */
  identityOf?(instanceId: string, signal: AbortSignal): Promise<Record<string, string> | null>
  /** Something about this instance is not as it was. */
  changed?(id: string): void
  signal: AbortSignal
  random?: () => number
}): Reconciler {
  const { platforms, journal, clock, log, signal } = options
  const slots = new Map<string, Slot>()
  const reports = createThrottle<ObservedInstance>(PROGRESS_MS, (observed) => options.report(observed))
  /** Entries the disk had no room for; written when it has. */
  const unwritten = new Set<string>()
  let haveAll = false

  const platform = (name: string) => platforms.find((it) => it.name === name)
  const life = createLife({
    platform,
    platforms,
    clock,
    identityOf: options.identityOf ?? (async () => null),
    creating: createLimit(CREATIONS_AT_ONCE),
    save(entry) {
      // A step that was overtaken still ends; what it saw is no longer the truth about this id.
      if (signal.aborted || slots.get(entry.id)?.entry !== entry) return
      if (entry.phase === 'settled') delete entry.observed.health
      // What has ended is told even when the disk is full; a start never goes on unwritten.
      if (entry.phase === 'settled') write(entry)
      else journal.write(entry)
      reports.now(entry.id, entry.observed)
      options.changed?.(entry.id)
    },
    progress(entry: Entry, progress: Progress) {
      entry.observed = { ...entry.observed, progress: { ...progress, text: progress.text.slice(0, 200) } }
      if (!signal.aborted && slots.get(entry.id)?.entry === entry) reports.soon(entry.id, entry.observed)
    },
  })

  const addSlot = (entry: Entry): Slot => {
    const slot: Slot = { entry, dirty: false, working: null, change: new AbortController() }
    slots.set(entry.id, slot)
    return slot
  }

  function poke(slot: Slot) {
    slot.dirty = true
    slot.working ??= work(slot).finally(() => {
      slot.working = null
      if (slot.dirty && !signal.aborted && slots.get(slot.entry.id) === slot) poke(slot)
    })
  }

  /** What the worker does now is no longer wanted. */
  function interrupt(slot: Slot) {
    slot.change.abort(new Error('something else is desired now'))
    poke(slot)
    options.changed?.(slot.entry.id)
  }

  async function work(slot: Slot) {
    // A message handler that pokes must never run platform code itself.
    await Promise.resolve()
    for (let attempt = 0; slot.dirty && !signal.aborted; ) {
      slot.dirty = false
      slot.change = new AbortController()
      const now = AbortSignal.any([signal, slot.change.signal])
      const { entry } = slot
      try {
        const isGone = await life.step(entry, now)
        attempt = 0
        // Replaced while we took the old one away: the new entry is still to be worked on.
        if (!isGone || slot.entry !== entry || signal.aborted) continue
        journal.bury(entry.id, entry.generation)
        reports.drop(entry.id)
        slots.delete(entry.id)
        options.changed?.(entry.id)
        return
      } catch (error) {
        if (signal.aborted) return
        slot.dirty = true
        attempt = now.aborted ? 0 : attempt + 1
        if (now.aborted) continue
        if (!isAway(error) || attempt === 1) log.warn({ instance: entry.id, attempt, error }, 'tried again')
        try {
          const lost = lostInWords(error)
          if (lost || (!isAway(error) && attempt >= LOST_AFTER_ATTEMPTS)) life.lost(entry, lost)
          await clock.sleep(backoff(attempt, 100, 15_000, options.random), now)
        } catch (problem) {
          if (!now.aborted) log.error({ instance: entry.id, error: problem }, 'the journal cannot be written')
        }
      }
    }
  }

  /** A full disk must not lose what was asked for: the worker writes again before it creates anything. */
  function write(entry: Entry) {
    try {
      journal.write(entry)
      unwritten.delete(entry.id)
    } catch (error) {
      unwritten.add(entry.id)
      log.error({ instance: entry.id, error }, 'the journal cannot be written')
    }
  }

  function stop(slot: Slot, wish: DesiredInstance) {
    slot.entry.desired = { ...wish, state: 'stopped' }
    write(slot.entry)
    interrupt(slot)
  }

  function accept(instance: Wish) {
    const { id, generation } = instance
    const slot = slots.get(id)
    if (generation <= journal.buried(id)) return
    if ('unreadable' in instance)
      return decline(instance, slot?.entry, { report: options.report, stop: (it) => slot && stop(slot, it) })
    if (!slot) {
      const entry = freshEntry(instance, clock)
      write(entry)
      return poke(addSlot(entry))
    }
    const { entry } = slot
    if (generation < entry.generation) {
      log.info({ instance: id, generation, have: entry.generation }, 'an older generation is refused')
      return
    }
    if (generation > entry.generation) {
      const leftovers = [...entry.leftovers, ...(entry.handle ? [entry.handle] : [])]
      const fresh = freshEntry(instance, clock, leftovers)
      // A creation that was under way may have made something nobody wrote down: look before making the next.
      const isCertain = entry.handle !== null || entry.phase === 'new' || entry.phase === 'settled'
      if (!isCertain) fresh.phase = 'creating'
      write(fresh)
      slot.entry = fresh
      return interrupt(slot)
    }
    if (entry.phase === 'forgotten' || !entry.desired) return
    // Within one generation an instance only ever goes from running to stopped: late "running" messages change nothing.
    if (instance.state === 'stopped' && entry.desired.state === 'running') return stop(slot, entry.desired)
    poke(slot)
  }

  function forget(slot: Slot) {
    if (slot.entry.phase === 'forgotten') return poke(slot)
    // A copy, so that a step that is still running writes to an entry nobody looks at any more.
    const entry: Entry = { ...slot.entry, phase: 'forgotten' }
    slot.entry = entry
    write(entry)
    interrupt(slot)
  }

  /** Runtimes that nobody desires: left by a crash, a lost disk or a lost message. */
  async function reap() {
    if (!haveAll) return
    for (const handle of await handlesOf(platforms, log)) {
      const slot = slots.get(handle.instanceId)
      if (slot && isLeft(handle, slot.entry)) {
        slot.entry.leftovers.push(handle)
        poke(slot)
      } else if (!slot) poke(addSlot(orphan(handle)))
    }
  }

  async function watch(it: Platform) {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        for await (const { instanceId } of it.changes(signal)) {
          attempt = 0
          const slot = slots.get(instanceId)
          if (slot) poke(slot)
        }
      } catch (error) {
        if (!signal.aborted) log.warn({ platform: it.name, error }, 'its notices stopped')
      }
      await clock.sleep(backoff(attempt, 250, 15_000, options.random), signal).catch(() => undefined)
      for (const slot of slots.values()) poke(slot)
    }
  }

  for (const entry of journal.all()) addSlot(entry)

  return {
    desired: accept,
    desiredAll(instances) {
      haveAll = true
      const wanted = new Set(instances.map((it) => it.id))
      for (const instance of instances) accept(instance)
      for (const slot of slots.values()) if (!wanted.has(slot.entry.id)) forget(slot)
      reap().catch((error) => log.warn({ error }, 'orphans could not be looked for'))
    },
    forget(id, generation) {
      const slot = slots.get(id)
      if (!slot) return journal.bury(id, generation)
      if (slot.entry.generation <= generation) forget(slot)
    },
    inventory: () =>
      [...slots.values()].filter((it) => it.entry.desired !== null).map((it) => it.entry.observed),
    find(id) {
      const entry = slots.get(id)?.entry
      const its = platform(entry?.handle?.platform ?? '')
      if (!entry?.handle || !its) return null
      return { platform: its, handle: entry.handle, generation: entry.generation }
    },
    has: (id) => slots.has(id),
    running(id) {
      const entry = slots.get(id)?.entry
      return entry ? runningOf(entry, platform(entry.handle?.platform ?? ''), clock) : null
    },
    noteHealth(id, generation, health) {
      const entry = slots.get(id)?.entry
      if (signal.aborted || entry?.generation !== generation || entry.phase !== 'created') return
      entry.observed = { ...entry.observed, health }
      write(entry)
      reports.now(id, entry.observed)
    },
    async run() {
      for (const slot of slots.values()) {
        poke(slot)
        options.changed?.(slot.entry.id)
      }
      const lookAgain = async () => {
        while (!signal.aborted) {
          await clock.sleep(LOOK_AGAIN_MS, signal).catch(() => undefined)
          if (signal.aborted) return
          for (const id of [...unwritten]) {
            const slot = slots.get(id)
            if (slot) write(slot.entry)
            else unwritten.delete(id)
          }
          for (const slot of slots.values()) poke(slot)
          await reap().catch((error) => log.warn({ error }, 'orphans could not be looked for'))
        }
      }
      await Promise.all([...platforms.map(watch), lookAgain()])
    },
    async idle() {
      for (;;) {
        const working = [...slots.values()].flatMap((it) => it.working ?? [])
        if (working.length === 0) return
        await Promise.all(working)
      }
    },
  }
}
