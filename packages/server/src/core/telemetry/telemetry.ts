/** Figures and traces for a collector (OTLP), where one is configured. Nobody waits for it; while it is away, the oldest calls are let go and counted. */
import { hostname } from 'node:os'
import type { Config } from '@kalnet/contracts/config'
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { createOutbound, type Outbound } from '@kalnet/io/outbound'
import { v7 as newId } from 'uuid'
import { type Answered, createAnswers } from './answers.ts'
import type { Ended, Figure, Read } from './figure.ts'
import { createProcessFigures } from './process.ts'
import { createQueue } from './queue.ts'
import { createSender, type What } from './sender.ts'

export interface Telemetry {
  /** Which share of the traces that begin here is kept. */
  share: number
  /** A call ended. Costs a moment; what nobody wants is left. */
  ended(call: Ended): void
  /** A call of our own API was answered. */
  answered(call: Answered): void
  /** Read each time figures are sent. */
  measure(read: Read): void
  state(): 'connected' | 'waiting'
  /** Sends what is left, within a moment. */
  close(): Promise<void>
}

export interface TelemetryOptions {
  config: Pick<Config, 'telemetry' | 'outbound'>
  /** What this process is: `kalnet`, `kalnet-gateway`. */
  name: string
  version: string
  clock: Clock
  log: Log
  /** Tests: smaller and sooner. */
  limits?: Partial<typeof LIMITS>
  outbound?: Outbound
}

const LIMITS = {
  /** Calls that may wait, and that go together. */
  queue: 4_096,
  batch: 512,
  callsEveryMs: 5_000,
  retryMs: 1_000,
  retryMostMs: 60_000,
  /** All that stopping waits for. */
  flushMs: 2_000,
}

/** Null: no collector is configured; nothing is measured. */
export function createTelemetry(options: TelemetryOptions): Telemetry | null {
  const { config, clock, log } = options
  const { otlpUrl, otlpHeaders, share, everyMs } = config.telemetry
  if (otlpUrl === undefined) return null
  const limits = { ...LIMITS, ...options.limits }
  const now = () => clock.now().getTime()
  const began = now()
  const outbound = options.outbound ?? createOutbound({ allow: config.outbound.allow })
  const send = createSender({ outbound, url: otlpUrl, headers: otlpHeaders, now })
  const about = {
    'service.name': options.name,
    'service.version': options.version,
    'service.instance.id': newId(),
    'host.name': hostname(),
  }
  const queue = createQueue<Ended>(limits.queue)
  const lost = { refused: 0, rejected: 0 }
  const own = createProcessFigures()
  const reads: Read[] = [own.read]
  const stopping = new AbortController()
  const over = new AbortController()
  const problems: Record<What, string | null> = { traces: null, metrics: null }
  let taken = false
  let wake: () => void = () => undefined

  const ownFigures = (): Figure[] => [
    {
      name: 'kalnet.telemetry.dropped',
      description: 'Calls that never reached the collector, by why',
      unit: '{call}',
      is: {
        kind: 'count',
        points: [
          { attributes: { reason: 'full' }, value: queue.dropped() },
          { attributes: { reason: 'refused' }, value: lost.refused },
          { attributes: { reason: 'rejected' }, value: lost.rejected },
        ],
      },
    },
  ]
  reads.push(ownFigures)

  function note(what: What, problem: string | null) {
    if (problem !== null && problems[what] === null)
      log.warn({ what, problem }, 'the collector does not take what it is sent')
    if (problem === null && problems[what] !== null)
      log.info({ what }, 'the collector takes what it is sent again')
    problems[what] = problem
    if (problem === null) taken = true
  }

  /** Null: it is done with, however. Else how long it wants to be left alone. */
  async function deliver(
    what: What,
    bytes: Uint8Array,
    calls: number,
  ): Promise<{ afterMs: number | null } | null> {
    const sent = await send(what, bytes, over.signal)
    if (sent.kind === 'later') {
      note(what, sent.problem)
      return sent
    }
    if (sent.kind === 'refused') {
      lost.refused += calls
      note(what, sent.problem)
      return null
    }
    note(what, null)
    const rejected = (await import('./encode.ts')).readRejected(what, sent.answer)
    if (rejected) {
      lost.rejected += what === 'traces' ? rejected.count : 0
      log.warn({ what, ...rejected }, 'the collector did not want all of it')
    }
    return null
  }

  async function sendCalls(): Promise<{ afterMs: number | null } | null> {
    while (queue.size() > 0 && !over.signal.aborted) {
      const { encodeCalls } = await import('./encode.ts')
      const batch = queue.take(limits.batch)
      const later = await deliver('traces', encodeCalls(about, batch), batch.length)
      if (later) {
        queue.giveBack(batch)
        return later
      }
    }
    return null
  }
  async function sendFigures(): Promise<{ afterMs: number | null } | null> {
    const { encodeFigures } = await import('./encode.ts')
    const told = await Promise.allSettled(reads.map(async (read) => read()))
    const figures = told.flatMap((it) => (it.status === 'fulfilled' ? it.value : []))
    for (const it of told)
      if (it.status === 'rejected')
        log.debug({ error: it.reason as unknown }, 'some figures cannot be read now')
    // Nothing is kept for later: the next figures say it all again.
    return deliver('metrics', encodeFigures(about, figures, { began, at: now() }), 0)
  }

  /** Again and again until we stop, and once more then. */
  async function keep(everyMs: number, firstMs: number, work: typeof sendCalls): Promise<void> {
    let failures = 0
    for (let pause = firstMs; ; ) {
      const woken = new AbortController()
      if (work === sendCalls) wake = () => void (failures === 0 && woken.abort())
      const isDue = work === sendCalls && failures === 0 && queue.size() >= limits.batch
      // Ended early or not, the work looks for itself.
      if (!isDue)
        await clock.sleep(pause, AbortSignal.any([stopping.signal, woken.signal])).catch(() => undefined)
      const later = await work().catch((error: unknown) => {
        log.warn({ error }, 'telemetry could not be made')
        return null
      })
      if (stopping.signal.aborted) return
      failures = later ? failures + 1 : 0
      pause = later ? pauseAfter(later.afterMs, failures) : everyMs
    }
  }
  /** As it was told, never sooner, and not all servers at once. */
  function pauseAfter(afterMs: number | null, failures: number): number {
    if (afterMs === null) return backoff(failures - 1, limits.retryMs, limits.retryMostMs)
    const least = Math.max(afterMs, limits.retryMs)
    return least + backoff(0, least / 10, limits.retryMostMs)
  }
  const soon = limits.callsEveryMs
  const loops = [keep(soon, soon, sendCalls), keep(everyMs, Math.min(everyMs, soon), sendFigures)]

  function ended(call: Ended): void {
    if (!call.trace.traceparent.endsWith('-01')) return
    queue.add(call)
    if (queue.size() === limits.batch) wake()
  }
  const answers = createAnswers({ share, now, ended })
  reads.push(answers.read)

  return {
    share,
    ended,
    answered: answers.note,
    measure: (read) => void reads.push(read),
    state: () => (taken && problems.traces === null && problems.metrics === null ? 'connected' : 'waiting'),
    async close() {
      stopping.abort()
      const late = setTimeout(() => over.abort(), limits.flushMs)
      await Promise.all(loops)
      clearTimeout(late)
      own.close()
      await outbound.close()
    },
  }
}
