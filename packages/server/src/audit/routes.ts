/** The audit over HTTP. */
import { auditRoutes, keeperRoutes } from '@kalnet/contracts/audit'
import { streamed } from '../core/call.ts'
import { type Handler, handle } from '../core/http.ts'
import type { Checks } from './checks.ts'
import { type createExport, EXPORT_TYPES } from './export.ts'
import type { Retention } from './retention.ts'
import type { Search } from './search.ts'
import type { Verifier } from './verify.ts'

export interface AuditRoutesOptions {
  search: Search
  retention: Retention
  checks: Checks
  verifier: Verifier
  exported: ReturnType<typeof createExport>
  /** For a file's name. */
  today(): string
}

/** A long chain takes more than the minute that other calls have: as long as somebody waits for the answer. */
const CHECK_MS = 15 * 60_000
function whileAwaited(reply: { raw: { once(event: 'close', listener: () => void): unknown } }): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return AbortSignal.any([gone.signal, AbortSignal.timeout(CHECK_MS)])
}

export function routesOfAudit(options: AuditRoutesOptions): Handler[] {
  const { search, retention, checks, verifier, exported, today } = options
  return [
    handle(auditRoutes.list, ({ actor, query }) => search.list(actor, query)),
    handle(auditRoutes.mine, ({ actor, query }) => search.list(actor, query, true)),
    handle(auditRoutes.export, async ({ actor, query, audit, reply }) => {
      const { format, ...filter } = query
      audit({
        format,
        ...Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
      })
      reply.header('content-type', EXPORT_TYPES[format])
      reply.header(
        'content-disposition',
        `attachment; filename="kalnet-audit-${today()}.${format === 'json' ? 'jsonl' : format}"`,
      )
      return streamed(exported(actor.organisationId, format, filter))
    }),
    handle(auditRoutes.chain, ({ actor }) => checks.state(actor.organisationId)),
    handle(auditRoutes.verify, async ({ actor, audit, reply }) => {
      const result = await checks.check(actor.organisationId, whileAwaited(reply))
      audit({ rows: result.rows, holds: result.break === null })
      return result
    }),
    handle(auditRoutes.retention, async ({ actor, body, audit }) => {
      audit({ days: body.days, before: await retention.days(actor.organisationId) }, actor.organisationId)
      await retention.set(actor.organisationId, body.days)
      return body
    }),
    handle(keeperRoutes.verifyAll, async ({ audit, reply }) => {
      const items = await verifier.verifyAll(whileAwaited(reply))
      audit({ chains: items.length, holds: items.every((it) => it.break === null) })
      return { items }
    }),
    handle(keeperRoutes.heads, async () => ({ items: await verifier.goodHeads() })),
  ]
}
