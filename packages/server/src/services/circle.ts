/** Who needs whom must not go in a circle: finds one and names it. Pure. */

/** The first circle as the names along it, the first one again at the end; null when there is none. */
export function circleIn(needs: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>()
  const walk = (name: string, path: string[]): string[] | null => {
    const at = path.indexOf(name)
    if (at >= 0) return [...path.slice(at), name]
    if (done.has(name)) return null
    for (const next of needs.get(name) ?? []) {
      const found = walk(next, [...path, name])
      if (found) return found
    }
    done.add(name)
    return null
  }
  for (const name of needs.keys()) {
    const found = walk(name, [])
    if (found) return found
  }
  return null
}
