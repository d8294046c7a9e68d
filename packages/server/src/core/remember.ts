/** A short memory for answers that are asked again and again: bounded, and forgotten at once when told. */
import type { Clock } from '@kalnet/io/clock'

export interface Remember<T> {
  /** What is known and not older than the limit, else what `find` answers. Several at once ask once. */
  get(key: string, find: () => Promise<T>): Promise<T>
  /** Nothing that was found before counts any more, nor what is being looked for now. */
  forget(): void
}

/** `forMs` 0: nothing is kept. */
export function createRemember<T>(
  clock: Clock,
  { forMs, most }: { forMs: number; most: number },
): Remember<T> {
  let known = new Map<string, { until: number; answer: Promise<T> }>()
  return {
    get(key, find) {
      if (forMs === 0) return find()
      const now = clock.now().getTime()
      const found = known.get(key)
      if (found && found.until > now) return found.answer
      if (known.size >= most) known.clear()
      const answer = find()
      const mine = { until: now + forMs, answer }
      known.set(key, mine)
      const here = known
      // What went wrong is asked again.
      answer.catch(() => here.get(key) === mine && here.delete(key))
      return answer
    },
    forget() {
      known = new Map()
    },
  }
}
