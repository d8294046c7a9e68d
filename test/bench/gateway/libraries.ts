/** In the bench: the two libraries that could do the proxying, as bare as they come. `http-proxy-3 PORT` or `undici PORT`. */
import { Agent, createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createProxyServer } from 'http-proxy-3'
import { Pool } from 'undici'
import { answer } from '../stream/processes.ts'

const [, , kind, port] = process.argv
const target = `http://127.0.0.1:${port}`

function byLibrary(): RequestListener {
  const proxy = createProxyServer({ target, agent: new Agent({ keepAlive: true }) })
  proxy.on('error', () => undefined)
  return (request, response) => proxy.web(request, response)
}
function byUndici(): RequestListener {
  const pool = new Pool(target, { connections: 128, pipelining: 1 })
  return (request, response) => {
    const { connection: _, host: __, 'transfer-encoding': ___, ...headers } = request.headers
    const bodiless = request.method === 'GET'
    pool
      .stream(
        {
          method: request.method as 'GET',
          path: request.url ?? '/',
          headers,
          body: bodiless ? null : request,
        },
        ({ statusCode, headers: answered }) =>
          response.writeHead(statusCode, answered as Record<string, string>),
      )
      .catch(() => response.destroy())
  }
}
const server = createServer(kind === 'undici' ? byUndici() : byLibrary())
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1')
answer(() => (server.address() as AddressInfo).port)
