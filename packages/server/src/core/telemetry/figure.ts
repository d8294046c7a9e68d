/** What is measured, as plain data, before it becomes OpenTelemetry: figures as they stand, and calls that ended. */
import type { Trace } from '../trace.ts'

export type Attributes = Record<string, string | number>
/** `since`: when it began to be counted, in ms; what was counted before a restart is counted anew. */
export interface Point<T> {
  attributes: Attributes
  value: T
  since?: number
}
export interface Figure {
  name: string
  description: string
  /** As UCUM writes it: s, By, {request}. */
  unit: string
  /** count: only grows. level: parts that add up to a whole. gauge: stands for itself. times: how long things took. */
  is:
    | { kind: 'count' | 'level' | 'gauge'; points: Point<number>[] }
    | { kind: 'times'; points: Point<{ counts: number[]; sumMs: number }>[] }
}
/** Asked each time figures are sent. */
export type Read = () => readonly Figure[] | Promise<readonly Figure[]>

/** One call that ended here. */
export interface Ended {
  /** Few different ones: a method and a route, never an address. */
  name: string
  trace: Trace
  /** In ms since 1970. */
  beganAt: number
  tookMs: number
  /** It failed by us or by whom we asked, not by who asked. */
  failed: boolean
  attributes: Attributes
}

const LOWEST = 8
const HIGHEST = 26
/** Upper bounds of the steps in seconds: each power of two from 256 µs to 67 s. One more step is for what took longer. */
export const BOUNDS_S: number[] = Array.from(
  { length: HIGHEST - LOWEST + 1 },
  (_, step) => 2 ** (LOWEST + step) / 1e6,
)
/** From counts for each power of two of microseconds (index 3: 8 to 15 µs) to counts for each step. */
export function stepsOf(byPower: ArrayLike<number>): number[] {
  const counts = new Array<number>(BOUNDS_S.length + 1).fill(0)
  for (let power = 0; power < byPower.length; power += 1) {
    const step = Math.min(BOUNDS_S.length, Math.max(0, power - LOWEST + 1))
    counts[step] = (counts[step] ?? 0) + (byPower[power] ?? 0)
  }
  return counts
}

/** Of what has no histogram of its own. */
export function createTimes() {
  const byPower = new Array<number>(32).fill(0)
  let sumMs = 0
  return {
    add(ms: number) {
      const power = 31 - Math.clz32(Math.min(2 ** 31 - 1, Math.max(1, Math.round(ms * 1000))))
      byPower[power] = (byPower[power] ?? 0) + 1
      sumMs += ms
    },
    value: () => ({ counts: stepsOf(byPower), sumMs }),
  }
}
