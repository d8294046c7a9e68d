/** The control plane's part of the stream path: the real relay, raw streams and control link, without tickets and database. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { LINK_PATH } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import { DIAL_PATH } from '@kalnet/contracts/stream'
import { createLog } from '@kalnet/io/log'
import { acceptRaw } from '@kalnet/wire/raw'
import { createRelay } from '@kalnet/wire/relay'
import { acceptLink, type ServerLink } from '@kalnet/wire/server-link'
import { v7 } from 'uuid'
import { answer } from './processes.ts'

const log = createLog('bench-server', 'warn')
const relay = createRelay()
const awaited = new Map<string, (raw: Duplex) => void>()
let controller: ServerLink | null = null

const server = createServer((_request, response) => response.writeHead(404).end())
server.on('upgrade', (request, socket, head) => {
  if (request.url === LINK_PATH) {
    void acceptLink(request, socket, head, {
      log,
      authenticate: async (hello) => hello.controllerId,
      onUp: (link) => {
        controller = link
      },
      onMessage: (message) => log.warn(message),
      onClose: () => undefined,
    })
  } else if (request.url === DIAL_PATH) {
    const offer = acceptRaw(request, socket, head)
    const take = offer && awaited.get(offer.token)
    if (offer && take) take(offer.accept())
    else offer?.refuse(fail('ticket.invalid'))
  } else {
    const viewer = relay.accept(request, socket, head)
    if (!viewer) return
    const token = randomBytes(32).toString('base64url')
    awaited.set(token, (raw) => {
      awaited.delete(token)
      viewer.attach(raw, () => undefined)
    })
    controller?.send({ type: 'stream.open', streamId: v7(), instanceId: v7(), port: 'display', token })
  }
})
const ready = new Promise<number>((resolve) =>
  server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () =>
    resolve((server.address() as AddressInfo).port),
  ),
)
answer((request: { gc?: true; up?: true }) => {
  if (request.gc) globalThis.gc?.()
  if (request.up) return controller !== null
  return ready
})
