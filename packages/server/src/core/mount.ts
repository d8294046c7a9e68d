/** Addresses of other protocols inside the one pipeline: host, origin, limits and size are judged here, what happens there can be put on record. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fail } from '@kalnet/contracts/errors'
import type { Mounted } from '@kalnet/contracts/mount'
import type { Actor } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { v7 as newId } from 'uuid'
import type { RecordAudit } from './audited.ts'
import type { AuditEntry } from './call.ts'
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
import { logFailure, toKalnetError } from './replies.ts'

/** What is told of a mounted call for the audit. Never a secret. */
export interface MountedFact {
  action: string
  actor: Pick<Actor, 'kind' | 'userId' | 'organisationId'> | null
  /** Of an organisation, when nobody is known. */
  organisationId?: string
  /** 'done', or the code of the refusal. */
  outcome?: string
  object?: string
  details?: AuditEntry['details']
}
export interface MountedCall {
  requestId: string
  address: string
  secure: boolean
  record(fact: MountedFact): Promise<void>
}
/** Answers the request itself, body and all; what it throws is answered as every failure is. */
export type MountedWork = (
  request: IncomingMessage,
  response: ServerResponse,
  call: MountedCall,
) => Promise<void>

export function createMounts(options: {
  app: FastifyInstance
  clock: Clock
  log: Log
  limits: Limits
  own: OwnNames
  record: RecordAudit
  safetyHeaders(request: FastifyRequest): Record<string, string>
}) {
  const { app, clock, log, limits, own, record } = options
  const bound: Mounted[] = []

  async function admit(mounted: Mounted, request: FastifyRequest): Promise<void> {
    const raw = request.raw
    assertOwnHost(raw, own)
    if (mounted.origin === 'same' && raw.method !== 'GET') assertSameOrigin(raw, own)
    if (!isLocal(raw)) limits.count(`mount ${mounted.path} ${networkOf(addressOf(raw))}`, mounted.perMinute)
    if (Number(raw.headers['content-length'] ?? 0) > mounted.bodyBytes)
      throw fail('request.too-large', { limitBytes: mounted.bodyBytes })
    // Whoever names no length may send without end.
    if (raw.headers['transfer-encoding'] !== undefined)
      throw fail('request.invalid', { problem: 'the body must say how long it is' })
  }

  const callOf = (request: FastifyRequest): MountedCall => ({
    requestId: request.id,
    address: addressOf(request.raw),
    secure: isSecure(request.raw),
    async record({ action, actor, organisationId, outcome = 'done', object, details = {} }) {
      const entry: AuditEntry = {
        id: newId(),
        organisationId: actor?.organisationId ?? organisationId ?? null,
        at: stamp(clock),
        actorKind: actor?.kind ?? 'nobody',
        userId: actor?.userId ?? null,
        action,
        outcome,
        object: object ?? null,
        details,
        address: addressOf(request.raw),
        requestId: request.id,
      }
      await record(null, entry, false)
    },
  })

  return {
    bound: () => [...bound],
    add(mounts: readonly Mounted[], work: MountedWork) {
      bound.push(...mounts)
      void app.register(async (inner) => {
        // The protocol reads its own bodies.
        inner.removeAllContentTypeParsers()
        inner.addContentTypeParser('*', (_request, _payload, done) => done(null))
        for (const mounted of mounts)
          inner.route({
            method: [...mounted.methods],
            url: mounted.path,
            exposeHeadRoute: false,
            onRequest: (request) => admit(mounted, request),
            handler: async (request, reply) => {
              reply.hijack()
              const { raw } = reply
              for (const [name, value] of Object.entries(options.safetyHeaders(request)))
                raw.setHeader(name, value)
              try {
                await work(request.raw, raw, callOf(request))
              } catch (error) {
                const known = toKalnetError(error, mounted.bodyBytes)
                logFailure(log, known, {
                  requestId: request.id,
                  method: request.method,
                  route: mounted.path,
                })
                if (raw.headersSent) raw.destroy()
                else
                  raw
                    .writeHead(known.status, { 'content-type': 'application/json' })
                    .end(JSON.stringify(known.body(request.id)))
              }
            },
          })
      })
    },
  }
}
