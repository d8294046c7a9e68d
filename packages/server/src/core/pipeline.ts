/** What every route passes through, in this order: host, origin, sign-in, permission, limit, schema, once-only, audit, answer. */
import { Readable } from 'node:stream'
import { fail } from '@kalnet/contracts/errors'
import { type Actor, type Permission, UNPROVED } from '@kalnet/contracts/permission'
import type { AnyRoute } from '@kalnet/contracts/route'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { createAudited, type RecordAudit } from './audited.ts'
import type { Call, Handler, Identified } from './call.ts'
import { formAt, formOf } from './forms.ts'
import { createOnce } from './idempotency.ts'
import type { Limits } from './limits.ts'
import {
  addressOf,
  assertOwnHost,
  assertSameOrigin,
  isLocal,
  isSecure,
  networkOf,
  type OwnNames,
} from './origin.ts'
import { parseInput } from './parse.ts'
import { logFailure, toKalnetError } from './replies.ts'
import type { Store } from './store.ts'

export interface PipelineOptions {
  store: Store
  clock: Clock
  log: Log
  own: OwnNames
  limits: Limits
  /** `brief`: an answer of a second ago will do. */
  identify(request: FastifyRequest['raw'], brief?: boolean): Promise<Identified>
  authorise(actor: Actor | null, permission: Permission): boolean
  record: RecordAudit
}

export const BODY_BYTES = 262_144
const CALL_MS = 60_000
/** For routes that name no limit of their own: only floods meet it. */
const PER_MINUTE = 60_000
const PUBLIC_PER_MINUTE = 3_000
/** For how long a proof is enough for what is dangerous. */
export const PROOF_MS = 10 * 60_000

/** What is shown once is kept nowhere: such an answer cannot be repeated, so the key is not honoured there. */
const SHOWN_ONCE = ['token', 'ticket', 'link', 'secret', 'recoveryCodes']
const answersSecret = (route: AnyRoute) =>
  route.answer instanceof z.ZodObject &&
  SHOWN_ONCE.some((name) => name in (route.answer as z.ZodObject).shape)

/** The `:id` of the address; cut, because a refused one may be anything. */
const namedIn = (params: unknown): string | null => {
  const id = (params as { id?: unknown } | null)?.id
  return typeof id === 'string' ? id.slice(0, 100) : null
}

/** Which key it was, when one came along. */
const keyOf = (who: Identified | undefined): Record<string, string> =>
  who?.signIn?.key ? { key: who.signIn.key } : {}

