/** One step in the life of one instance: compares what is wanted with what is there and does what is missing. Done twice, it changes nothing. */
import { admissionProblems } from '@kalnet/contracts/admission'
import { KalnetError } from '@kalnet/contracts/errors'
import type { DesiredInstance, ObservedState, Progress } from '@kalnet/contracts/instance'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Entry } from './journal.ts'
import { PlatformAway, Refused } from './platforms/away.ts'
import type { Handle, Observation, Platform } from './platforms/platform.ts'
import { problemInWords } from './platforms/reasons.ts'
import { awaitReady } from './ready.ts'

export const STOP_GRACE_MS = 5_000
/** A platform that fails to create something is asked this often before the instance counts as failed. */
const CREATE_ATTEMPTS = 3
const LOG_TAIL_LINES = 20

export interface LifeParts {
  platform(name: string): Platform | undefined
  platforms: Platform[]
  clock: Clock
  /** Journal first, then tell the control plane. */
  save(entry: Entry): void
  progress(entry: Entry, progress: Progress): void
  /** What an instance with `identity` shows of itself; null: it has not come. */
  identityOf(instanceId: string, signal: AbortSignal): Promise<Record<string, string> | null>
  /** Limits how many creations run at once on this machine. */
  creating<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
}

export const freshEntry = (desired: DesiredInstance, clock: Clock, leftovers: Handle[] = []): Entry => ({
  id: desired.id,
  generation: desired.generation,
  desired,
  phase: 'new',
  handle: null,
  leftovers,
  observed: {
    id: desired.id,
    generation: desired.generation,
    platform: desired.platform,
    state: 'preparing',
    times: { received: stamp(clock) },
    progress: null,
    reason: null,
    logTail: [],
  },
})

