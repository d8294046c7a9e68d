/** The one clock of a request: whatever it waits for next has its limit, and what moves begins it anew. */

export interface Watch {
  /** In place of what was watched before. */
  set(ms: number, late: () => void): void
  /** Something moved. */
  again(): void
  end(): void
}

export function createWatch(): Watch {
  let timer: NodeJS.Timeout | null = null
  return {
    set(ms, late) {
      if (timer) clearTimeout(timer)
      timer = setTimeout(late, ms)
    },
    again() {
      timer?.refresh()
    },
    end() {
      if (timer) clearTimeout(timer)
      timer = null
    },
  }
}
