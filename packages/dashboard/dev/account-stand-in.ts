/** The stand-in's doors: second factors, passkeys, devices, links and rules, kept in memory, with the answers the screens need. */
import type { Me } from '@kalnet/contracts/identity'
import { ROUTES } from '@kalnet/contracts/routes'
import type { Device, Factors, SignInPolicyOf } from '@kalnet/contracts/sign-in'
import { ME, uuid, type World } from './fixtures.ts'

const DAY = 86_400_000
const at = (ms: number) => new Date(Date.now() + ms).toISOString()
const challenge = 'c3RhbmQtaW4gY2hhbGxlbmdl'
export const RIGHT_CODE = '123456'
export const RIGHT_PASSWORD = 'a long enough one'

export interface DoorOptions {
  /** After the password a second factor is asked. */
  second?: boolean
  /** What is dangerous asks for a proof first. */
  stepUp?: boolean
  /** There is a mail server. */
  mail?: boolean
  /** Nothing is possible before a second way is set up. */
  unproved?: boolean
  /** As one who has set everything up. */
  guarded?: boolean
  passkeys?: boolean
}
interface Refusal {
  status: number
  code: string
  message: string
  next: string
  details?: Record<string, string | number | boolean>
}
const CODES = Array.from({ length: 10 }, (_, at) => `k7${at}m-p2xw-9q${at}d-vh4c-2t8n-wq5r-y3bd`)

const device = (number: number, words: string, seen: number, more: Partial<Device> = {}): Device => ({
  id: uuid(number),
  device: words,
  address: '192.168.1.20',
  method: 'password',
  assurance: 1,
  createdAt: at(-3 * DAY),
  lastSeenAt: at(seen),
  expiresAt: at(4 * DAY),
  current: false,
  ...more,
})
/** A picture that looks like one; no camera reads it. */
const drawn = (size = 37) => ({
  size,
  rows: Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (__, x) => {
      const corner = (cx: number, cy: number) => Math.max(Math.abs(x - cx), Math.abs(y - cy))
      const near = Math.min(corner(3, 3), corner(size - 4, 3), corner(3, size - 4))
      if (near <= 4) return near === 4 || near === 2 ? '0' : '1'
      return (x * 5 + y * 11 + ((x * y) % 7)) % 3 === 0 ? '1' : '0'
    }).join(''),
  ),
})

function make(world: World, { guarded, unproved, passkeys = true }: DoorOptions) {
  const long = world === 'long'
  const factors: Factors = {
    password: true,
    totp: guarded ? { confirmedAt: at(-20 * DAY) } : null,
    recovery: guarded ? { left: 8, of: 10 } : null,
    passkeys: guarded
      ? [
          {
            id: uuid(601),
            name: long ? 'Notfallsicherheitsschlüssel im Wohnzimmerschrank oben' : 'Ada’s phone',
            synced: true,
            createdAt: at(-20 * DAY),
            lastUsedAt: at(-3_600_000),
          },
          {
            id: uuid(602),
            name: 'Key on the ring',
            synced: false,
            createdAt: at(-9 * DAY),
            lastUsedAt: null,
          },
        ]
      : [],
    passkeysHere: passkeys
      ? { available: true }
      : { available: false, reason: 'they belong to a name, and 192.168.1.20 is a bare address' },
    demanded: unproved ? 2 : 1,
    proved: guarded ? 2 : 1,
  }
  const devices = [
    device(610, 'Chrome on Linux', 0, { current: true, assurance: guarded ? 2 : 1 }),
    device(611, 'Safari on iPhone', -2 * 3_600_000, { method: 'passkey', assurance: 2, address: '10.0.0.7' }),
    device(612, long ? 'Samsung Internet on Android' : 'Firefox on a Mac', -2 * DAY, {
      address: long ? '2001:db8:85a3:8d3:1319:8a2e:370:7348' : '192.168.1.31',
    }),
  ]
  const family = { assurance: 1 as const, idleMs: 14 * DAY, absoluteMs: 30 * DAY }
  const stewards = { assurance: 2 as const, idleMs: DAY, absoluteMs: 7 * DAY }
  const policies: SignInPolicyOf[] = [
    { role: 'owner', ...stewards },
    { role: 'admin', ...stewards },
    { role: 'member', ...family },
    { role: 'child', ...family, absoluteMs: 3 * DAY, idleMs: DAY },
    { role: 'guest', ...family },
  ]
  return { factors, devices, policies, tries: 5, proved: false }
}

const isDangerous = (method: string, path: string) =>
  Object.values(ROUTES)
    .flatMap((group) => Object.values(group))
    .some(
      (it) =>
        'stepUp' in it &&
        it.method === method &&
        new RegExp(`^${it.path.replace(/:\w+/g, '[^/]+')}$`).test(path),
    )

