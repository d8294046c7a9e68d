/** Small pictures of running screens: owner only, in memory only, at most one per 10 s, only when asked for. */
import { fail } from '@kalnet/contracts/errors'
import type { Clock } from '@kalnet/io/clock'

interface Picture {
  png: string | null
  takenAt: string | null
}
export interface ThumbnailOptions {
  clock: Clock
  /** Has a limit of its own. */
  read(controllerId: string, instanceId: string, maxWidth: number): Promise<string | null>
}

const EVERY_MS = 10_000
const KEPT = 200
const WIDTH = 480
/** As base64. A picture of that width is a tenth of it; a machine that sends more shall not fill our memory. */
const MOST = 700_000
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

export function createThumbnails({ clock, read }: ThumbnailOptions) {
  /** By instance and generation, oldest first. */
  const taken = new Map<string, { at: number; picture: Promise<Picture> }>()
  return async (session: {
    controllerId: string | null
    instanceId: string
    generation: number
    state: string
  }): Promise<Picture> => {
    const { controllerId, instanceId, generation, state } = session
    if (state !== 'running' || !controllerId) throw fail('session.state', { state })
    const key = `${instanceId}.${generation}`
    const now = clock.now().getTime()
    const last = taken.get(key)
    if (last && now - last.at < EVERY_MS) return last.picture
    // Shared by all pages that ask within its time, so that it does not end with the first of them.
    const picture = read(controllerId, instanceId, WIDTH).then(
      (png) =>
        png && png.length <= MOST && BASE64.test(png)
          ? { png, takenAt: new Date(now).toISOString() }
          : { png: null, takenAt: null },
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
