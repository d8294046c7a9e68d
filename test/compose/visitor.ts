/** A person in a browser before the stack's own ports: names lead to this machine, certificates are checked, cookies kept by host. */
import { forwardRoutes } from '@kalnet/contracts/forward'
import { ask, type Client } from '../support/client.ts'

export function createVisitor({ client, ca, at = '127.0.0.1' }: { client: Client; ca: string; at?: string }) {
  const jar = new Map<string, Map<string, string>>()

  async function visit(address: string, headers: Record<string, string> = { accept: 'text/html' }) {
    const { host, origin, pathname, search } = new URL(address)
    const cookies = jar.get(host) ?? new Map<string, string>()
    jar.set(host, cookies)
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await ask(origin, {
      method: 'GET',
      path: pathname + search,
      headers: { ...headers, ...(cookie && { cookie }) },
      ca,
      at,
    })
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      if (/max-age=0/i.test(line)) cookies.delete(pair.slice(0, at))
      else cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return { ...answer, location: String(answer.headers.location ?? '') }
  }

  /** Sent to the dashboard and back with a one-use code, as `by`; answers the status that the dashboard gave. */
  async function enter(address: string, by: Client = client): Promise<number> {
    const first = await visit(address)
    if (first.status !== 302) throw new Error(`${address} does not ask who comes: ${first.status}`)
    const asked = new URL(first.location).searchParams
    const { status, body } = await by.attempt(forwardRoutes.enter, {
      body: { to: asked.get('to') ?? '', state: asked.get('state') ?? '' },
    })
    if (status === 200 && 'to' in body) await visit(body.to)
    return status
  }
  return { visit, enter }
}
