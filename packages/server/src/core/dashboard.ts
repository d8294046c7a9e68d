/** The dashboard's built files: hashed ones for ever, pages never cached, everything under a strict policy. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** Our own scripts and styles only, no frame, no form to elsewhere; pictures of screens are blobs and data; style attributes are React's. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const PERMISSIONS =
  'clipboard-read=(self), clipboard-write=(self), fullscreen=(self), camera=(), microphone=(), geolocation=()'

export async function serveDashboard(app: FastifyInstance, folder: string): Promise<void> {
  const built = await access(join(folder, 'index.html')).then(
    () => true,
    () => false,
  )
  if (!built) return
  await app.register(fastifyStatic, {
    root: folder,
    wildcard: false,
    preCompressed: true,
    cacheControl: false,
    serveDotFiles: false,
    setHeaders(reply, path) {
      reply.header('content-security-policy', POLICY)
      reply.header('permissions-policy', PERMISSIONS)
      // Vite puts what carries a hash in its name into assets/.
      const hashed = /[\\/]assets[\\/]/.test(path)
      reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
  // Addresses of pages (/sessions/…) are the application's own; files and the API say plainly that they are not there.
  app.get('/*', (request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    if (path.startsWith('/api/') || path.startsWith('/assets/') || /\.\w{1,8}$/.test(path))
      return reply.callNotFound()
    return reply.sendFile('index.html')
  })
}
