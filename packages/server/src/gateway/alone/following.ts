/** What we serve from: heard by waiting, kept on disk, so that a start without the control plane serves what was known. */
import { KalnetError } from '@kalnet/contracts/errors'
import { gatewayRoutes, type Snapshot, snapshot as snapshotSchema } from '@kalnet/contracts/gateway'
import { backoff, type Clock } from '@kalnet/io/clock'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import type { Log } from '@kalnet/io/log'
import type { ControlPlanes } from './control-planes.ts'

/** News are waited for; longer than the control plane does. */
const WAIT_MS = 40_000
const FIRST_MS = 5_000
const WRITE_AFTER_MS = 500

export interface FollowingOptions {
  planes: Pick<ControlPlanes, 'call'>
  /** Where the last one is kept. It holds addresses and names, no keys. */
  file: string
  clock: Clock
  log: Log
  /** Serve from this from now on. */
  take(snapshot: Snapshot): Promise<void>
  signal: AbortSignal
}

/** Our key is not good, or may not do this: waiting does not mend it. */
export const isRefusal = (error: unknown): error is KalnetError =>
  error instanceof KalnetError && (error.status === 401 || error.status === 403)

export function createFollowing({ planes, file, clock, log, take, signal }: FollowingOptions) {
  let known: Snapshot | null = null
  let writing: NodeJS.Timeout | null = null

  async function readKept(): Promise<Snapshot | null> {
    try {
      const text = await readIfThere(file)
      return text === null ? null : snapshotSchema.parse(JSON.parse(text))
    } catch (error) {
      log.warn(
        { problem: error instanceof Error ? error.name : '' },
        'what was kept of routes cannot be read',
      )
      return null
    }
  }
  async function write(): Promise<void> {
    if (writing) clearTimeout(writing)
    writing = null
    if (!known) return
    await writeWhole(file, JSON.stringify(known), 0o600).catch((error: unknown) =>
      log.warn(
        { error },
        'routes could not be kept on disk; a restart without the control plane would not know them',
      ),
    )
  }
  async function serve(next: Snapshot): Promise<void> {
    if (known?.version === next.version) return
    known = next
    await take(next)
    writing ??= setTimeout(() => void write(), WRITE_AFTER_MS).unref()
  }
  const ask = (after: string | undefined, timeoutMs: number) =>
    planes.call(gatewayRoutes.snapshot, { query: { after }, signal, timeoutMs })

  return {
    /** The first one: of the control plane, else what was kept. Throws when the key is refused; waits while there is neither. */
    async begin(): Promise<void> {
      for (let attempt = 0; ; attempt++) {
        try {
          return await serve(await ask(undefined, FIRST_MS))
        } catch (error) {
          signal.throwIfAborted()
          if (isRefusal(error)) throw error
          const kept = attempt === 0 ? await readKept() : null
          if (kept) {
            log.warn('the control plane is away; what was known before is served')
            // Whatever it says next is another one.
            return await serve({ ...kept, version: '' })
          }
          if (attempt === 0) log.warn('the control plane is away; nothing is served before it was there once')
          await clock.sleep(backoff(attempt, 250, 5_000), signal)
        }
      }
    },
    /** Until the signal. */
    async follow(): Promise<void> {
      for (let failures = 0; !signal.aborted; ) {
        try {
          await serve(await ask(known?.version || undefined, WAIT_MS))
          failures = 0
        } catch (error) {
          if (signal.aborted) return
          log.debug({ problem: error instanceof Error ? error.message : '' }, 'no news of routes')
          failures += 1
          await clock.sleep(backoff(failures, 250, 5_000), signal).catch(() => undefined)
        }
      }
    },
    write,
  }
}
