/** A word from us to a service itself: to each of its instances, by its address or through its controller, never by a name. */
import { type Agent, request } from 'node:http'
import type { Snapshot } from '@kalnet/contracts/gateway'
import type { EngineOptions } from './engine/interface.ts'
import { createUpstream } from './engine/upstream.ts'

export interface InsideOptions extends Pick<EngineOptions, 'machine' | 'dialTunnel' | 'upstreamIdentity'> {
  now(): Snapshot
}
export interface Word {
  /** Its host is said, its path is asked; where it leads by name does not matter. */
  url: string
  headers: Record<string, string>
  body: string
  signal: AbortSignal
}
const CONNECT_MS = 5_000
/** Of an answer that nobody reads. */
const MOST_BYTES = 65_536

export function createInside(options: InsideOptions) {
  function post(agent: Agent, { url, headers, body, signal }: Word) {
    const { host, pathname, search, protocol } = new URL(url)
    return new Promise<number>((resolve, reject) => {
      const call = request(
        {
          agent,
          method: 'POST',
          path: pathname + search,
          signal,
          headers: {
            ...headers,
            host,
            'x-forwarded-proto': protocol.replace(':', ''),
            'content-length': Buffer.byteLength(body),
            connection: 'close',
          },
        },
        (answer) => {
          let size = 0
          answer.on('data', (piece: Buffer) => {
            size += piece.length
            if (size > MOST_BYTES) answer.destroy()
          })
          answer.once('close', () => resolve(answer.statusCode ?? 502))
        },
      )
      call.once('error', reject)
      call.end(body)
    })
  }

  return {
    /** To all of them, since each may remember people by itself: the worst status of all. Rejects when one cannot be reached. */
    async post(serviceId: string, port: string, word: Word): Promise<number> {
      const { routes, endpoints } = options.now()
      const all = endpoints.filter((it) => it.serviceId === serviceId && it.port === port)
      if (all.length === 0) throw new Error('nothing of it runs now')
      const route = routes.find((it) => it.serviceId === serviceId && it.port === port)
      const secureName = route?.upstreamTls === 'mutual' ? route.serviceName : null
      const statuses = await Promise.all(
        all.map(async (endpoint) => {
          const reach = { endpoint, secureName, organisationId: route?.organisationId ?? '' }
          const upstream = createUpstream(reach, options, () => CONNECT_MS)
          try {
            return await post(upstream.agent, word)
          } finally {
            upstream.retire()
          }
        }),
      )
      return Math.max(...statuses)
    },
  }
}
export type Inside = ReturnType<typeof createInside>