export function createLife(parts: LifeParts) {
  const { clock, save } = parts
  /** Counted apart from other troubles: taking something away that fails says nothing about creating. */
  const failures = new WeakMap<Entry, number>()
  /** When its platform was away last: the time in which nobody could look is not its own. */
  const unseen = new WeakMap<Entry, number>()

  const note = (entry: Entry, state: ObservedState, changes: Partial<Entry['observed']> = {}) => {
    const times = { ...entry.observed.times, ...changes.times }
    // Its addresses are told while it runs, and no longer.
    entry.observed = { ...entry.observed, progress: null, addresses: undefined, ...changes, state, times }
    save(entry)
  }

  async function noteRunning(entry: Entry, platform: Platform, changes: Partial<Entry['observed']> = {}) {
    const addresses = entry.handle ? await platform.addresses?.(entry.handle) : undefined
    note(entry, 'running', { ...changes, addresses })
  }

  /** Everything of this id: what we know, and where a crash may have left something, what the platforms know. */
  async function everything(entry: Entry): Promise<Handle[]> {
    const known = [...entry.leftovers, ...(entry.handle ? [entry.handle] : [])]
    if (entry.phase !== 'creating' && (entry.phase !== 'forgotten' || entry.handle)) return known
    // Where it was to be made, and only there: another platform that does not answer must not keep its end from being told.
    const wanted = parts.platform(entry.desired?.platform ?? '')
    const lists = await Promise.all((wanted ? [wanted] : parts.platforms).map((platform) => platform.list()))
    const isKnown = (handle: Handle) =>
      known.some((it) => it.platform === handle.platform && it.generation === handle.generation)
    return [...known, ...lists.flat().filter((handle) => handle.instanceId === entry.id && !isKnown(handle))]
  }

  async function takeAway(handles: Handle[], graceMs: number) {
    for (const handle of handles) {
      const platform = parts.platform(handle.platform)
      if (!platform) continue
      await platform.stop(handle, graceMs)
      await platform.remove(handle)
    }
  }

  async function logTail(platform: Platform | undefined, handle: Handle | null): Promise<string[]> {
    if (!platform || !handle) return []
    try {
      return (await platform.logs(handle, LOG_TAIL_LINES))
        .slice(-LOG_TAIL_LINES)
        .map((it) => it.slice(0, 1000))
    } catch {
      // A report without log lines is better than no report.
      return []
    }
  }

  /** This generation is over, for good. Its log stays until it is stopped, forgotten or replaced. */
  async function settle(entry: Entry, state: 'stopped' | 'failed', reason: string, endedAt?: string | null) {
    const platform = parts.platform(entry.desired?.platform ?? '')
    const tail = await logTail(platform, entry.handle)
    if (platform && entry.handle) await platform.stop(entry.handle, 0)
    entry.phase = 'settled'
    note(entry, state, {
      reason: reason.slice(0, 500),
      logTail: tail,
      times: { ended: endedAt ?? stamp(clock) },
    })
  }

  const settleBy = (entry: Entry, observation: Exclude<Observation, { state: 'running' }>) =>
    observation.state === 'gone'
      ? settle(entry, 'failed', 'It is no longer there: it was removed from outside')
      : settle(entry, observation.code === 0 ? 'stopped' : 'failed', observation.reason, observation.endedAt)

  async function create(entry: Entry, desired: DesiredInstance, platform: Platform, signal: AbortSignal) {
    entry.phase = 'creating'
    note(entry, 'preparing')
    const progress = (it: Progress) => {
      if (it.step !== 'image' && entry.observed.state === 'preparing')
        note(entry, 'creating', { times: { prepared: stamp(clock) } })
      parts.progress(entry, it)
    }
    const identity = desired.spec.identity ? await parts.identityOf(entry.id, signal) : null
    const request = {
      instanceId: entry.id,
      generation: entry.generation,
      organisationId: desired.organisationId,
      spec: desired.spec,
      ...(identity && { identity }),
    }
    const ensure = () => platform.ensure(request, signal, progress)
    const handle = platform.isElsewhere ? await ensure() : await parts.creating(ensure, signal)
    entry.handle = handle
    entry.phase = 'created'
    const now = stamp(clock)
    note(entry, 'creating', { times: { prepared: entry.observed.times.prepared ?? now, created: now } })
  }

  async function keepRunning(
    entry: Entry,
    desired: DesiredInstance,
    platform: Platform,
    signal: AbortSignal,
  ) {
    const handle = entry.handle!
    const observation = await platform.observe(handle)
    if (observation.state !== 'running') return settleBy(entry, observation)
    if (entry.observed.times.ready) {
      const reason = observation.doubt?.slice(0, 500) ?? null
      const isNew = entry.observed.state !== 'running' || entry.observed.reason !== reason
      if (isNew) await noteRunning(entry, platform, { reason })
      return
    }
    const { ready, ports } = desired.spec
    const isScreen = ports.find((it) => it.name === ready?.port)?.kind === 'display'
    parts.progress(entry, {
      step: 'ready',
      text: isScreen ? 'Waiting for the screen' : 'Waiting until it answers',
      share: null,
    })
    const withinMs = ready?.withinMs ?? 0
    const since = Math.max(Date.parse(entry.observed.times.created ?? stamp(clock)), unseen.get(entry) ?? 0)
    const look = { platform, handle, spec: desired.spec, deadline: since + withinMs, clock }
    const readiness = await awaitReady(look, signal).catch((error: unknown) => {
      if (error instanceof PlatformAway) unseen.set(entry, clock.now().getTime())
      throw error
    })
    if (readiness.ready) return noteRunning(entry, platform, { times: { ready: stamp(clock) } })
    if ('observation' in readiness) {
      if (readiness.observation.state !== 'running') await settleBy(entry, readiness.observation)
      return
    }
    const what = isScreen ? 'The screen did not come up' : 'It did not answer'
    await settle(entry, 'failed', `${what} within ${Math.round(withinMs / 1000)} seconds`)
  }

  async function run(entry: Entry, desired: DesiredInstance, signal: AbortSignal) {
    if (entry.phase === 'settled') return
    const problems = admissionProblems(desired.spec)
    if (problems.length > 0) return settle(entry, 'failed', `This may not run here: ${problems.join(', ')}`)
    const platform = parts.platform(desired.platform)
    if (!platform) return settle(entry, 'failed', `This machine does not offer ${desired.platform}`)
    if (entry.phase !== 'created') {
      try {
        await create(entry, desired, platform, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof PlatformAway) {
          parts.progress(entry, { step: 'create', text: problemInWords(error), share: null })
          throw error
        }
        const refused = error instanceof KalnetError || error instanceof Refused
        const failed = (failures.get(entry) ?? 0) + 1
        failures.set(entry, failed)
        if (!refused && failed < CREATE_ATTEMPTS) throw error
        return settle(entry, 'failed', `It could not be started: ${problemInWords(error)}`)
      }
    }
    await keepRunning(entry, desired, platform, signal)
  }

  async function stop(entry: Entry) {
    const handles = await everything(entry)
    if (entry.phase === 'settled') {
      await takeAway(handles, 0)
      if (handles.length > 0) {
        entry.handle = null
        entry.leftovers = []
        save(entry)
      }
      return
    }
    note(entry, 'stopping')
    await takeAway(handles, STOP_GRACE_MS)
    entry.handle = null
    entry.leftovers = []
    entry.phase = 'settled'
    note(entry, 'stopped', { times: { ended: stamp(clock) } })
  }

  return {
    /** True when nothing of it is left and it can be buried. */
    async step(entry: Entry, signal: AbortSignal): Promise<boolean> {
      const { desired } = entry
      if (entry.phase === 'forgotten' || !desired) {
        await takeAway(await everything(entry), STOP_GRACE_MS)
        return true
      }
      if (desired.state === 'stopped') {
        await stop(entry)
        return false
      }
      if (entry.phase === 'creating') {
        const found = await everything(entry)
        entry.leftovers = found.filter((it) => it.generation < entry.generation)
      }
      if (entry.leftovers.length > 0) {
        await takeAway(entry.leftovers, STOP_GRACE_MS)
        entry.leftovers = []
        save(entry)
      }
      await run(entry, desired, signal)
      return false
    },
    /** Nobody can tell what became of it: it may well run on. */
    lost(entry: Entry, reason: string | null = null) {
      if (entry.phase === 'created' && entry.observed.state !== 'lost') note(entry, 'lost', { reason })
    },
  }
}
