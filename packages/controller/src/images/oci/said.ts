/** What a registry answers that is no success, as a sentence for people; and which of it may pass by itself. */
import type { Answer } from '@kalnet/io/outbound'
import { z } from 'zod'
import { parseJson } from './challenge.ts'
import { RegistryProblem } from './pushed.ts'

/** May pass by itself: the way is broken, or the registry is busy. Becomes a `RegistryProblem` when it does not pass. */
export class Passing extends Error {
  override readonly name = 'Passing'
  /** What the registry itself asks us to wait. */
  readonly waitMs: number | null
  constructor(message: string, waitMs: number | null = null, cause?: unknown) {
    super(message, { cause })
    this.waitMs = waitMs
  }
}

const BUSY = new Set([408, 425, 429, 500, 502, 503, 504])
const LONGEST_WAIT_MS = 30_000

const errors = z.object({
  errors: z.array(z.object({ code: z.string().optional(), message: z.string().optional() })).min(1),
})

/** The registry's own words, short and harmless. */
function wordsOf({ body }: Answer): { code: string; words: string } {
  const first = errors.safeParse(parseJson(body)).data?.errors[0]
  const clean = (text: string) =>
    text
      .replace(/[^\x20-\x7e]+/g, ' ')
      .trim()
      .slice(0, 160)
  const code = clean(first?.code ?? '')
  const words = clean(first?.message ?? '')
  return { code, words: words || code }
}

const waitOf = ({ headers }: Answer): number | null => {
  const seconds = Number(headers['retry-after'])
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, LONGEST_WAIT_MS) : null
}

/** `what`: what was tried, as in "The layer could not be sent". */
export function problemOf(answer: Answer, host: string, what: string): Error {
  const { status } = answer
  const { code, words } = wordsOf(answer)
  const own = words ? ` It says: ${words}.` : ''
  const refused = (text: string) => new RegistryProblem('refused', `${what}: ${text}${own}`)
  if (BUSY.has(status)) return new Passing(`${what}: ${host} answered ${status}.${own}`, waitOf(answer))
  if (status === 401) return refused(`${host} does not accept these credentials.`)
  if (status === 403 || code === 'DENIED')
    return refused(`${host} does not let this account do that; it needs the right to push there.`)
  if (status === 404)
    return refused(`${host} has no such place; the project may have to be made there first.`)
  if (status === 413)
    return refused(`${host}, or a proxy before it, takes no pieces of this size; its limit has to be raised.`)
  if (status >= 300 && status < 400)
    return refused(`${host} sends us elsewhere (${where(answer)}); give the address that is meant.`)
  return new RegistryProblem('failed', `${what}: ${host} answered ${status}.${own}`)
}

function where({ headers, url }: Answer): string {
  const to = headers.location
  return to && URL.canParse(to, url) ? new URL(to, url).host : 'it does not say where'
}