export function createPipeline(options: PipelineOptions) {
  const { store, clock, log, own, limits, identify, authorise, record } = options
  const known = new WeakMap<FastifyRequest, Identified>()

  const auditedFor = (
    route: AnyRoute,
    request: FastifyRequest,
    actor: Actor | null,
    also?: (tx: Parameters<RecordAudit>[0] & object) => Promise<void>,
  ) =>
    createAudited({
      action: route.audit,
      actor,
      details: keyOf(known.get(request)),
      object: namedIn(request.params),
      address: addressOf(request.raw),
      requestId: request.id,
      now: () => stamp(clock),
      record,
      also,
    })

  function refusalOf(route: AnyRoute, { actor, signIn }: Identified) {
    if (!authorise(actor, route.permission)) {
      if (!actor) return fail('sign-in.required')
      return fail(actor.scopes === UNPROVED ? 'sign-in.unproved' : 'permission.denied')
    }
    if (!route.stepUp || actor?.kind !== 'user') return null
    const age = clock.now().getTime() - Date.parse(signIn?.provedAt ?? '')
    return age <= PROOF_MS ? null : fail('step-up.required')
  }

  /** Before the body is read: nobody uploads what he may not send. */
  async function admit(route: AnyRoute, request: FastifyRequest): Promise<void> {
    const raw = request.raw
    assertOwnHost(raw, own)
    if (route.method !== 'GET' && route.form !== 'navigation') assertSameOrigin(raw, own)
    const fallback = route.permission === 'public' ? PUBLIC_PER_MINUTE : PER_MINUTE
    if (!isLocal(raw))
      limits.count(
        `${route.method} ${route.path} ${networkOf(addressOf(raw))}`,
        route.limits?.perMinute ?? fallback,
      )
    const who = await identify(raw, route.remembered)
    known.set(request, who)
    if (route.permission === 'local' && !isLocal(raw)) throw fail('route.unknown')
    const refusal = refusalOf(route, who)
    if (!refusal) return
    if (who.actor) await auditedFor(route, request, who.actor).refused(refusal)
    throw refusal
  }

  async function work(handler: Handler, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { route } = handler
    const { actor, signIn } = known.get(request) ?? { actor: null, signIn: null }
    const params = parseInput(route.params, request.params, 'address')
    const query = parseInput(route.query, request.query, 'query')
    const body = parseInput(route.body, request.body ?? {}, 'body')

    const key = request.headers['idempotency-key']
    const once =
      route.method === 'POST' &&
      route.audit &&
      actor &&
      // What anybody may ask is about who he is, not about who he was.
      route.permission !== 'public' &&
      typeof key === 'string' &&
      !answersSecret(route)
        ? createOnce({ store, clock, actor, key, request: { method: route.method, url: request.url, body } })
        : null
    const before = await once?.earlier()
    if (before) return before.answer

    const closed = new AbortController()
    reply.raw.once('close', () => closed.abort())
    const audited = auditedFor(route, request, actor, once ? (tx) => once.claim(tx) : undefined)
    const call: Call<AnyRoute> = {
      params,
      query,
      body,
      get actor() {
        if (!actor) throw fail('sign-in.required')
        return actor
      },
      visitor: actor,
      signIn,
      signal: AbortSignal.any([closed.signal, AbortSignal.timeout(CALL_MS)]),
      request,
      reply,
      requestId: request.id,
      address: addressOf(request.raw),
      secure: isSecure(request.raw),
      audit: audited.add,
      unchanged: audited.unchanged,
      actAs: audited.actAs,
      tried: audited.tried,
    }
    try {
      const answer = await audited.run(async () => checked(route, await handler.work(call)))
      await once?.keep(answer)
      return answer
    } catch (error) {
      if (once?.lostRace(error)) {
        const winner = await once.earlier()
        if (winner) return winner.answer
      }
      await audited.refused(error).catch((problem: unknown) => {
        // The change did not happen; that its refusal is not on record is for the log.
        log.warn(
          { requestId: request.id, problem: problem instanceof Error ? problem.message : '' },
          'a refusal is not in the audit',
        )
      })
      throw error
    }
  }

  /** What leaves is what the contract says, nothing more: a row with a column too many is a fault, not a leak. */
  function checked(route: AnyRoute, answer: unknown): unknown {
    if (answer instanceof Readable && route.answer instanceof z.ZodString) return answer
    const result = route.answer.safeParse(answer)
    if (result.success) return result.data
    throw fail(
      'internal',
      {},
      new Error(`${route.method} ${route.path} answered against its contract: ${result.error.message}`),
    )
  }

  return {
    admit,
    work,
    failed(thrown: unknown, request: FastifyRequest, reply: FastifyReply, limitBytes = BODY_BYTES) {
      const error = toKalnetError(thrown, limitBytes, request.headers['content-type'])
      logFailure(log, error, {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
      })
      if (request.routeOptions.config?.form === 'navigation')
        // The browser is here itself: the dashboard says it in words. Only the code goes along, never words from outside.
        return reply.status(303).header('location', `/?problem=${error.code}`).send()
      if (typeof error.details.seconds === 'number') reply.header('retry-after', error.details.seconds)
      const form = formOf(request.routeOptions.config?.form ?? formAt(request.url))
      return reply
        .status(error.status)
        .type(form.type)
        .send(JSON.stringify(form.error(error, request.id)))
    },
  }
}
