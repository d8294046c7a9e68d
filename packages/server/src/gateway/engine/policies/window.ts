/** Counts over a moving window of time: ten pieces of it, the oldest forgotten as time goes on. */

const PIECES = 10

export interface Window {
  add(now: number, good: number, bad: number): void
  sum(now: number): { good: number; bad: number }
  clear(): void
}

export function createWindow(lengthMs: number): Window {
  const good = new Float64Array(PIECES)
  const bad = new Float64Array(PIECES)
  const pieceMs = Math.max(1, lengthMs / PIECES)
  let newest = -1

  function forget(now: number): number {
    const piece = Math.floor(now / pieceMs)
    if (newest < 0 || piece - newest >= PIECES || piece < newest - PIECES) {
      good.fill(0)
      bad.fill(0)
      newest = piece
    }
    while (newest < piece) {
      newest += 1
      good[newest % PIECES] = 0
      bad[newest % PIECES] = 0
    }
    return newest % PIECES
  }
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0)
  return {
    add(now, wellDone, failed) {
      const at = forget(now)
      good[at] = (good[at] ?? 0) + wellDone
      bad[at] = (bad[at] ?? 0) + failed
    },
    sum(now) {
      forget(now)
      return { good: total(good), bad: total(bad) }
    },
    clear() {
      good.fill(0)
      bad.fill(0)
    },
  }
}
