/** The stand-in's service keys and service accounts: kept in memory, with the answers the screens need. */
import { SCOPE_PRESETS, type ServiceAccount, type ServiceKey } from '@kalnet/contracts/key'
import { ME, uuid, type World } from './fixtures.ts'

const DAY = 86_400_000
const at = (ms: number) => new Date(Date.now() + ms).toISOString()
const LONG = 'Unterhaltungselektronikfernbedienungsverwaltung der Großeltern'
/** Looks like one and is none: its middle is not random. */
const TOKEN = 'kal_3f9c0a1b2c3d_7Hq2LmN0vHs6JdCfGaEuIoK2XyV9BcD4eFRw3kPq8xT'

const key = (number: number, name: string, more: Partial<ServiceKey> = {}): ServiceKey => ({
  id: uuid(number),
  begins: `kal_${number}9c0a1b2c3`,
  name,
  userId: ME.id,
  userName: ME.name,
  userKind: 'person',
  scopes: [...SCOPE_PRESETS.read.scopes],
  createdAt: at(-60 * DAY),
  expiresAt: at(30 * DAY),
  lastUsedAt: at(-7_200_000),
  lastUsedAddress: '192.168.1.20',
  overlapUntil: null,
  ...more,
})
const account = (number: number, name: string, more: Partial<ServiceAccount> = {}): ServiceAccount => ({
  id: uuid(number),
  name,
  role: 'member',
  state: 'active',
  createdAt: at(-60 * DAY),
  keys: [],
  ...more,
})

function make(world: World): { mine: ServiceKey[]; programs: ServiceAccount[] } {
  if (world === 'empty') return { mine: [], programs: [] }
  const ofProgram = { userId: uuid(521), userName: 'School directory', userKind: 'service' as const }
  const mine = [
    key(501, 'Nightly backup'),
    key(502, 'Living room panel', {
      scopes: [...SCOPE_PRESETS.launch.scopes],
      expiresAt: at(9 * DAY),
      lastUsedAddress: '192.168.1.31',
    }),
    key(503, 'Home assistant', { overlapUntil: at(1_800_000), scopes: ['me.read', 'session.read'] }),
    key(504, 'Old laptop', { expiresAt: at(-3 * DAY), lastUsedAt: null, lastUsedAddress: null }),
  ]
  const programs = [
    account(521, 'School directory', {
      role: 'admin',
      keys: [key(511, 'SCIM', { ...ofProgram, scopes: ['scim.use'], expiresAt: null })],
    }),
    account(522, 'Weather station', { state: 'off' }),
  ]
  if (world === 'long') {
    mine.unshift(key(505, LONG, { lastUsedAddress: '2001:db8:85a3:8d3:1319:8a2e:370:7348' }))
    programs.unshift(account(523, LONG, { keys: [key(512, LONG, ofProgram)] }))
  }
  return { mine, programs }
}

export function createKeysStandIn() {
  let state = make('usual')
  const list = (items: unknown[]) => ({ items, next: null })
  const without = (keys: ServiceKey[], id: string) => keys.filter((it) => it.id !== id)
  return {
    use(world: World) {
      state = make(world)
    },
    /** Undefined: not one of ours. */
    answer(method: string, url: URL, body: Record<string, unknown>): unknown {
      const path = url.pathname.replace(/^\/api\//, '')
      const id = /[0-9a-f-]{36}/.exec(path)?.[0] ?? ''
      const what = `${method} ${id ? path.replace(id, ':id') : path}`
      switch (what) {
        case 'GET me/keys':
          return list(state.mine)
        case 'POST me/keys':
        case 'POST service-accounts/:id/keys': {
          const made = key(599, String(body.name), {
            scopes: body.scopes as ServiceKey['scopes'],
            lastUsedAt: null,
            lastUsedAddress: null,
          })
          if (id)
            state.programs = state.programs.map((it) =>
              it.id === id ? { ...it, keys: [...it.keys, { ...made, userKind: 'service' }] } : it,
            )
          else state.mine = [made, ...state.mine]
          return { key: made, token: TOKEN }
        }
        case 'POST me/keys/:id/rotate':
        case 'POST keys/:id/rotate':
          return { key: state.mine.find((it) => it.id === id) ?? key(511, 'SCIM'), token: TOKEN }
        case 'DELETE me/keys/:id':
        case 'DELETE keys/:id':
          state = {
            mine: without(state.mine, id),
            programs: state.programs.map((it) => ({ ...it, keys: without(it.keys, id) })),
          }
          return {}
        case 'GET service-accounts':
          return list(state.programs)
        case 'POST service-accounts': {
          const made = account(598, String(body.name), { role: body.role as ServiceAccount['role'] })
          state.programs = [made, ...state.programs]
          return made
        }
        case 'PATCH service-accounts/:id':
          state.programs = state.programs.map((it) => (it.id === id ? { ...it, ...body } : it))
          return state.programs.find((it) => it.id === id)
        case 'DELETE service-accounts/:id':
          state.programs = state.programs.filter((it) => it.id !== id)
          return {}
        default:
          return undefined
      }
    },
  }
}
