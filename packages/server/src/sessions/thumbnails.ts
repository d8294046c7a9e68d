/** Small pictures of running screens: owner only, in memory only, at most one per 10 s, only when asked for. */
import { fail } from '@kalnet/contracts/errors'
import type { Clock } from '@kalnet/io/clock'

interface Picture {
  png: string | null
  takenAt: string | null
}
export interface ThumbnailOptions {
  clock: Clock
  read(
    controllerId: string,
    instanceId: string,
    maxWidth: number,
    signal: AbortSignal,
  ): Promise<string | null>
}

const EVERY_MS = 10_000
const KEPT = 200
const WIDTH = 480

export function createThumbnails({ clock, read }: ThumbnailOptions) {
  /** By instance and generation, oldest first. */
  const taken = new Map<string, { at: number; picture: Promise<Picture> }>()
  return async (
    session: { controllerId: string | null; instanceId: string; generation: number; state: string },
    signal: AbortSignal,
  ): Promise<Picture> => {
    const { controllerId, instanceId, generation, state } = session
    if (state !== 'running' || !controllerId) throw fail('session.state', { state })
    const key = `${instanceId}.${generation}`
    const now = clock.now().getTime()
    const last = taken.get(key)
    if (last && now - last.at < EVERY_MS) return last.picture
    const picture = read(controllerId, instanceId, WIDTH, signal).then(
      (png) => ({ png, takenAt: png ? new Date(now).toISOString() : null }),
      // A screen that cannot be read right now is no fault of the page that asked: it shows the icon instead.
      () => ({ png: null, takenAt: null }),
    )
    taken.delete(key)
    taken.set(key, { at: now, picture })
    const oldest = taken.keys().next()
    if (taken.size > KEPT && !oldest.done) taken.delete(oldest.value)
    return picture
  }
}
