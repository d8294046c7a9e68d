/** A Keycloak with a family in it, known to a Kalnet of a test, and a proxy between both that may spoil what it signs. */
import { createServer, request } from 'node:http'
import type { TestServer } from '@kalnet/server/testing/server'
import { type Keycloak, startKeycloak } from '../peers/30-keycloak.ts'

export const REALM = 'home'
export const PASSWORD = 'a password of the test'
const person = (username: string, groups: string[]) => ({
  username,
  enabled: true,
  email: `${username}@example.net`,
  emailVerified: true,
  firstName: username.slice(0, 1).toUpperCase() + username.slice(1),
  lastName: 'Test',
  groups: groups.map((it) => `/${it}`),
  credentials: [{ type: 'password', value: PASSWORD }],
})
const realm = {
  realm: REALM,
  enabled: true,
  groups: [{ name: 'parents' }, { name: 'children' }],
  users: [
    person('grace', ['parents']),
    person('linus', ['children']),
    person('ada', []),
    person('mallory', []),
  ],
}

/** Keeps the Host header: Keycloak then calls itself by the proxy's address. */
async function startProxy(target: string) {
  let spoil: ((path: string, body: string) => string) | null = null
  const to = new URL(target)
  const server = createServer((incoming, outgoing) => {
    const call = request(
      {
        host: to.hostname,
        port: to.port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      },
      (answer) => {
        const pieces: Buffer[] = []
        answer.on('data', (piece: Buffer) => pieces.push(piece))
        answer.on('end', () => {
          const whole = Buffer.concat(pieces)
          const body = spoil ? Buffer.from(spoil(incoming.url ?? '', whole.toString('utf8'))) : whole
          const { 'transfer-encoding': _, 'content-length': __, ...headers } = answer.headers
          outgoing.writeHead(answer.statusCode ?? 502, { ...headers, 'content-length': body.length })
          outgoing.end(body)
        })
      },
    )
    call.on('error', () => outgoing.destroy())
    incoming.pipe(call)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    spoil(change: typeof spoil) {
      spoil = change
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

export interface Family {
  url: string
  issuer: string
  keycloak: Keycloak
  proxy: Awaited<ReturnType<typeof startProxy>>
  /** The admin API of the realm. */
  admin(method: string, path: string, body?: unknown): Promise<unknown>
  userId(username: string): Promise<string>
  stop(): Promise<void>
}

export async function startFamily(): Promise<Family> {
  const keycloak = await startKeycloak({ realms: [realm] })
  const proxy = await startProxy(keycloak.url)
  const json = async (answer: Response): Promise<unknown> => {
    const text = await answer.text()
    if (!answer.ok) throw new Error(`Keycloak answered ${answer.status}: ${text}`)
    return text === '' ? null : JSON.parse(text)
  }
  const admin: Family['admin'] = async (method, path, body) => {
    const { user, password } = keycloak.admin
    const form = new URLSearchParams({
      grant_type: 'password',
      client_id: 'admin-cli',
      username: user,
      password,
    })
    const token = (await json(
      await fetch(`${keycloak.url}/realms/master/protocol/openid-connect/token`, {
        method: 'POST',
        body: form,
      }),
    )) as { access_token: string }
    return json(
      await fetch(`${keycloak.url}/admin/realms/${REALM}${path}`, {
        method,
        headers: { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      }),
    )
  }
  return {
    url: proxy.url,
    issuer: `${proxy.url}/realms/${REALM}`,
    keycloak,
    proxy,
    admin,
    async userId(username) {
      const found = (await admin('GET', `/users?username=${username}&exact=true`)) as { id: string }[]
      return found[0]?.id ?? ''
    },
    async stop() {
      await proxy.stop()
      await keycloak.stop()
    },
  }
}

interface Made {
  id: string
  callbackUrl: string
  backchannelLogoutUrl: string
  ourMetadataUrl: string
  acsUrl: string
}
const rules = [
  { group: 'parents', role: 'admin' },
  { group: 'children', role: 'child' },
]

/** Both kinds of provider at Kalnet, and both clients at Keycloak. */
export async function introduce(family: Family, server: TestServer, owner: string) {
  const add = async (body: Record<string, unknown>): Promise<Made> => {
    const common = { createsPeople: true, enabled: true, rules, defaultRole: 'guest' }
    const answer = await server.ask('POST', '/api/providers', { as: owner, body: { ...common, ...body } })
    if (answer.status !== 200) throw new Error(answer.text)
    return answer.body as unknown as Made
  }
  const secret = 'client secret of the test'
  const openId = await add({
    kind: 'openid',
    name: 'Family',
    issuer: family.issuer,
    clientId: 'kalnet',
    clientSecret: secret,
  })
  const saml = await add({
    kind: 'saml',
    name: 'Family by SAML',
    metadata: { url: `${family.issuer}/protocol/saml/descriptor` },
  })
  await family.admin('POST', '/clients', {
    clientId: 'kalnet',
    protocol: 'openid-connect',
    secret,
    publicClient: false,
    redirectUris: [openId.callbackUrl],
    attributes: {
      'pkce.code.challenge.method': 'S256',
      'backchannel.logout.url': openId.backchannelLogoutUrl,
      'backchannel.logout.session.required': 'true',
      'post.logout.redirect.uris': `${server.origin}/`,
    },
    protocolMappers: [
      {
        name: 'groups',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-group-membership-mapper',
        config: {
          'claim.name': 'groups',
          'full.path': 'false',
          'id.token.claim': 'true',
          'userinfo.token.claim': 'true',
        },
      },
    ],
  })
  await family.admin('POST', '/clients', {
    clientId: saml.ourMetadataUrl,
    protocol: 'saml',
    redirectUris: [saml.acsUrl],
    attributes: {
      'saml.server.signature': 'true',
      'saml.assertion.signature': 'true',
      'saml.client.signature': 'false',
      'saml.force.post.binding': 'true',
      'saml.authnstatement': 'true',
      'saml.signature.algorithm': 'RSA_SHA256',
      saml_name_id_format: 'persistent',
      saml_force_name_id_format: 'true',
      saml_signature_canonicalization_method: 'http://www.w3.org/2001/10/xml-exc-c14n#',
    },
    protocolMappers: [
      {
        name: 'email',
        protocol: 'saml',
        protocolMapper: 'saml-user-property-mapper',
        config: { 'user.attribute': 'email', 'attribute.name': 'email', 'attribute.nameformat': 'Basic' },
      },
      {
        name: 'groups',
        protocol: 'saml',
        protocolMapper: 'saml-group-membership-mapper',
        config: {
          'attribute.name': 'groups',
          'full.path': 'false',
          single: 'true',
          'attribute.nameformat': 'Basic',
        },
      },
    ],
  })
  return { openId, saml }
}
