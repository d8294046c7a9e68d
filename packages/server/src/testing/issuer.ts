/** For tests: a real OpenID Connect provider in this process (oidc-provider), where anybody is let in, and whose answers a test may spoil. */
import { createPrivateKey, createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import Provider from 'oidc-provider'
import { freePort } from './server.ts'

export interface TestPerson {
  sub: string
  email?: string
  name?: string
  groups?: string[]
}
export interface TokenParts {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}
export type Spoil = (token: TokenParts, sign: Sign) => string
export type Sign = (token: TokenParts, how?: 'own' | 'other' | 'none' | 'hmac') => string

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

export async function startIssuer(redirectUris: () => string[], options: { port?: number } = {}) {
  const port = options.port ?? (await freePort())
  const issuer = `http://127.0.0.1:${port}`
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = randomUUID()
  const people = new Map<string, TestPerson>()
  let person: TestPerson = { sub: 'ada', email: 'ada@example.net', name: 'Ada', groups: [] }
  let spoil: Spoil | null = null
  /** Query of the way back. */
  let spoilBack: ((url: URL) => void) | null = null
  let acr: string | null = null

  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...own.privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }] },
    clients: [
      {
        client_id: 'kalnet',
        client_secret: 'client-secret-of-the-test',
        redirect_uris: redirectUris(),
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        post_logout_redirect_uris: redirectUris().map((it) => new URL('/', it).href),
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email'],
      profile: ['name', 'preferred_username'],
      groups: ['groups'],
    },
    scopes: ['openid', 'email', 'profile', 'groups', 'offline_access'],
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    cookies: { keys: ['of-the-test'] },
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    findAccount: async (_context, id) => {
      const found = people.get(id)
      return found ? { accountId: id, claims: async () => ({ ...found }) } : undefined
    },
    interactions: { url: (_context, interaction) => `/let-in/${interaction.uid}` },
    ttl: { AccessToken: 600, IdToken: 600, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600 },
  })
  const sign: Sign = ({ header, claims }, how = 'own') => {
    if (how === 'none') return `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`
    if (how === 'hmac') {
      // The classic: the public key, which everybody has, taken for a shared one.
      const head = encode({ ...header, alg: 'HS256' })
      const key = own.publicKey.export({ type: 'spki', format: 'pem' })
      const { createHmac } = process.getBuiltinModule('node:crypto')
      return `${head}.${encode(claims)}.${createHmac('sha256', key)
        .update(`${head}.${encode(claims)}`)
        .digest('base64url')}`
    }
    const data = `${encode(header)}.${encode(claims)}`
    const key = createPrivateKey(
      (how === 'own' ? own : other).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    )
    return `${data}.${createSign('sha256').update(data).sign(key, 'base64url')}`
  }
  async function letIn(request: IncomingMessage, response: ServerResponse) {
    const { prompt, params, grantId } = await provider.interactionDetails(request, response)
    people.set(person.sub, person)
    if (prompt.name === 'login')
      return provider.interactionFinished(request, response, {
        login: { accountId: person.sub, ...(acr ? { acr } : {}) },
      })
    const grant =
      (grantId ? await provider.Grant.find(grantId) : undefined) ??
      new provider.Grant({ accountId: person.sub, clientId: String(params.client_id) })
    grant.addOIDCScope(String(params.scope))
    return provider.interactionFinished(
      request,
      response,
      { consent: { grantId: await grant.save() } },
      { mergeWithLastSubmission: true },
    )
  }
  /** Lets the provider answer, and changes the token in it. */
  function spoiled(response: ServerResponse) {
    const change = spoil
    if (!change) return
    const end = response.end.bind(response) as (text: string) => ServerResponse
    response.end = ((body?: unknown) => {
      const answer = JSON.parse(String(body)) as Record<string, unknown>
      if (typeof answer.id_token === 'string') {
        const [head = '', claims = ''] = answer.id_token.split('.')
        const parse = (part: string) =>
          JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
        answer.id_token = change({ header: parse(head), claims: parse(claims) }, sign)
      }
      const text = JSON.stringify(answer)
      response.setHeader('content-length', Buffer.byteLength(text))
      return end(text)
    }) as typeof response.end
  }
  const callback = provider.callback()
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/let-in/')) {
      letIn(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
      return
    }
    if (request.url === '/token') spoiled(response)
    if (request.url?.startsWith('/auth') && spoilBack) {
      const change = spoilBack
      const head = response.writeHead.bind(response)
      response.writeHead = ((status: number, ...rest: never[]) => {
        const location = response.getHeader('location')
        if (typeof location === 'string' && /[?&](code|error)=/.test(location)) {
          const url = new URL(location)
          change(url)
          response.setHeader('location', url.href)
        }
        return head(status, ...rest)
      }) as typeof response.writeHead
    }
    callback(request, response)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    issuer,
    provider,
    sign,
    kid,
    as(who: TestPerson) {
      person = who
      people.set(who.sub, who)
    },
    /** Disabled there: not found any more. */
    remove: (sub: string) => people.delete(sub),
    withAcr(value: string | null) {
      acr = value
    },
    spoil(change: Spoil | null) {
      spoil = change
    },
    spoilBack(change: ((url: URL) => void) | null) {
      spoilBack = change
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
export type Issuer = Awaited<ReturnType<typeof startIssuer>>
