/** Why something ended, in the words of a person; the same words on every platform. */
import { constants } from 'node:os'

const signalName = (number: number) =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`

/** `code` as a shell tells it: 128 + n for an end by signal n. */
export function endedInWords(code: number | null, outOfMemory = false): string {
  if (outOfMemory) return 'It ran out of memory'
  if (code === null) return 'It ended while nobody was looking; its exit code is not known'
  if (code === 0) return 'Its program ended'
  if (code > 128 && code <= 128 + 64) {
    const number = code - 128
    return `It was killed from outside (${number === 9 ? 'signal 9' : signalName(number)})`
  }
  if (code === 127) return 'Its program was not found in the image'
  if (code === 126) return 'Its program could not be started'
  return `Its program ended with code ${code}`
}

/** The first line of an error, short enough for a report. */
export function problemInWords(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0]!
  if (/ENOSPC|No space left|database or disk is full/.test(message))
    return 'the disk that holds the data is full'
  return message.slice(0, 400)
}

/** What a program said last, short enough for a report. */
export const lastLineOf = (text: string): string => (text.trimEnd().split('\n').at(-1) ?? '').slice(0, 300)
