/** Figures and times as people read them. */
const locale = () => (typeof document === 'undefined' ? 'en' : document.documentElement.lang || 'en')

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** "3 minutes ago". Under a minute it says so in one word, so that it does not tick. */
export function ago(at: string, now: number, justNow: string): string {
  const seconds = Math.round((Date.parse(at) - now) / 1000)
  const step = STEPS.find(([, size]) => Math.abs(seconds) >= size)
  if (!step) return justNow
  return new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(
    Math.round(seconds / step[1]),
    step[0],
  )
}

/** The exact moment, for hovering. */
export const exactly = (at: string) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: 'full', timeStyle: 'medium' }).format(new Date(at))

/** A moment to come, to the minute. */
export const moment = (at: string) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: 'long', timeStyle: 'short' }).format(new Date(at))

/** The time of a day, to the minute. */
export const clock = (at: string) =>
  new Intl.DateTimeFormat(locale(), { timeStyle: 'short' }).format(new Date(at))

export const number = (value: number, digits: number) =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value)

/** Bytes in GB (powers of ten, as on the box), or MB below one. */
export function size(bytes: number): string {
  if (bytes < 1e6) return `${number(bytes / 1e3, 0)} kB`
  if (bytes < 1e9) return `${number(bytes / 1e6, 0)} MB`
  return `${number(bytes / 1e9, bytes < 1e10 ? 1 : 0)} GB`
}

/** 840 ms, 1.4 s, 2 min 5 s. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${number(ms / 1000, 1)} s`
  const minutes = Math.floor(ms / 60_000)
  const seconds = Math.round((ms % 60_000) / 1000)
  return seconds ? `${minutes} min ${seconds} s` : `${minutes} min`
}

/** Between two moments, or null when one of them has not come. */
export const between = (from: string | null, to: string | null) =>
  from && to ? Math.max(0, Date.parse(to) - Date.parse(from)) : null
