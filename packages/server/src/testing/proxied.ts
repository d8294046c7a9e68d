/** For tests of forward-auth: a small proxy that asks as Traefik does, and an app behind it that says what reached it. */
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import { FORWARD_HEADERS } from '@kalnet/contracts/forward'

export const portOf = (it: Server) => (it.address() as { port: number }).port
const listen = (it: Server) => new Promise<void>((resolve) => it.listen(0, '127.0.0.1', resolve))

/** As Traefik's ForwardAuth does it: the client's headers and X-Forwarded-*. */
function question(
  port: number,
  request: IncomingMessage,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  return new Promise((resolve, reject) => {
    const { connection: _, upgrade: __, host, ...headers } = request.headers
    const ask = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path: '/api/forward-auth',
        headers: {
          ...headers,
          host: `127.0.0.1:${port}`,
          'content-length': '0',
          'x-forwarded-method': request.method,
          'x-forwarded-proto': 'http',
          'x-forwarded-host': host,
          'x-forwarded-uri': request.url,
          'x-forwarded-for': '192.0.2.7',
        },
      },
      (answer) => {
        let body = ''
        answer.on('data', (piece: Buffer) => {
          body += piece
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
      },
    )
    ask.once('error', reject)
    ask.end()
  })
}
/** On success the named headers are deleted and replaced by those of the answer. */
function replaced(request: IncomingMessage, answer: { headers: IncomingMessage['headers'] }) {
  const headers = { ...request.headers }
  for (const name of FORWARD_HEADERS) {
    const low = name.toLowerCase()
    delete headers[low]
    if (answer.headers[low]) headers[low] = answer.headers[low]
  }
  return headers
}

/** `kalnetPort`: who is asked. */
export async function startProxied(kalnetPort: number) {
  const app = createServer((request, response) => {
    response.end(JSON.stringify({ url: request.url, method: request.method, headers: request.headers }))
  })
  app.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
  })
  const proxy = createServer(async (request, response) => {
    const answer = await question(kalnetPort, request)
    if (answer.status !== 200) {
      response.writeHead(answer.status, answer.headers).end(answer.body)
      return
    }
    const onward = httpRequest(
      {
        host: '127.0.0.1',
        port: portOf(app),
        path: request.url,
        method: request.method,
        headers: replaced(request, answer),
      },
      (back) => {
        response.writeHead(back.statusCode ?? 0, back.headers)
        back.pipe(response)
      },
    )
    request.pipe(onward)
  })
  proxy.on('upgrade', async (request, socket) => {
    socket.on('error', () => socket.destroy())
    // By this one it is known as a WebSocket when the other two are taken out.
    Object.assign(request.headers, { 'sec-websocket-key': 'x' })
    const answer = await question(kalnetPort, request)
    if (answer.status !== 200) return socket.end(`HTTP/1.1 ${answer.status} No\r\nconnection: close\r\n\r\n`)
    const onward = httpRequest({
      host: '127.0.0.1',
      port: portOf(app),
      path: request.url,
      headers: { ...replaced(request, answer), connection: 'upgrade', upgrade: 'websocket' },
    })
    onward.on('upgrade', (_answer, upstream) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
      upstream.pipe(socket)
    })
    onward.end()
  })
  await Promise.all([listen(app), listen(proxy)])
  return {
    app,
    proxy,
    host: `photos.localhost:${portOf(proxy)}`,
    stop() {
      for (const it of [proxy, app]) {
        it.closeAllConnections()
        it.close()
      }
    },
  }
}
export type Proxied = Awaited<ReturnType<typeof startProxied>>
