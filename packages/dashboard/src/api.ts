/** The typed client of the control plane: one function, the routes of the contracts, problems in words. */

import { type Address, ROUTES } from 'virtual:contracts'
import type { Details, ErrorBody } from '@kalnet/contracts/errors'
import type { AnswerOf, AnyRoute, BodyIn, ParamsOf, QueryOf } from '@kalnet/contracts/route'
import * as m from './messages/index.ts'

export { ROUTES }

/** A failure in words: what happened, and what to do next. */
export class ApiProblem extends Error {
  readonly code: string
  readonly next: string
  readonly status: number
  readonly requestId: string
  readonly details: Details
  constructor(it: {
    code: string
    message: string
    next: string
    status: number
    requestId: string
    details?: Details
  }) {
    super(it.message)
    this.name = 'ApiProblem'
    this.code = it.code
    this.next = it.next
    this.status = it.status
    this.requestId = it.requestId
    this.details = it.details ?? {}
  }
}

export interface Input<R> {
  params?: ParamsOf<R>
  query?: Partial<QueryOf<R>>
  body?: BodyIn<R>
  signal?: AbortSignal
  /** The same key sent twice does the thing once. */
  idempotencyKey?: string
  /** Goes on when the page is left. */
  keepalive?: boolean
}

const LIMIT_MS = 20_000
const heard = new EventTarget()

/**
 * `heard` when the server answered, `lost` when it could not be reached, `signed-out` when it no longer knows us,
 * `unproved` when it asks for a second way to prove who this is before anything else.
 */
export type Heard = 'heard' | 'lost' | 'signed-out' | 'unproved'
export const onServer = (what: Heard, listener: () => void, signal?: AbortSignal) =>
  heard.addEventListener(what, listener, { signal })
export const tell = (what: Heard) => heard.dispatchEvent(new Event(what))

/** Asks the person to prove once more who it is; false: not now. There is one such dialog for the whole dashboard. */
let prover: (() => Promise<boolean>) | null = null
export const onProofWanted = (ask: typeof prover) => {
  prover = ask
}
/** For a screen that wants the proof itself. */
export const askProof = (): Promise<boolean> => prover?.() ?? Promise.resolve(false)
export const isCancelled = (problem: unknown) =>
  problem instanceof ApiProblem && problem.code === 'step-up.cancelled'
const cancelled = ({ status, requestId }: ApiProblem) =>
  new ApiProblem({
    code: 'step-up.cancelled',
    message: m.problemNotProved,
    next: m.problemNotProvedNext,
    status,
    requestId,
  })

function addressOf<R extends AnyRoute>(route: Address<R>, input: Input<R>): string {
  const params: Record<string, unknown> = { ...(input.params as object | undefined) }
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])))
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...(input.query as object | undefined) })) {
    if (value !== undefined) query.set(name, String(value))
  }
  return query.size > 0 ? `${path}?${query}` : path
}

const unreachable = () =>
  new ApiProblem({
    code: 'server.unreachable',
    message: m.problemUnreachable,
    next: m.problemUnreachableNext,
    status: 0,
    requestId: '',
  })

async function problemOf(answer: Response): Promise<ApiProblem> {
  const status = answer.status
  try {
    const { error } = (await answer.json()) as ErrorBody
    return new ApiProblem({ ...error, status })
  } catch {
    // Not our error shape: something between us and the server answered (a proxy, a captive portal).
    return new ApiProblem({
      code: `http.${status}`,
      message: m.problemStrange(status),
      next: m.problemStrangeNext,
      status,
      requestId: answer.headers.get('x-request-id') ?? '',
    })
  }
}

/**
 * Calls a route. Throws an ApiProblem; the caller's own abort passes through as it is. What is dangerous is asked again after the
 * person has proved who it is; whoever declines gets a problem that the screens do not speak of (`isCancelled`).
 */
export async function call<R extends AnyRoute>(
  route: Address<R>,
  input: Input<R> = {},
): Promise<AnswerOf<R>> {
  try {
    return await once(route, input)
  } catch (problem) {
    if (!(problem instanceof ApiProblem) || problem.code !== 'step-up.required' || !prover) throw problem
    if (!(await prover())) throw cancelled(problem)
    return await once(route, input)
  }
}

async function once<R extends AnyRoute>(route: Address<R>, input: Input<R>): Promise<AnswerOf<R>> {
  const limit = AbortSignal.timeout(LIMIT_MS)
  const signal = input.signal ? AbortSignal.any([input.signal, limit]) : limit
  const headers = new Headers({ accept: 'application/json' })
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(route.method)
  if (hasBody) headers.set('content-type', 'application/json')
  if (input.idempotencyKey) headers.set('idempotency-key', input.idempotencyKey)
  let answer: Response
  try {
    answer = await fetch(addressOf(route, input), {
      method: route.method,
      headers,
      body: hasBody ? JSON.stringify(input.body ?? {}) : undefined,
      credentials: 'same-origin',
      keepalive: input.keepalive,
      signal,
    })
  } catch (cause) {
    if (input.signal?.aborted) throw cause
    tell('lost')
    throw unreachable()
  }
  tell('heard')
  if (!answer.ok) {
    const problem = await problemOf(answer)
    if (problem.code === 'sign-in.required') tell('signed-out')
    if (problem.code === 'sign-in.unproved') tell('unproved')
    throw problem
  }
  return (await answer.json()) as AnswerOf<R>
}
