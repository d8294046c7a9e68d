/** In the bench: the service behind every gateway (1 KiB for each request), and whoever is asked whether it may pass. Tells how often it was asked. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer } from '../stream/processes.ts'

const BODY = Buffer.alloc(1024, 'x')
const HEADERS = { 'content-type': 'text/plain', 'content-length': String(BODY.length) }
const PIECE = Buffer.alloc(65_536, 'x')

let served = 0
const server = createServer((request, response) => {
  served += 1
  const path = request.url ?? ''
  if (path.startsWith('/auth')) {
    response.writeHead(200, { 'x-kalnet-user': 'somebody', 'content-length': '0' }).end()
    return
  }
  const [, bytes] = /^\/large\/(\d+)/.exec(path) ?? []
  request.resume()
  if (bytes === undefined) {
    response.writeHead(200, HEADERS).end(BODY)
    return
  }
  request.on('end', () => {
    let left = Number(bytes)
    response.writeHead(200, { 'content-length': bytes })
    const more = () => {
      while (left > 0) {
        const piece = PIECE.subarray(0, Math.min(left, PIECE.length))
        left -= piece.length
        if (!response.write(piece)) return
      }
      response.end()
    }
    response.on('drain', more)
    more()
  })
})
server.keepAliveTimeout = 600_000
server.requestTimeout = 0
server.listen(0, '127.0.0.1')
answer(({ served: asked }: { served?: boolean }) =>
  asked ? { served } : (server.address() as AddressInfo).port,
)
