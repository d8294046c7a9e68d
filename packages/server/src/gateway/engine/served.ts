/** Tells what became of a request once it ended, to whoever follows what passes. Nothing of it runs while nobody does. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Visit } from './admit.ts'
import type { Served } from './interface.ts'

const begin = (request: IncomingMessage, visit: Visit) => {
  const { rotation, method, scheme, host, uri, trace, upgrade } = visit
  const began = performance.now()
  const end = uri.indexOf('?')
  return (status: number, isWhole: boolean): Served => ({
    route: rotation.route,
    method,
    scheme,
    host: host.name,
    path: end < 0 ? uri : uri.slice(0, end),
    version: request.httpVersion,
    trace,
    upgrade,
    status,
    isWhole,
    tookMs: performance.now() - began,
  })
}

export function tellServed(
  { request, response, visit }: { request: IncomingMessage; response: ServerResponse; visit: Visit },
  told: (served: Served) => void,
): void {
  const served = begin(request, visit)
  response.once('close', () =>
    told(served(response.headersSent ? response.statusCode : 0, response.writableFinished)),
  )
}

/** A WebSocket ends when it is closed; who was refused one, with the answer. */
export function tellUpgraded(
  { request, socket, visit }: { request: IncomingMessage; socket: Duplex; visit: Visit },
  told: (served: Served) => void,
): void {
  const served = begin(request, visit)
  socket.once('close', () => told(served(visit.status, visit.status !== 0)))
}
