/** A registry for tests: the distribution API in memory, with sign-in and with whatever goes wrong on demand. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Seen {
  method: string
  path: string
  authorization: string | undefined
  bytes: number
}
/** Answers instead of the registry when it returns true. */
export type Fault = (
  request: IncomingMessage & { url: string; method: string },
  response: ServerResponse,
) => boolean | undefined

export interface TestRegistry {
  url: string
  port: number
  seen: Seen[]
  blobs: Map<string, Buffer>
  manifests: Map<string, Buffer>
  fault: Fault | null
  signIn: { scheme: 'basic' | 'bearer'; user: string; password: string; realm?: string } | null
  /** `POST blob`, `HEAD manifest` … → how often, since the last time. */
  counts(): Record<string, number>
  close(): Promise<void>
}

const sum = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`
const kindOf = (path: string) =>
  path.includes('/manifests/')
    ? 'manifest'
    : path.includes('/uploads/')
      ? 'upload'
      : path.includes('/blobs/')
        ? 'blob'
        : 'token'
const TOKEN = 'a.token'

export async function openRegistry(): Promise<TestRegistry> {
  const uploads = new Map<string, Buffer>()
  let number = 0
  let counted = 0
  const it: TestRegistry = {
    url: '',
    port: 0,
    seen: [],
    blobs: new Map(),
    manifests: new Map(),
    fault: null,
    signIn: null,
    counts() {
      const found: Record<string, number> = {}
      for (const { method, path } of it.seen.slice(counted))
        found[`${method} ${kindOf(path)}`] = (found[`${method} ${kindOf(path)}`] ?? 0) + 1
      counted = it.seen.length
      return found
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  const basic = () => `Basic ${Buffer.from(`${it.signIn?.user}:${it.signIn?.password}`).toString('base64')}`

  function turnedAway(path: string, authorization: string | undefined, answer: ServerResponse): boolean {
    const { signIn } = it
    if (!signIn) return false
    if (path.startsWith('/token')) {
      if (authorization !== basic()) answer.writeHead(401).end()
      else answer.end(JSON.stringify({ token: TOKEN, expires_in: 300 }))
      return true
    }
    if (authorization === (signIn.scheme === 'basic' ? basic() : `Bearer ${TOKEN}`)) return false
    const realm = signIn.realm ?? `${it.url}/token`
    const asks = signIn.scheme === 'basic' ? 'Basic realm="test"' : `Bearer realm="${realm}",service="test"`
    answer.writeHead(401, { 'www-authenticate': asks }).end()
    return true
  }

  function take(
    method: string,
    url: URL,
    repository: string,
    body: Buffer,
    answer: ServerResponse,
  ): ServerResponse {
    const [, place = '', name = ''] = /\/(blobs\/uploads|blobs|manifests)\/([^/]*)$/.exec(url.pathname) ?? []
    const go = (status: number, headers: Record<string, string> = {}, content?: Buffer) =>
      answer.writeHead(status, headers).end(content)
    if (place === 'manifests') {
      if (method === 'PUT') {
        it.manifests.set(`${repository} ${name}`, body).set(`${repository} ${sum(body)}`, body)
        return go(201, { 'docker-content-digest': sum(body) })
      }
      const found = it.manifests.get(`${repository} ${name}`)
      return found
        ? go(200, { 'docker-content-digest': sum(found) }, method === 'GET' ? found : undefined)
        : go(404)
    }
    if (place === 'blobs') return go(it.blobs.has(`${repository} ${name}`) ? 200 : 404)
    if (method === 'POST') {
      const lent = it.blobs.get(`${url.searchParams.get('from')} ${url.searchParams.get('mount')}`)
      if (lent) {
        it.blobs.set(`${repository} ${url.searchParams.get('mount')}`, lent)
        return go(201)
      }
      number += 1
      uploads.set(String(number), Buffer.alloc(0))
      return go(202, { location: `/v2/${repository}/blobs/uploads/${number}`, range: '0-0' })
    }
    const before = uploads.get(name)
    if (!before) return go(404)
    const at = { location: url.pathname, range: `0-${Math.max(before.length - 1, 0)}` }
    if (method === 'GET') return go(204, at)
    if (method === 'PATCH') {
      const from = Number(/^(\d+)-/.exec(String(answer.req.headers['content-range']))?.[1])
      if (from !== before.length) return go(416, at)
      uploads.set(name, Buffer.concat([before, body]))
      return go(202, { ...at, range: `0-${before.length + body.length - 1}` })
    }
    const digest = url.searchParams.get('digest') ?? ''
    uploads.delete(name)
    if (sum(before) !== digest) return go(400)
    it.blobs.set(`${repository} ${digest}`, before)
    return go(201)
  }

  const server = createServer((request, answer) => {
    const { method = '', url: path = '' } = request
    const pieces: Buffer[] = []
    const entry: Seen = { method, path, authorization: request.headers.authorization, bytes: 0 }
    it.seen.push(entry)
    if (it.fault?.(Object.assign(request, { url: path, method }), answer)) return
    request.on('data', (piece: Buffer) => {
      entry.bytes += piece.length
      pieces.push(piece)
    })
    request.on('end', () => {
      if (turnedAway(path, request.headers.authorization, answer)) return
      const url = new URL(path, 'http://registry')
      const repository = /^\/v2\/(.+)\/(?:blobs|manifests)\//.exec(url.pathname)?.[1] ?? ''
      take(method, url, repository, Buffer.concat(pieces), answer)
    })
    // What a fault cut off is cut off.
    request.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  it.port = (server.address() as AddressInfo).port
  it.url = `http://127.0.0.1:${it.port}`
  return it
}
