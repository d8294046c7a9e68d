/** "Did you mean …?": the nearest of some words by edit distance. */

/** Letters added, dropped, changed or swapped with their neighbour, each once (optimal string alignment). */
export function distance(one: string, other: string): number {
  const rows = Array.from({ length: one.length + 1 }, (_unused, i) => [i])
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0
  for (let j = 1; j <= other.length; j++) rows[0]?.push(j)
  for (let i = 1; i <= one.length; i++) {
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const plain = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + cost)
      rows[i]?.push(swapped ? Math.min(plain, at(i - 2, j - 2) + 1) : plain)
    }
  }
  return at(one.length, other.length)
}

/** The nearest word, or null when none is near enough to be meant (a third of its letters). */
export function nearest(wanted: string, words: readonly string[]): string | null {
  const ranked = words
    .map((word) => ({ word, far: distance(wanted.toLowerCase(), word.toLowerCase()) }))
    .sort((one, other) => one.far - other.far)
  const best = ranked[0]
  return best && best.far <= Math.max(1, Math.floor(best.word.length / 3)) ? best.word : null
}
