/** The stand-in's identity providers and linked accounts: kept in memory, with the answers the screens need. */
import type { LinkedAccount, Provider } from '@kalnet/contracts/federation'
import { uuid, type World } from './fixtures.ts'

const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
const HERE = 'https://larch.local:7443/api/sign-in/providers'
const KIDS = uuid(301)

const common = (number: number, name: string) => ({
  id: uuid(number),
  name,
  enabled: true,
  rules: [],
  defaultRole: 'member' as const,
  createsPeople: true,
  secondFactor: { when: 'never' as const },
  people: 3,
  createdAt: at(-20),
})
const KEYCLOAK: Provider = {
  ...common(601, 'Larch accounts'),
  kind: 'openid',
  icon: 'home',
  issuer: 'https://login.larch.example/realms/home',
  clientId: 'kalnet',
  scopes: ['openid', 'profile', 'email'],
  groupsClaim: 'groups',
  hasSecret: true,
  rules: [
    { group: 'parents', role: 'admin' },
    { group: 'children', role: 'child', groupId: KIDS },
  ],
  callbackUrl: `${HERE}/${uuid(601)}/callback`,
  backchannelLogoutUrl: `${HERE}/${uuid(601)}/logout`,
}
const SCHOOL: Provider = {
  ...common(602, 'Birch school'),
  kind: 'saml',
  icon: 'school',
  enabled: false,
  people: 0,
  entityId: 'https://idp.birch-school.example/saml',
  signInUrl: 'https://idp.birch-school.example/sso',
  certificates: [{ subject: 'CN=Birch school', fingerprint: 'AB:CD', expiresAt: at(300), expired: false }],
  metadataUrl: 'https://idp.birch-school.example/metadata',
  groupsAttribute: 'groups',
  emailAttribute: 'email',
  ourMetadataUrl: `${HERE}/${uuid(602)}/metadata`,
  acsUrl: `${HERE}/${uuid(602)}/acs`,
}
const buttonOf = ({ id, name, icon }: Provider) => ({ id, name, icon })
const CHECK = {
  good: true,
  checks: [
    { what: 'Address', state: 'good', text: 'https://login.larch.example/realms/home answers.' },
    { what: 'Signatures', state: 'good', text: 'It signs with a key of its own.' },
    { what: 'Keys', state: 'good', text: 'Its keys can be read.' },
    { what: 'Signing out', state: 'warning', text: 'It cannot tell us when somebody signs out there.' },
  ],
}

export function createProvidersStandIn() {
  let providers: Provider[] = []
  let linked: LinkedAccount[] = []
  const use = (world: World) => {
    const long = { name: 'Landesschulbehörde der Vereinigten Nordseegemeinden' }
    providers =
      world === 'empty' ? [] : [KEYCLOAK, SCHOOL].map((it) => (world === 'long' ? { ...it, ...long } : it))
    linked =
      world === 'empty'
        ? []
        : [
            {
              id: uuid(611),
              provider: buttonOf(providers[0] ?? KEYCLOAK),
              account: 'ada.larch',
              linkedAt: at(-12),
              lastUsedAt: at(-1),
              removable: true,
            },
          ]
  }
  use('usual')
  return {
    use,
    /** Also for those who are not signed in. */
    buttons: () => ({ items: providers.filter((it) => it.enabled).map(buttonOf), next: null }),
    /** Answers what is ours; undefined: somebody else's. */
    answer(method: string, url: URL, body: Record<string, unknown>): unknown {
      const path = url.pathname.slice('/api/'.length)
      if (path === 'me/linked-accounts' && method === 'GET') {
        const taken = new Set(linked.map((it) => it.provider.id))
        return {
          items: linked,
          next: null,
          available: providers.filter((it) => it.enabled && !taken.has(it.id)).map(buttonOf),
        }
      }
      if (path.startsWith('me/linked-accounts/') && method === 'DELETE') {
        linked = linked.filter((it) => !path.endsWith(it.id))
        return {}
      }
      const [area, id = '', verb = ''] = path.split('/')
      if (area !== 'providers') return undefined
      if (id === 'look') return { check: CHECK, saml: null }
      if (verb === 'test') return CHECK
      if (method === 'GET') return { items: providers, next: null }
      if (method === 'DELETE') {
        providers = providers.filter((it) => it.id !== id)
        return {}
      }
      if (method === 'PATCH')
        providers = providers.map((it) => (it.id === id ? ({ ...it, ...body } as Provider) : it))
      const made = { ...KEYCLOAK, ...body, id: uuid(620), rules: [], enabled: false, people: 0 } as Provider
      if (method === 'POST') providers = [...providers, made]
      return providers.find((it) => it.id === (id || uuid(620)))
    },
  }
}
