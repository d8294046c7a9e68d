/**
 * Our sign-in as an instance reaches it: an app of ours has no way to the control plane but its link, and by that only to the few
 * addresses that an app asks itself (OpenID Connect: discovery, keys, token, userinfo), never to the API.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { OPENID_PATH } from '@kalnet/contracts/app'
import type { Http } from '../core/http.ts'

const OPEN: Record<string, readonly string[]> = {
  [`${OPENID_PATH}/.well-known/openid-configuration`]: ['GET'],
  [`${OPENID_PATH}/jwks`]: ['GET'],
  [`${OPENID_PATH}/token`]: ['POST'],
  [`${OPENID_PATH}/me`]: ['GET', 'POST'],
}
const HEADERS_MS = 10_000
const REQUEST_MS = 30_000

export const isOpen = (method: string | undefined, path: string | undefined): boolean => {
  const plain = path?.split('?')[0] ?? ''
  return Object.hasOwn(OPEN, plain) && (OPEN[plain] ?? []).includes(method ?? '')
}

export interface SignInDoor {
  dial(signal: AbortSignal): Promise<Duplex>
  close(): void
}

export function createSignInDoor({ own, address }: { own: Http['own']; address(): string }): SignInDoor {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (!isOpen(request.method, request.url)) {
      response.writeHead(404, { 'content-length': '0', connection: 'close' }).end()
      return
    }
    // It was asked by the name of a link; here it counts as what it is.
    request.headers.host = new URL(address()).host
    own.request(request, response)
  })
  server.headersTimeout = HEADERS_MS
  server.requestTimeout = REQUEST_MS
  server.unref()
  let listening: Promise<number> | null = null

  /** On loopback, when it is needed first: what it gives is open to whoever may ask the control plane anyway. */
  const listen = () => {
    listening ??= new Promise<number>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => {
        const at = server.address()
        resolve(typeof at === 'object' && at ? at.port : 0)
      })
    })
    return listening
  }

  return {
    async dial(signal) {
      const port = await listen()
      return new Promise<Duplex>((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port, signal, allowHalfOpen: true })
        socket.once('connect', () => resolve(socket))
        socket.once('error', reject)
      })
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
