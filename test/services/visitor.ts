/** A person who is signed in to the dashboard and opens services through the gateway, as a browser does it. */
import { createServer, request as httpRequest } from 'node:http'
import { forwardRoutes } from '@kalnet/contracts/forward'
import { systemClock } from '@kalnet/io/clock'
import { ask, type Client } from '../support/client.ts'
import type { Door } from './way.ts'

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** Cookies by host, as a browser keeps them. */
export function createVisitor(client: Client, gatewayPort: number) {
  const jar = new Map<string, Map<string, string>>()
  const base = `http://127.0.0.1:${gatewayPort}`

  async function once(host: string, path: string, { method = 'GET', headers, body }: Asked) {
    const cookies = jar.get(host) ?? new Map<string, string>()
    jar.set(host, cookies)
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const own = { host, origin: `http://${host}`, ...(cookie && { cookie }) }
    const answer = await ask(base, { method, path, headers: { ...own, ...headers }, body })
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      if (/max-age=0/i.test(line)) cookies.delete(pair.slice(0, at))
      else cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return answer
  }

  /** As once; a gateway hears a moment later than we that there is somebody to ask. */
  async function visit(host: string, path: string, asked: Asked) {
    const until = Date.now() + 10_000
    for (;;) {
      const answer = await once(host, path, asked)
      const isEmpty = answer.status === 503 && JSON.stringify(answer.body).includes('gateway.no-instance')
      if (!isEmpty || Date.now() > until) return answer
      await systemClock.sleep(100, AbortSignal.timeout(15_000))
    }
  }

  /** To the dashboard and back with a one-use code, once for each host. */
  async function enter(host: string): Promise<void> {
    const first = await once(host, '/', { headers: { accept: 'text/html' } })
    const asked = new URL(String(first.headers.location), 'http://dashboard')
    const [to, state] = [asked.searchParams.get('to'), asked.searchParams.get('state')]
    if (first.status !== 302 || !to || !state)
      throw new Error(`${host} does not ask who comes: ${first.status} ${String(first.headers.location)}`)
    const { to: back } = await client.call(forwardRoutes.enter, { body: { to, state } })
    const { pathname, search } = new URL(back)
    await once(host, pathname + search, {})
  }

  /** An app password of this person for one host, as a program shows it. */
  async function passwordFor(host: string) {
    const { items } = await client.call(forwardRoutes.places)
    const place = items.find((it) => it.host === host.split(':')[0])
    if (!place) throw new Error(`no app password could be used at ${host}: ${JSON.stringify(items)}`)
    return client.call(forwardRoutes.addPassword, { body: { routeId: place.id, name: 'a program' } })
  }

  return { visit, enter, passwordFor }
}

/** For programs that do not know how to ask an address for a host by another name: what they send here arrives at the gateway for that host. */
export async function openFront(gatewayPort: number, host: string): Promise<Door> {
  const server = createServer((request, response) => {
    const { method, url: path, headers } = request
    const onward = httpRequest(
      { host: '127.0.0.1', port: gatewayPort, method, path, headers: { ...headers, host } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
