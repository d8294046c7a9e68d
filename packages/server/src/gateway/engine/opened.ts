/** What each sign-in let in and is still open, so that its end ends all of it. */

export interface Opened {
  /** Answers how to forget it. */
  add(signInId: string, end: () => void): () => void
  /** How much it was. */
  cut(signInId: string): number
  /** By which sign-ins something is open. */
  signIns(): string[]
}

export function createOpened(): Opened {
  const all = new Map<string, Set<() => void>>()
  return {
    add(signInId, end) {
      const mine = all.get(signInId) ?? new Set()
      all.set(signInId, mine.add(end))
      return () => {
        mine.delete(end)
        if (mine.size === 0 && all.get(signInId) === mine) all.delete(signInId)
      }
    },
    cut(signInId) {
      const mine = [...(all.get(signInId) ?? [])]
      all.delete(signInId)
      for (const end of mine) end()
      return mine.length
    },
    signIns: () => [...all.keys()],
  }
}
