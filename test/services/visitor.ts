/** A person who is signed in to the dashboard and opens services through the gateway, as a browser does it. */
import { forwardRoutes } from '@kalnet/contracts/forward'
import { ask, type Client } from '../support/client.ts'

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

  return { once, enter }
}
