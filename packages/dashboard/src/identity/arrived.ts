/** What an identity provider's way back left in the address: a second factor to show. Taken out of it at once. */
import type { Waiting } from './entering.ts'

interface Arrived {
  waiting: Waiting | null
  /** Where the person was going. */
  back: string | null
}
const NOTHING: Arrived = { waiting: null, back: null }
const MARK = '#second-factor='
/** One slash, then no second one: a page of ours. */
const ours = (path: unknown) => (typeof path === 'string' && /^\/(?![/\\])/.test(path) ? path : null)

export function readArrived(hash: string): Arrived {
  if (!hash.startsWith(MARK)) return NOTHING
  try {
    const bytes = Uint8Array.from(atob(hash.slice(MARK.length).replace(/-/g, '+').replace(/_/g, '/')), (it) =>
      it.charCodeAt(0),
    )
    const { attempt, methods, expiresAt, back } = JSON.parse(new TextDecoder().decode(bytes)) as Record<
      string,
      unknown
    >
    if (typeof attempt !== 'string' || !Array.isArray(methods) || typeof expiresAt !== 'string')
      return NOTHING
    return {
      waiting: { state: 'second-factor', attempt, methods: methods as Waiting['methods'], expiresAt },
      back: ours(back),
    }
  } catch {
    // Cut or changed on the way: signing in begins from the start.
    return NOTHING
  }
}

export const arrived = (): Arrived => readArrived(location.hash)

/** Once it is shown: a page may be drawn more than once before it is, and must find the same each time. */
export function takeArrived(): void {
  if (location.hash.startsWith(MARK)) history.replaceState(null, '', location.pathname + location.search)
}
