/** For tests of apps: the provider on a test server, an app that openid-client speaks for, and a browser that keeps cookies. */
import { request as httpRequest } from 'node:http'
import type { Allowed } from '@kalnet/contracts/app'
import { appRoutes } from '@kalnet/contracts/app'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { createOutbound } from '@kalnet/io/outbound'
import * as client from 'openid-client'
import { type Apps, createApps } from '../apps/apps.ts'
import type { ToService } from '../apps/provider.ts'
import { type Answer, type TestServer, testServer } from './server.ts'

export interface AppServer extends TestServer {
  apps: Apps
}

/** `dashboardFolder`: a build of the dashboard, for tests in a browser. */
export async function appServer(
  options: { dashboardFolder?: string; toService?: ToService; traefikHost?: string } = {},
): Promise<AppServer> {
  const { dashboardFolder } = options
  const server = await testServer({ listen: false, http: dashboardFolder ? { dashboardFolder } : {} })
  const apps = createApps({
    store: server.store,
    events: server.events,
    clock: systemClock,
    log: createLog('test', 'silent'),
    secrets: server.secrets,
    outbound: createOutbound({ allow: ['127.0.0.1'] }),
    signIns: server.identity.signIns,
    address: () => server.origin,
    toService: options.toService,
    traefikHost: options.traefikHost,
  })
  server.http.add(apps.routes)
  apps.mount(server.http)
  await server.http.listen()
  return { ...server, apps }
}

/** A browser's cookies and its way of following addresses, one at a time. */
export function createBrowser(secret?: string) {
  const jars = new Map<string, Map<string, string>>()
  const jar = (host: string) => {
    const found = jars.get(host) ?? new Map<string, string>()
    jars.set(host, found)
    return found
  }
  return {
    jar,
    /** Navigates; redirects are not followed. `crossSite`: as a link from another site, which brings no Strict cookie along. */
    go(
      to: string,
      {
        method = 'GET',
        body,
        crossSite = false,
        headers = {},
      }: {
        method?: string
        body?: string
        crossSite?: boolean
        headers?: Record<string, string>
      } = {},
    ): Promise<{ status: number; location: string; text: string; headers: Answer['headers'] }> {
      const url = new URL(to)
      const mine = jar(url.host)
      const cookies = [...mine].map(([name, value]) => `${name}=${value}`)
      if (secret && !crossSite) cookies.push(`kalnet=${secret}`)
      return new Promise((resolve, reject) => {
        const call = httpRequest(
          url,
          {
            method,
            // Names under localhost are this machine (RFC 6761), whatever the resolver knows.
            ...(url.hostname.endsWith('.localhost') ? { hostname: '127.0.0.1' } : {}),
            headers: {
              host: url.host,
              accept: 'text/html',
              ...(cookies.length ? { cookie: cookies.join('; ') } : {}),
              ...(body
                ? {
                    'content-type': 'application/x-www-form-urlencoded',
                    'content-length': Buffer.byteLength(body),
                  }
                : {}),
              ...headers,
            },
          },
          (answer) => {
            for (const line of answer.headers['set-cookie'] ?? []) {
              const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/s)
              if (value) mine.set(name, value)
              else mine.delete(name)
            }
            let text = ''
            answer.setEncoding('utf8')
            answer.on('data', (piece: string) => {
              text += piece
            })
            answer.on('end', () =>
              resolve({
                status: answer.statusCode ?? 0,
                location: answer.headers.location ? new URL(answer.headers.location, url).href : '',
                text,
                headers: answer.headers,
              }),
            )
          },
        )
        call.once('error', reject)
        call.end(body)
      })
    },
  }
}
export type Browser = ReturnType<typeof createBrowser>

export interface TestApp {
  id: string
  config: client.Configuration
  redirectUri: string
  secret: string | null
  clientId: string
}

export async function registerApp(
  server: AppServer,
  steward: { secret: string },
  options: Partial<{
    kind: 'public' | 'confidential'
    trusted: boolean
    allowed: Partial<Allowed>
    logoutUri: string
    leaveUris: string[]
    redirectUri: string
    name: string
  }> = {},
): Promise<TestApp> {
  const redirectUri = options.redirectUri ?? 'http://127.0.0.1:9/back'
  const answer = await server.ask('POST', '/api/apps', {
    as: steward.secret,
    body: {
      name: options.name ?? 'Family photos',
      redirectUris: [redirectUri],
      kind: options.kind ?? 'confidential',
      trusted: options.trusted ?? false,
      allowed: options.allowed ?? {},
      logoutUri: options.logoutUri ?? null,
      leaveUris: options.leaveUris ?? [],
    },
  })
  const { app, secret } = appRoutes.add.answer.parse(answer.body)
  const config = await client.discovery(
    new URL(`${server.origin}/oidc`),
    app.clientId,
    undefined,
    secret ? client.ClientSecretBasic(secret) : client.None(),
    { execute: [client.allowInsecureRequests] },
  )
  return { id: app.id, config, redirectUri, secret, clientId: app.clientId }
}

export interface Begun {
  url: URL
  verifier: string
  state: string
  nonce: string
}
export async function begin(app: TestApp, more: Record<string, string> = {}): Promise<Begun> {
  const verifier = client.randomPKCECodeVerifier()
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const url = client.buildAuthorizationUrl(app.config, {
    redirect_uri: app.redirectUri,
    scope: 'openid profile email groups',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...more,
  })
  return { url, verifier, state, nonce }
}

/** From the app to the consent page: the question's id. */
export async function askAndSee(browser: Browser, begun: Begun): Promise<string> {
  const asked = await browser.go(begun.url.href, { crossSite: true })
  const uid = /\/consent\/([\w-]+)$/.exec(asked.location)?.[1]
  if (!uid) throw new Error(`no question: ${asked.status} ${asked.location} ${asked.text}`)
  return uid
}
export const cookiesOf = (browser: Browser, server: AppServer) =>
  [...browser.jar(new URL(server.origin).host)].map(([name, value]) => `${name}=${value}`).join('; ')

/** The person answers on the consent page and the browser goes on: the address the app is called back at. */
export async function decide(
  server: AppServer,
  browser: Browser,
  uid: string,
  secret: string,
  decision: 'allow' | 'refuse' = 'allow',
): Promise<URL> {
  const answer = await server.ask('POST', `/api/consents/${uid}`, {
    headers: { cookie: `kalnet=${secret}; ${cookiesOf(browser, server)}` },
    body: { decision },
  })
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  const back = await browser.go(String(answer.body.to))
  return new URL(back.location)
}

export const redeem = (app: TestApp, begun: Begun, back: URL) =>
  client.authorizationCodeGrant(app.config, back, {
    pkceCodeVerifier: begun.verifier,
    expectedState: begun.state,
    expectedNonce: begun.nonce,
    idTokenExpected: true,
  })

/** All of it, for a person who allows. */
export async function signInTo(
  server: AppServer,
  app: TestApp,
  secret: string,
  browser = createBrowser(secret),
) {
  const begun = await begin(app)
  const back = await decide(server, browser, await askAndSee(browser, begun), secret)
  return { tokens: await redeem(app, begun, back), browser, begun, back }
}
