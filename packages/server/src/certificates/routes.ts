/** Certificates over HTTP. */
import { Readable } from 'node:stream'
import { id } from '@kalnet/contracts/basics'
import { type Certificate, certificateRoutes } from '@kalnet/contracts/certificate'
import { fail } from '@kalnet/contracts/errors'
import { streamed } from '../core/call.ts'
import { type Call, type Handler, handle } from '../core/http.ts'
import { parseInput } from '../core/parse.ts'
import type { Signer } from '../core/x509.ts'
import { authorityOf, fileOf } from './authority-file.ts'
import type { Keeping } from './keeping.ts'
import type { Serving } from './serving.ts'
import { trustPage } from './trust-page.ts'

export interface RoutesOptions {
  keeping: Keeping
  serving: Serving
  /** null: this installation has none. */
  authority(): Promise<Signer | null>
  publicUrl: string | undefined
}

/** On record: which names; never a key. */
const recorded = ({ audit }: Pick<Call<never>, 'audit'>, it: Certificate): Certificate => {
  audit({ name: it.names.join(', ').slice(0, 200), source: it.source }, it.id)
  return it
}

export const routesOfCertificates = ({
  keeping,
  serving,
  authority,
  publicUrl,
}: RoutesOptions): Handler[] => [
  handle(certificateRoutes.list, async ({ actor, query }) => {
    const after = parseInput(id.optional(), query.after, 'query')
    const items = await keeping.list(actor, { after, limit: query.limit })
    return { items, next: items.length < query.limit ? null : (items.at(-1)?.id ?? null) }
  }),
  handle(certificateRoutes.hosts, async ({ actor }) => ({
    items: await serving.list(actor.organisationId),
    next: null,
  })),
  handle(certificateRoutes.authority, async ({ request }) => {
    const signer = await authority()
    return {
      authority: signer ? authorityOf(signer) : null,
      page: signer && trustPage(request.raw, publicUrl),
    }
  }),
  handle(certificateRoutes.authorityFile, async ({ params, reply }) => {
    const signer = await authority()
    if (!signer) throw fail('thing.unknown', { kind: 'authority' })
    const { type, name, content } = fileOf(signer, params.form)
    reply.type(type)
    reply.header('content-disposition', `attachment; filename="${name}"`)
    reply.header('cache-control', 'no-store')
    return streamed(Readable.from([content]))
  }),
  handle(certificateRoutes.read, ({ actor, params }) => keeping.read(actor, params.id)),
  handle(certificateRoutes.import, async (call) =>
    recorded(call, await keeping.bring(call.actor, call.body)),
  ),
  handle(certificateRoutes.order, async (call) => recorded(call, await keeping.order(call.actor, call.body))),
  handle(certificateRoutes.renew, async (call) =>
    recorded(call, await keeping.renew(call.actor, call.params.id)),
  ),
  handle(certificateRoutes.revoke, async (call) =>
    recorded(call, await keeping.revoke(call.actor, call.params.id, call.signal)),
  ),
  handle(certificateRoutes.remove, async (call) => {
    recorded(call, await keeping.remove(call.actor, call.params.id))
    return {}
  }),
]
