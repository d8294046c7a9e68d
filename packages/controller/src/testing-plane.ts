/** For tests: a control plane of a few lines. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  controllerRoutes,
  type FromController,
  LINK_PATH,
  type ToController,
} from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import { DIAL_PATH } from '@kalnet/contracts/stream'
import { createLog } from '@kalnet/io/log'
import { acceptRaw } from '@kalnet/wire/raw'
import { acceptLink, proveHello, type ServerLink } from '@kalnet/wire/server-link'

export const CONTROLLER = '01890000-0000-7000-8000-00000000c000'
const log = createLog('test', 'silent')

/** Says yes to one token, keeps every message, gives out the dialled streams. */
export async function createControlPlane() {
  let publicKey: string | null = null
  let enrolments = 0
  let link: ServerLink | null = null
  const messages: Exclude<FromController, { type: 'hello' }>[] = []
  const dialled: { token: string; stream: Duplex }[] = []
  const sockets = new Set<Duplex>()
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (piece) => {
      text += String(piece)
    })
    request.on('end', () => {
      const body = JSON.parse(text) as { token: string; publicKey: string }
      const isRight = request.url === controllerRoutes.enrol.path && body.token === 'right'
      if (isRight) {
        publicKey = body.publicKey
        enrolments += 1
      }
      response.writeHead(isRight ? 200 : 403, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify(isRight ? { controllerId: CONTROLLER } : fail('controller.token').body('r')),
      )
    })
  })
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url === LINK_PATH)
      return void acceptLink(request, socket, head, {
        log,
        authenticate: (hello, nonce) =>
          proveHello(hello, nonce, { publicKeyOf: async () => publicKey, allowUrl: (it) => it === url() }),
        onUp: (it) => {
          link = it
        },
        onMessage: (it) => void messages.push(it),
        onClose: () => {
          link = null
        },
      })
    const offer = request.url === DIAL_PATH ? acceptRaw(request, socket, head) : null
    if (offer) dialled.push({ token: offer.token, stream: offer.accept() })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const told = <T extends FromController['type']>(type: T) =>
    messages.filter((it): it is Extract<typeof it, { type: T }> => it.type === type)
  return {
    url,
    told,
    messages,
    dialled,
    enrolments: () => enrolments,
    isUp: () => link !== null,
    hello: () => link?.hello,
    send: (message: ToController) => link?.send(message),
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}
export type ControlPlane = Awaited<ReturnType<typeof createControlPlane>>
