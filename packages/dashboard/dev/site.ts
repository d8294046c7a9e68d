/** The built dashboard with the stand-in behind it, under the same strict content security policy as the server sends. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { StandIn } from './stand-in.ts'

export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
/** As the server says of files whose names change with what is in them. */
const FOREVER = 'public, max-age=31536000, immutable'
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

export async function serveSite(folder: string, standIn: StandIn) {
  const server = createServer((request, response) => {
    standIn.handle(request, response).then(
      (done) => {
        if (done) return
        const path = normalize(new URL(request.url ?? '/', 'http://site').pathname)
        const wanted = join(folder, path)
        const file = existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(folder, 'index.html')
        response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream')
        response.setHeader('content-security-policy', POLICY)
        if (path.startsWith('/assets/') && file === wanted) response.setHeader('cache-control', FOREVER)
        createReadStream(file).pipe(response)
      },
      (problem) => response.destroy(problem as Error),
    )
  })
  server.on('upgrade', (request, socket, head) => standIn.upgrade(request, socket, head) || socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
