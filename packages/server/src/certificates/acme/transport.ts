/**
 * acme-client speaks the protocol; it asks through our own way out (addresses judged, limits, the signal of the step) instead of
 * its own: axios, which it uses, takes an adapter. Its waits are switched off too: what failed is tried again by our rows, not by a timer.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Ask, type Outbound, OutboundError } from '@kalnet/io/outbound'
import { axios, Client } from 'acme-client'
import { z } from 'zod'

/** RFC 7807, as the authority says what is wrong. */
const problemDocument = z.object({
  type: z.string().default(''),
  detail: z.string().default(''),
  subproblems: z
    .array(
      z.object({
        detail: z.string().default(''),
        identifier: z.object({ value: z.string() }).optional(),
      }),
    )
    .default([]),
})
export interface Way {
  outbound: Outbound
  signal: AbortSignal
}
interface Asked extends Way {
  problem: { status: number; document: z.infer<typeof problemDocument> } | null
}
const way = new AsyncLocalStorage<Asked>()
const ASK_MS = 30_000
/** Which requests the protocol knows (RFC 8555 §6.2). */
const METHODS: Record<string, NonNullable<Ask['method']>> = { get: 'GET', head: 'HEAD', post: 'POST' }

Object.assign(axios.defaults, { acmeSettings: { retryMaxAttempts: 0, retryDefaultDelay: 0 } })
axios.defaults.adapter = async (config) => {
  const current = way.getStore()
  if (!current) throw new Error('the authority is asked within a step only')
  const { outbound, signal } = current
  const method = METHODS[(config.method ?? 'get').toLowerCase()] ?? 'GET'
  const body: unknown = config.data
  const answer = await outbound.ask(config.url ?? '', {
    method,
    headers: { 'content-type': 'application/jose+json', 'user-agent': 'kalnet (acme-client)' },
    ...(method === 'POST' ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
    signal,
    timeoutMs: ASK_MS,
    redirects: 0,
  })
  const data = answer.body.toString('utf8')
  const document = answer.status < 400 ? null : problemDocument.safeParse(jsonOf(data))
  current.problem = document ? { status: answer.status, document: document.data ?? NOTHING } : null
  return {
    data,
    status: answer.status,
    statusText: '',
    headers: answer.headers,
    config,
  }
}

/** The authority said no, in words for people. `passing`: it has trouble or asks for patience; the same may go well later. */
export class AuthorityRefusal extends Error {
  override readonly name = 'AuthorityRefusal'
  readonly type: string
  readonly passing: boolean
  constructor(message: string, type: string, passing: boolean, cause?: unknown) {
    super(message, { cause })
    this.type = type
    this.passing = passing
  }
}

/** Everything the client asks inside `work` goes this way; a refusal is thrown as one. */
export const within = <T>(options: Way, work: () => Promise<T>): Promise<T> =>
  way.run({ ...options, problem: null }, async () => {
    try {
      return await work()
    } catch (error) {
      const problem = way.getStore()?.problem
      if (!problem || error instanceof OutboundError) throw error
      const { status, document } = problem
      const type = document.type.split(':').at(-1) ?? ''
      const also = document.subproblems.map((it) => `${it.identifier?.value ?? ''}: ${it.detail}`)
      const passing = status >= 500 || ['badNonce', 'rateLimited', 'serverInternal'].includes(type)
      throw new AuthorityRefusal(
        [document.detail || `it answered ${status}`, ...also].join('; '),
        type,
        passing,
        error,
      )
    }
  })

export const createClient = (options: { directory: string; accountKey: string; accountUrl?: string }) =>
  new Client({
    directoryUrl: options.directory,
    accountKey: options.accountKey,
    ...(options.accountUrl ? { accountUrl: options.accountUrl } : {}),
  })

/** What went wrong, for people. */
export const wordsOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim().slice(0, 400)

const NOTHING = problemDocument.parse({})
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A page of a proxy, say: the status is all there is.
    return null
  }
}
