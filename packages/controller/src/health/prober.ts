/** Asks every running instance that has a probe, each in its own time, and tells only what changes. */
import type { Health, HealthState } from '@kalnet/contracts/health'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Running } from '../entries.ts'
import { createLimit } from '../limit.ts'
import { type Answer, ask } from './ask.ts'
import { freshStanding, judge, waitAfter } from './judge.ts'

/** How many are asked at once; a command is a process, and costs more. */
const AT_ONCE = 32
const COMMANDS_AT_ONCE = 4
/** After a restart of ours, many that are adopted are asked within this time, not all at once. */
const SPREAD_MS = 2_000

export interface Prober {
  /** Something about this instance changed: begins, goes on or ends asking it. */
  follow(id: string): void
  /** Instances that are asked now. For tests. */
  count(): number
}

/** Who gave no answer in time, and who was never asked, wait each with their like: all others are asked in time. */
function createLanes() {
  const lanesOf = (most: number) => ({
    known: createLimit(most),
    fresh: createLimit(most),
    late: createLimit(most),
  })
  const [commands, others] = [lanesOf(COMMANDS_AT_ONCE), lanesOf(AT_ONCE)]
  return (isCommand: boolean, last: Answer | null) =>
    (isCommand ? commands : others)[last === null ? 'fresh' : last.isLate ? 'late' : 'known']
}

export function createProber(options: {
  running(id: string): Running | null
  report(id: string, generation: number, health: Health): void
  clock: Clock
  log: Log
  signal: AbortSignal
  random?: () => number
}): Prober {
  const { running, report, clock, log, random = Math.random } = options
  const asked = new Map<string, { generation: number; stop: AbortController }>()
  const laneOf = createLanes()

  async function keepAsking(it: Running, signal: AbortSignal) {
    const { id, generation, platform, handle, spec, health } = it
    const { probe } = spec
    if (!probe) return
    let told: HealthState | null = health?.state ?? null
    let standing = freshStanding(health?.state)
    let last: Answer | null = null
    let waitMs = health ? random() * Math.min(SPREAD_MS, probe.intervalMs) : 0
    for (;;) {
      await clock.sleep(waitMs, signal)
      const lane = laneOf(probe.kind === 'command', last)
      const answer: Answer = await lane(() => ask({ platform, handle, spec, probe }, signal), signal)
      last = answer
      standing = judge(standing, answer.verdict, clock.now().getTime() - it.createdAt, probe)
      if (standing.state !== told) {
        told = standing.state
        const { detail, tookMs } = answer
        report(id, generation, { state: told, detail, changedAt: stamp(clock), tookMs })
        log.info({ instance: id, generation, health: told, detail, tookMs }, 'its health changed')
      }
      waitMs = waitAfter(standing, probe, random)
    }
  }

  return {
    follow(id) {
      const found = options.signal.aborted ? null : running(id)
      const it = found?.state === 'running' ? found : null
      const there = asked.get(id)
      if (there && there.generation === it?.generation) return
      there?.stop.abort(new Error('it does not run any more'))
      asked.delete(id)
      if (!it?.spec.probe) return
      const stop = new AbortController()
      asked.set(id, { generation: it.generation, stop })
      const signal = AbortSignal.any([options.signal, stop.signal])
      keepAsking(it, signal).catch((error: unknown) => {
        if (!signal.aborted) log.error({ instance: id, error }, 'asking for its health ended')
      })
    },
    count: () => asked.size,
  }
}
