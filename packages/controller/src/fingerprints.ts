/** What the platforms of this machine can do, kept up to date from their streams. */
import type { Fingerprint } from '@kalnet/contracts/controller'
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Platform } from './platforms/platform.ts'
import { problemInWords } from './platforms/reasons.ts'

export interface Fingerprints {
  now(): Fingerprint[]
  /** Follows the platforms until the signal. Calls back when one changed. */
  follow(signal: AbortSignal, onChange: () => void): Promise<void>
  /** Resolves when each platform has told something about itself. */
  complete: Promise<void>
}

export function createFingerprints(platforms: Platform[], log: Log, clock: Clock): Fingerprints {
  const latest = new Map<string, Fingerprint>()
  const { promise: complete, resolve } = Promise.withResolvers<void>()
  if (platforms.length === 0) resolve()
  const take = (it: Fingerprint, onChange: () => void) => {
    latest.set(it.platform, it)
    if (latest.size === platforms.length) resolve()
    onChange()
  }
  const unusable = (platform: Platform, error: unknown): Fingerprint => ({
    platform: platform.name,
    usable: false,
    detail: problemInWords(error),
    version: '',
    isolation: 'none',
    limits: false,
    network: false,
    images: [],
  })

  async function followOne(platform: Platform, signal: AbortSignal, onChange: () => void) {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        for await (const it of platform.fingerprint(signal)) take(it, onChange)
        // A platform whose abilities never change tells them once.
        return
      } catch (error) {
        if (signal.aborted) return
        log.warn({ platform: platform.name, error }, 'it cannot tell what it can do')
        take(unusable(platform, error), onChange)
      }
      // Aborted while waiting: the loop's condition ends it.
      await clock.sleep(backoff(attempt, 500, 30_000), signal).catch(() => undefined)
    }
  }

  return {
    now: () => [...latest.values()],
    async follow(signal, onChange) {
      await Promise.all(platforms.map((it) => followOne(it, signal, onChange)))
    },
    complete,
  }
}