export function createAccountStandIn() {
  let options: DoorOptions = {}
  let state = make('usual', options)
  const wrong = (code: string, message: string, details: Refusal['details'] = {}): Refusal => ({
    status: 401,
    code,
    message,
    next: 'Check it and try again.',
    details,
  })
  const me = (): Me => ({ ...ME, unproved: options.unproved === true && state.factors.proved === 1 })
  const entered = () => ({ state: 'signed-in', me: me() })
  const asked = () => ({
    state: 'second-factor',
    attempt: 'attempt',
    methods: ['totp', 'passkey', 'recovery'],
    expiresAt: at(600_000),
  })
  const proofIsRight = (proof: { method: string; code?: string; password?: string }) =>
    proof.method === 'passkey' || proof.code === RIGHT_CODE || proof.password === RIGHT_PASSWORD
  const raise = () => {
    const first = state.factors.recovery === null
    state.factors = { ...state.factors, proved: 2, recovery: { left: 10, of: 10 } }
    return first ? CODES : null
  }

  return {
    use(world: World, next: DoorOptions = {}) {
      options = next
      state = make(world, next)
    },
    me,
    /** For whoever stands before the door; undefined: not asked here. The signed-in answers carry who it is. */
    before(what: string, body: Record<string, unknown>): unknown {
      switch (what) {
        case 'GET sign-in/methods':
          return { passkey: state.factors.passkeysHere, resetByMail: options.mail === true }
        case 'GET sign-in/providers':
          return { items: [], next: null }
        case 'POST sign-in':
          if (body.password === 'too often')
            return {
              ...wrong('sign-in.throttled', 'Too many tries.', { seconds: 42 }),
              status: 429,
            }
          return options.second && body.password !== 'wrong password' ? asked() : undefined
        case 'POST sign-in/passkey/options':
          return { available: true, options: { challenge, rpId: 'localhost', allowCredentials: [] } }
        case 'POST sign-in/second-factor/passkey':
          return { available: true, options: { challenge, rpId: 'localhost', allowCredentials: [] } }
        case 'POST sign-in/second-factor': {
          if (proofIsRight(body.proof as { method: string })) return entered()
          state.tries -= 1
          if (state.tries < 0) return wrong('second-factor.over', 'This sign-in took too long.')
          return wrong('second-factor.wrong', 'That code is not right.', { left: state.tries })
        }
        case 'POST password-reset':
          return {}
        case 'POST password-reset/use':
          if (body.token === 'old')
            return {
              ...wrong('reset.unknown', 'This link is not valid, was used, or has expired.'),
              next: 'Ask for a new one on the sign-in page.',
            }
          return options.second ? asked() : entered()
        default:
          return undefined
      }
    },
    /** A refusal when something dangerous is asked without a proof. */
    guard(method: string, path: string): Refusal | undefined {
      if (!options.stepUp || state.proved || !isDangerous(method, path)) return undefined
      return {
        status: 403,
        code: 'step-up.required',
        message: 'Please confirm that it is you.',
        next: 'Prove who you are once more, then try again.',
      }
    },
    answer(method: string, url: URL, body: Record<string, unknown>): unknown {
      const what = `${method} ${url.pathname.slice('/api/'.length)}`
      const id = url.pathname.split('/')[3]
      switch (what) {
        case 'POST sign-in/step-up/options':
          return {
            methods: state.factors.totp ? ['password', 'totp', 'passkey'] : ['password'],
            passkey: null,
          }
        case 'POST sign-in/step-up':
          if (!proofIsRight(body.proof as { method: string }))
            return wrong('step-up.wrong', 'That is not right.')
          state.proved = true
          return { until: at(600_000) }
        case 'GET factors':
          return state.factors
        case 'POST factors/totp':
          return { secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/x', qr: drawn() }
        case 'POST factors/totp/confirm':
          if (body.code !== RIGHT_CODE) return wrong('second-factor.wrong', 'That code is not right.')
          state.factors = { ...state.factors, totp: { confirmedAt: at(0) } }
          return { recoveryCodes: raise() }
        case 'DELETE factors/totp':
          state.factors = { ...state.factors, totp: null }
          return {}
        case 'POST factors/recovery-codes':
          state.factors = { ...state.factors, recovery: { left: 10, of: 10 } }
          return { recoveryCodes: CODES }
        case 'POST passkeys/options':
          return {
            available: true,
            options: {
              challenge,
              rp: { name: 'Kalnet' },
              user: { id: 'YWRh', name: ME.email, displayName: ME.name },
              pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
            },
          }
        case 'GET sign-ins':
          return { items: state.devices, next: null }
        case 'POST sign-ins/end-others':
          state.devices = state.devices.filter(({ current }) => current)
          return {}
        case 'POST sign-ins/end-all':
        case 'PUT me/password':
          return {}
        case 'GET me/linked-accounts':
          return { items: [], next: null, available: [] }
        case 'GET sign-in-policies':
          return { items: state.policies, next: null }
        default:
          break
      }
      if (what.startsWith('PUT sign-in-policies/')) {
        const role = id as SignInPolicyOf['role']
        const policy = { role, ...body } as SignInPolicyOf
        state.policies = state.policies.map((it) => (it.role === role ? policy : it))
        return policy
      }
      if (what.startsWith('DELETE sign-ins/')) {
        state.devices = state.devices.filter((it) => it.id !== id)
        return {}
      }
      if (/^(PATCH|DELETE) passkeys\//.test(what)) {
        const { passkeys } = state.factors
        const known = passkeys.find((it) => it.id === id)
        const changed =
          method === 'DELETE'
            ? passkeys.filter((it) => it.id !== id)
            : passkeys.map((it) => (it.id === id ? { ...it, name: String(body.name) } : it))
        state.factors = { ...state.factors, passkeys: changed }
        return method === 'DELETE' ? {} : { ...known, name: String(body.name) }
      }
      return undefined
    },
  }
}
