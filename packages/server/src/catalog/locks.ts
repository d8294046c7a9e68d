/** What is wrong with a recipe's lock file: every package exact, with its hash, and from nobody's address in particular. */
import { z } from 'zod'

/** More than this travels badly: the recipe is part of every message about an instance. */
const MOST_BYTES = 2 ** 20
const HASHED = /^[A-Za-z0-9][\w.-]*==[\w.!+-]+( --hash=sha256:[0-9a-f]{64})+$/

const npmLock = z.looseObject({
  lockfileVersion: z.literal(3, 'is not of version 3'),
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      integrity: z.string().optional(),
      resolved: z.string().optional(),
      inBundle: z.boolean().optional(),
    }),
  ),
})

function npmProblem(text: string): string | null {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    return 'is not JSON'
  }
  const lock = npmLock.safeParse(data)
  if (!lock.success) return lock.error.issues[0]?.message ?? 'is not a lock file of npm'
  for (const [path, it] of Object.entries(lock.data.packages)) {
    if (path === '') continue
    if (it.resolved !== undefined)
      return `${path} names an address; lock with omit-lockfile-registry-resolved=true`
    // It came inside another package, under that one's hash.
    if (it.inBundle) continue
    if (!it.integrity?.startsWith('sha512-') || !it.version) return `${path} has no sha512 hash`
  }
  return null
}

function requirementsProblem(text: string): string | null {
  const lines = text
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() && !line.startsWith('#'))
  const odd = lines.find((line) => !HASHED.test(line))
  if (lines.length === 0) return 'names no package'
  return odd === undefined ? null : `"${odd.slice(0, 60)}" is not name==version with its --hash=sha256`
}

export function lockProblem(name: string, text: string): string | null {
  if (text.length > MOST_BYTES) return `is larger than ${MOST_BYTES} bytes`
  if (name === 'package.json') return /"scripts"\s*:/.test(text) ? 'has scripts of its own' : null
  return name.endsWith('.json') ? npmProblem(text) : requirementsProblem(text)
}
