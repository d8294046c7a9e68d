/** What the CLI prints: results on standard output (people's or JSON), progress on standard error. */
import type { Writable } from 'node:stream'
import { confirm, isCancel, text } from '@clack/prompts'
import { explain } from './problem.ts'

export interface Output {
  json: boolean
  /** The result: lines for people, or one JSON value. */
  result(lines: string | readonly string[], data: unknown): void
  /** A quiet remark while working; never mixed into the result. */
  note(words: string): void
  /** A long step: one line, with its seconds at the end. */
  step<T>(words: string, work: (say: (detail: string) => void) => Promise<T>): Promise<T>
  /** Yes or no; false without a terminal. */
  ask(question: string): Promise<boolean>
  /** Asks for a word to be typed; false without a terminal. */
  askWord(question: string, word: string): Promise<boolean>
  problem(error: unknown): number
}

interface Streams {
  out: Writable & { isTTY?: boolean }
  err: Writable & { isTTY?: boolean }
  interactive?: boolean
}

export function createOutput(
  json: boolean,
  streams: Streams = { out: process.stdout, err: process.stderr },
): Output {
  const { out, err } = streams
  const interactive = streams.interactive ?? (process.stdin.isTTY === true && err.isTTY === true)
  const line = (stream: Writable, words: string) => stream.write(`${words}\n`)
  return {
    json,
    result(lines, data) {
      if (json) line(out, JSON.stringify(data, null, 2))
      else for (const each of typeof lines === 'string' ? [lines] : lines) line(out, each)
    },
    note: (words) => void line(err, words),
    async step(words, work) {
      const began = performance.now()
      const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`
      let last = ''
      err.write(err.isTTY ? `${words} …` : `${words} …\n`)
      // On a terminal the one line is rewritten; in a log file only its beginning and its end stand.
      const redraw = (text: string) => err.isTTY && err.write(`\r\x1b[2K${text}`)
      const beat = setInterval(() => redraw(`${words} … ${last}${last ? ', ' : ''}${seconds()}`), 1000)
      try {
        const value = await work((detail) => {
          last = detail.slice(0, 80)
          redraw(`${words} … ${last}`)
        })
        if (err.isTTY) redraw(`${words} … done in ${seconds()}\n`)
        else line(err, `${words}: done in ${seconds()}`)
        return value
      } catch (error) {
        if (err.isTTY) redraw(`${words} … failed after ${seconds()}\n`)
        else line(err, `${words}: failed after ${seconds()}`)
        throw error
      } finally {
        clearInterval(beat)
      }
    },
    async ask(question) {
      if (!interactive || json) return false
      const answer = await confirm({ message: question, initialValue: false })
      return !isCancel(answer) && answer
    },
    async askWord(question, word) {
      if (!interactive || json) return false
      const answer = await text({ message: `${question} Type ${word} to go on:` })
      return !isCancel(answer) && answer === word
    },
    problem(error) {
      const { exit, code, message, next } = explain(error)
      if (json) line(out, JSON.stringify({ error: { code, message, next } }, null, 2))
      else {
        line(err, message)
        line(err, `→ ${next}`)
      }
      return exit
    },
  }
}

/** Columns as wide as their content; the last one may run on. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const width = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const draw = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(width[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [draw(head.map((title) => title.toUpperCase())), ...rows.map(draw)]
}

/** 1536 → "1.5 KB"; people's units, powers of 1000 as disks are sold. */
export function size(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** "3 minutes", "2 days": how long ago, roughly. */
export function ago(from: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - from.getTime()) / 1000))
  const steps: [number, string][] = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ]
  for (const [length, name] of steps) {
    const count = Math.floor(seconds / length)
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`
  }
  return `${seconds} second${seconds === 1 ? '' : 's'}`
}
