/** What the engine says of a container, in our words. */
import type { ContainerInspectInfo } from 'dockerode'
import type { Observation } from '../platform.ts'
import { endedInWords } from '../reasons.ts'

/** The engine writes year 1 for "never". */
const time = (text: string | undefined): string | null =>
  text && !text.startsWith('0001-') ? new Date(text).toISOString() : null

/** The engine's code for a container that was still running when the engine itself stopped or died. */
const ENGINE_WENT = 255

export function observationOf(state: ContainerInspectInfo['State']): Observation {
  if (state.Running || state.Paused || state.Restarting)
    return { state: 'running', startedAt: time(state.StartedAt) }
  const code = state.ExitCode
  const endedAt = time(state.FinishedAt)
  if (endedAt === null)
    return { state: 'ended', code: null, reason: state.Error || 'It was created but never started', endedAt }
  if (code === ENGINE_WENT && !state.OOMKilled)
    return { state: 'ended', code, reason: 'It ended together with the container engine', endedAt }
  return { state: 'ended', code, reason: endedInWords(code, state.OOMKilled), endedAt }
}

export interface Line {
  from: 'output' | 'errors'
  at: string
  text: string
}
const ERRORS = 2

/**
 * The engine's log without a terminal, with timestamps: frames of stream (1 byte), 3 zero bytes, length (4 bytes, big endian),
 * "time text" (Docker Engine API, "Attach to a container: stream format").
 */
export function logLines(raw: Buffer): Line[] {
  const parts: Record<Line['from'], Buffer[]> = { output: [], errors: [] }
  let at = 0
  while (at + 8 <= raw.length) {
    const length = raw.readUInt32BE(at + 4)
    parts[raw[at] === ERRORS ? 'errors' : 'output'].push(raw.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return (['output', 'errors'] as const).flatMap((from) =>
    Buffer.concat(parts[from])
      .toString('utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const space = line.indexOf(' ')
        return { from, at: line.slice(0, space), text: line.slice(space + 1).replace(/\r$/, '') }
      }),
  )
}

/** The last lines in the order of time. The engine reads the outputs apart: chatter on one must not crowd out a complaint on the other. */
export function mergeLines(lines: Line[], count: number): string[] {
  const output = lines.filter((it) => it.from === 'output')
  const room = Math.max(Math.ceil(count / 2), count - output.length)
  const errors = lines.filter((it) => it.from === 'errors').slice(-room)
  const rest = count - errors.length
  const kept = [...errors, ...(rest > 0 ? output.slice(-rest) : [])]
  // Stable: lines of one moment stay in the order of their output.
  return kept
    .sort((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0))
    .map((it) => it.text)
}
