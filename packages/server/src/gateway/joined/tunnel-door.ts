/** Where a gateway of its own reaches instances that only their controller does: one raw connection for each, with its key. */

import { fail, KalnetError } from '@kalnet/contracts/errors'
import type { Snapshot } from '@kalnet/contracts/gateway'
import { GATEWAY_TUNNEL_PATH } from '@kalnet/contracts/gateway-joined'
import type { Log } from '@kalnet/io/log'
import { joinStreams, LONG_HALF_MS } from '@kalnet/wire/join'
import { acceptRaw, type RawOffer } from '@kalnet/wire/raw'
import type { Http } from '../../core/http.ts'
import type { Tunnels } from '../../streams/tunnels.ts'

/** Of one household at a time; each is two connections of ours. */
const MOST = 4_000

export interface TunnelDoorOptions {
  http: Pick<Http, 'upgrade'>
  tunnels: Pick<Tunnels, 'dial'>
  /** What a gateway of this household serves: it reaches nothing else. */
  snapshotOf(organisationId: string): Snapshot
  log: Log
  signal: AbortSignal
}

export function openTunnelDoor({ http, tunnels, snapshotOf, log, signal }: TunnelDoorOptions): void {
  const open = new Map<string, number>()

  async function join(offer: RawOffer, ended: AbortSignal, organisationId: string, asked: URLSearchParams) {
    const [controllerId, instanceId, port] = ['controller', 'instance', 'port'].map((it) => asked.get(it))
    const endpoint = snapshotOf(organisationId).endpoints.find(
      (it) =>
        it.port === port && it.tunnel?.instanceId === instanceId && it.tunnel?.controllerId === controllerId,
    )
    if (!endpoint?.tunnel) throw fail('thing.unknown', { kind: 'instance' })
    const now = open.get(organisationId) ?? 0
    if (now >= MOST) throw fail('request.too-many', { seconds: 1 })
    open.set(organisationId, now + 1)
    try {
      const far = await tunnels.dial({ ...endpoint.tunnel, port: endpoint.port }, ended)
      // Should it break before both are joined; joining listens itself.
      far.on('error', () => far.destroy())
      await joinStreams(offer.accept(), far, signal, LONG_HALF_MS)
    } finally {
      const left = (open.get(organisationId) ?? 1) - 1
      if (left > 0) open.set(organisationId, left)
      else open.delete(organisationId)
    }
  }

  http.upgrade(GATEWAY_TUNNEL_PATH, {
    origin: 'none',
    signIn: 'required',
    permission: 'gateway.serve',
    handle(request, socket, head, actor, _signIn, visit) {
      const offer = acceptRaw(request, socket, head)
      if (!offer || !actor) return
      const ended = new AbortController()
      socket.once('close', () => ended.abort(new Error('it hung up')))
      const asked = new URL(request.url ?? '/', 'http://localhost').searchParams
      join(offer, AbortSignal.any([ended.signal, signal]), actor.organisationId, asked).catch(
        (error: unknown) => {
          const known = error instanceof KalnetError ? error : fail('internal', {}, error)
          if (known.status >= 500) log.info({ code: known.code }, 'a gateway could not reach an instance')
          visit.refused(known)
          offer.refuse(known)
        },
      )
    },
  })
}
