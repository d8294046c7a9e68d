/**
 * Links: `<name>:<port>` inside an instance is a listener of ours, and every connection to it is joined to the first target that
 * answers: on this machine directly, else by the control plane. Nothing else leads from one instance to another.
 */
import type { Duplex } from 'node:stream'
import type { LinkTarget, ToController } from '@kalnet/contracts/controller'
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { breakOff, joinStreams, LONG_HALF_MS } from '@kalnet/wire/join'
import type { Running } from '../entries.ts'
import type { Journal } from '../journal.ts'
import { linkPlaces } from '../platforms/links.ts'
import { problemInWords } from '../platforms/reasons.ts'
import type { Reconciler } from '../reconcile.ts'
import type { CallCounts } from './calls.ts'
import type { FarWay } from './far.ts'

/** For each target; the next one is tried then. */
const DIAL_MS = 5_000
/** Whoever did not answer is asked last for so long. */
const SHY_MS = 5_000
const MOST_SHY = 1_000
/** A listener that broke sooner than this is made again later each time. */
const HELD_MS = 30_000
/** Open at once, for each link of an instance. */
const MOST_OPEN = 1_000

export interface Links {
  /** Where the links of an instance lead from now on. */
  told(message: Extract<ToController, { type: 'links' }>): void
  /** Something about this instance changed: begins or ends listening for it. */
  follow(id: string): void
  /** Connections that are joined now, and those under way. */
  open(): number
}

type Its = Map<string, LinkTarget[]>
interface Listening {
  generation: number
  stop: AbortController
}

export function createLinks(options: {
  controllerId: string
  reconciler: Pick<Reconciler, 'running'>
  journal: Pick<Journal, 'remember' | 'remembered'>
  far: Pick<FarWay, 'dial'>
  calls: Pick<CallCounts, 'count'>
  clock: Clock
  log: Log
  signal: AbortSignal
}): Links {
  const { controllerId, reconciler, journal, far, calls, clock, log } = options
  const targets = new Map<string, Its>()
  const listening = new Map<string, Listening>()
  const shy = new Map<string, number>()
  let total = 0

  /** What was told last, also before a restart of ours. */
  function itsTargets(id: string): Its {
    const known = targets.get(id)
    if (known) return known
    const kept = journal.remembered(id) as Parameters<Links['told']>[0]['links'] | null
    const its: Its = new Map((kept ?? []).map((it) => [it.name, it.targets]))
    targets.set(id, its)
    return its
  }

  const isShy = ({ instanceId, port }: LinkTarget) =>
    (shy.get(`${instanceId} ${port}`) ?? 0) > clock.now().getTime()

  function dial(from: string, link: string, target: LinkTarget, signal: AbortSignal): Promise<Duplex> {
    if (target.controllerId !== controllerId)
      return far.dial({ instanceId: from, link, targetId: target.instanceId }, signal)
    const there = reconciler.running(target.instanceId)
    if (!there) return Promise.reject(new Error('it is not running'))
    return there.platform.dial(there.handle, target.port, signal)
  }

  /** The first that answers; null when none does. */
  async function reach(from: string, link: string, signal: AbortSignal) {
    const all = itsTargets(from).get(link) ?? []
    const inOrder = [...all.filter((it) => !isShy(it)), ...all.filter(isShy)]
    for (const target of inOrder) {
      const key = `${target.instanceId} ${target.port}`
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS)])
        const stream = await dial(from, link, target, limit)
        shy.delete(key)
        return { target, stream }
      } catch (error) {
        if (signal.aborted) return null
        if (shy.size > MOST_SHY) shy.clear()
        shy.set(key, clock.now().getTime() + SHY_MS)
        calls.count(from, link, target.instanceId, true)
        log.info({ instance: from, link, target, problem: problemInWords(error) }, 'a link did not answer')
      }
    }
    if (inOrder.length === 0) calls.count(from, link, null, true)
    return null
  }

  async function join(from: string, link: string, inner: Duplex, signal: AbortSignal) {
    // It may hang up while the other end is looked for; joining listens itself.
    const gone = new AbortController()
    const leave = () => gone.abort(new Error('it hung up'))
    inner.on('error', () => inner.destroy())
    inner.once('close', leave)
    const reached = await reach(from, link, AbortSignal.any([signal, gone.signal]))
    inner.off('close', leave)
    // As a port where nobody listens, not as a service that has nothing to say.
    if (!reached) return breakOff(inner)
    const { target, stream } = reached
    stream.on('error', () => stream.destroy())
    calls.count(from, link, target.instanceId, false)
    if (inner.destroyed || signal.aborted) {
      inner.destroy()
      return stream.destroy()
    }
    await joinStreams(inner, stream, signal, LONG_HALF_MS)
  }

  /** Gives back what takes connections of an instance, within the limit of each link. */
  const taker = (from: string, signal: AbortSignal) => {
    const open = new Map<string, number>()
    return (link: string, inner: Duplex) => {
      const now = open.get(link) ?? 0
      if (now >= MOST_OPEN) {
        calls.count(from, link, null, true)
        inner.on('error', () => undefined)
        return breakOff(inner)
      }
      // What the program wrote before it shut its side must not end ours.
      inner.allowHalfOpen = true
      open.set(link, now + 1)
      total += 1
      const done = () => {
        open.set(link, (open.get(link) ?? 1) - 1)
        total -= 1
      }
      join(from, link, inner, signal)
        .catch((error: unknown) => log.error({ instance: from, link, error }, 'joining a link failed'))
        .finally(done)
    }
  }

  async function listen({ id, platform, handle, spec }: Running, signal: AbortSignal) {
    const take = taker(id, signal)
    const now = () => clock.now().getTime()
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const { promise: broken, resolve: tell } = Promise.withResolvers<unknown>()
      const over = () => tell(null)
      signal.addEventListener('abort', over, { once: true })
      const began = now()
      let problem: unknown
      try {
        if (!platform.listenInside) return
        await platform.listenInside(handle, linkPlaces(spec.links), take, signal, tell)
        problem = await broken
        // What held for a while is made anew at once.
        if (now() - began > HELD_MS) attempt = 0
      } catch (error) {
        problem = error
      } finally {
        signal.removeEventListener('abort', over)
      }
      if (signal.aborted) return
      log.warn({ instance: id, attempt, problem: problemInWords(problem) }, 'its links are not open')
      await clock.sleep(backoff(attempt, 100, 15_000), signal).catch(() => undefined)
    }
  }

  return {
    told({ instanceId, links }) {
      targets.set(instanceId, new Map(links.map((it) => [it.name, it.targets])))
      for (const target of links.flatMap((it) => it.targets))
        shy.delete(`${target.instanceId} ${target.port}`)
      try {
        journal.remember(instanceId, links)
      } catch (error) {
        // It is told again with the whole; only a restart of ours in between would miss it.
        log.warn({ instance: instanceId, problem: problemInWords(error) }, 'its links could not be noted')
      }
    },
    follow(id) {
      const it = options.signal.aborted ? null : reconciler.running(id)
      const there = listening.get(id)
      if (there && there.generation === it?.generation) return
      there?.stop.abort(new Error('it does not run any more'))
      listening.delete(id)
      if (!it) targets.delete(id)
      if (!it || it.spec.links.length === 0) return
      const stop = new AbortController()
      listening.set(id, { generation: it.generation, stop })
      void listen(it, AbortSignal.any([options.signal, stop.signal]))
    },
    open: () => total,
  }
}
