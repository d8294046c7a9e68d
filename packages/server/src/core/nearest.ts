/** "Did you mean …?": the nearest of some words by edit distance. */

/** Levenshtein distance, one row at a time. */
export function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_unused, index) => index)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + same))
    }
    row = next
  }
  return row[other.length] ?? 0
}

/** The nearest word, or null when none is near enough to be meant (a third of its letters). */
export function nearest(wanted: string, words: readonly string[]): string | null {
  const ranked = words
    .map((word) => ({ word, far: distance(wanted.toLowerCase(), word.toLowerCase()) }))
    .sort((one, other) => one.far - other.far)
  const best = ranked[0]
  return best && best.far <= Math.max(1, Math.floor(best.word.length / 3)) ? best.word : null
}
