/** Signing in to the chat as a browser does it: to our sign-in and back, all of it by addresses that the answers name. */
import { expect } from 'vitest'
import { ask, type Client } from '../support/client.ts'
import type { Way } from './way.ts'

/** A page of the dashboard's own host, with the cookies it has set. */
function dashboard(client: Client, base: string) {
  const jar = new Map([[client.cookie.slice(0, client.cookie.indexOf('=')), client.cookie]])
  return async (method: string, path: string, body?: object) => {
    const headers = {
      cookie: [...jar.values()].join('; '),
      ...(body && { 'content-type': 'application/json' }),
    }
    const answer = await ask(base, { method, path, headers, body: body && JSON.stringify(body) })
    for (const line of answer.headers['set-cookie'] ?? []) {
      const pair = line.split(';')[0] ?? ''
      jar.set(pair.slice(0, pair.indexOf('=')), pair)
    }
    return answer
  }
}

const onward = (location: unknown): URL => new URL(String(location), 'http://nowhere.example')
const pathOf = ({ pathname, search }: URL) => pathname + search

/** Who the chat says it is, after signing in by us and by nothing else. */
export async function signInToChat(way: Way, client: Client, base: string): Promise<string> {
  const page = dashboard(client, base)
  const to = encodeURIComponent('http://localhost/done')
  const begin = await way.http(`/_matrix/client/v3/login/sso/redirect/oidc-kalnet?redirectUrl=${to}`)
  expect(begin.status).toBe(302)
  let at = onward(begin.headers.location)
  let answer = await page('GET', pathOf(at))
  // Through our own pages until it leads back to the chat.
  for (let steps = 0; steps < 6; steps++) {
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(400)
    const uid = /^\/consent\/([\w-]+)$/.exec(onward(answer.headers.location ?? at).pathname)?.[1]
    if (uid) {
      // Asked even where the household trusts the app: the page goes on by itself then, by the same call.
      const decided = await page('POST', `/api/consents/${uid}`, { decision: 'allow' })
      at = onward((decided.body as { to?: string }).to)
    } else at = onward(answer.headers.location)
    if (at.pathname.startsWith('/_synapse/')) break
    answer = await page('GET', pathOf(at))
  }
  const back = await way.http(pathOf(at))
  const said = `${String(back.headers.location ?? '')} ${String(back.body)}`
  const token = /loginToken=([\w.~-]+)/.exec(said)?.[1]
  expect(token, `${back.status} ${said.slice(0, 500)}`).toBeTruthy()
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ type: 'm.login.token', token })
  const entered = await way.http('/_matrix/client/v3/login', { method: 'POST', headers, body })
  expect(entered.status, JSON.stringify(entered.body)).toBe(200)
  return (entered.body as { user_id: string }).user_id
}
