/** The answer to a proxy's question: may this request pass, and as whom. */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fail } from '@kalnet/contracts/errors'
import { CALLBACK_PATH, SIGN_OUT_PATH } from '@kalnet/contracts/forward'
import type { Actor } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import { demand } from '../access/access.ts'
import type { MountedCall, SignIn } from '../core/http.ts'
import type { Store } from '../core/store.ts'
import { hashed } from './adapter.ts'
import type { AppPasswords } from './app-passwords.ts'
import { type AskedAddress, askedAddress, ruleFor } from './asked-address.ts'
import { cookieIn } from './consents.ts'
import { type ForwardRow, statements } from './forward.store.ts'
import { type AppPeople, admits } from './people.ts'

const CODE_MS = 60_000
const PASS_SECONDS = 30 * 24 * 3600
const ENTER_SECONDS = 600

export const passNames = (scheme: string) => {
  const prefix = scheme === 'https' ? '__Host-' : ''
  return { pass: `${prefix}kalnet-pass`, enter: `${prefix}kalnet-enter` }
}
const setCookie = (name: string, value: string, seconds: number, scheme: string) =>
  `${name}=${value}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Lax${scheme === 'https' ? '; Secure' : ''}`

/** The Cookie header without what is ours. */
const othersCookies = (header: string) =>
  header
    .split(';')
    .map((it) => it.trim())
    .filter((it) => it && !/^(__(Host|Secure)-)?kalnet\b/.test(it))
    .join('; ')

type Person = NonNullable<Awaited<ReturnType<AppPeople['find']>>>

export interface Forward {
  answer(request: IncomingMessage, response: ServerResponse, call: MountedCall): Promise<void>
  /** From the dashboard, signed in: where the browser goes with its one-use code. */
  enter(
    by: { actor: Actor; signIn: SignIn | null },
    to: string,
    state: string,
  ): Promise<{ to: string; route: ForwardRow }>
  tidy(): Promise<void>
}

export function createForward(options: {
  store: Store
  clock: Clock
  people: AppPeople
  passwords: AppPasswords
  address: () => string
}): Forward {
  const { store, clock, people, passwords, address } = options
  const rulesOf = async (host: string) =>
    (await store.system.read((tx) => statements.routesOfHost({ host }).execute(tx))).rows

  const end = (
    response: ServerResponse,
    status: number,
    headers: Record<string, string | string[]> = {},
    body = '',
  ) => {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(body)
  }
  const header = (request: IncomingMessage, name: string) => {
    const value = request.headers[name]
    return typeof value === 'string' ? value : ''
  }

  /** A page in a browser can be sent to sign in; everything else is told 401. */
  const isNavigation = (request: IncomingMessage, asked: AskedAddress) =>
    (asked.method === 'GET' || asked.method === 'HEAD') &&
    header(request, 'accept').includes('text/html') &&
    ['', 'navigate'].includes(header(request, 'sec-fetch-mode')) &&
    !header(request, 'upgrade')

  function sendToSignIn(request: IncomingMessage, response: ServerResponse, asked: AskedAddress) {
    const names = passNames(asked.scheme)
    const before = cookieIn(header(request, 'cookie'), names.enter)
    // Several tabs at once share one.
    const secret = before && /^[\w-]{43}$/.test(before) ? before : randomBytes(32).toString('base64url')
    const to = new URL('/enter', address())
    to.searchParams.set('to', `${asked.scheme}://${asked.host}${asked.uri}`)
    to.searchParams.set('state', hashed(secret))
    end(response, 302, {
      location: to.href,
      'set-cookie': setCookie(names.enter, secret, ENTER_SECONDS, asked.scheme),
    })
  }

  async function comeBack(request: IncomingMessage, response: ServerResponse, asked: AskedAddress) {
    const names = passNames(asked.scheme)
    const code = new URL(asked.uri, 'http://x').searchParams.get('code') ?? ''
    const secret = cookieIn(header(request, 'cookie'), names.enter) ?? ''
    const now = stamp(clock)
    const pass = randomBytes(32).toString('base64url')
    const path = await store.system.transaction(async (tx) => {
      const row = (await statements.useCode({ hash: hashed(code), host: asked.host, now }).execute(tx))
        .rows[0]
      // Begun by another browser: somebody was sent here with a code that is not theirs.
      if (!row || row.state !== hashed(secret)) return null
      await statements
        .addPass({
          hash: hashed(pass),
          organisationId: row.organisation_id,
          userId: row.user_id,
          signInId: row.sign_in_id,
          host: asked.host,
          at: now,
        })
        .execute(tx)
      return row.path
    })
    if (path === null)
      return end(response, 302, { location: `${new URL('/enter', address()).href}?problem=code` })
    end(response, 302, {
      // Ours from the beginning: a path, never another host.
      location: `${asked.scheme}://${asked.host}${path}`,
      'set-cookie': [
        setCookie(names.pass, pass, PASS_SECONDS, asked.scheme),
        setCookie(names.enter, '', 0, asked.scheme),
      ],
    })
  }

  async function signOut(request: IncomingMessage, response: ServerResponse, asked: AskedAddress) {
    const names = passNames(asked.scheme)
    const pass = cookieIn(header(request, 'cookie'), names.pass)
    if (pass)
      await store.system.transaction((tx) =>
        statements.dropPass({ hash: hashed(pass), host: asked.host }).execute(tx),
      )
    end(response, 302, {
      location: address(),
      'set-cookie': setCookie(names.pass, '', 0, asked.scheme),
    })
  }

  /** Lax cookies travel between the names of one domain: what changes things, and WebSockets, must come from the page's own host. */
  function isForeign(request: IncomingMessage, asked: AskedAddress): boolean {
    const origin = header(request, 'origin')
    const changing = !['GET', 'HEAD', 'OPTIONS'].includes(asked.method)
    const upgrading = header(request, 'upgrade') !== '' || header(request, 'sec-websocket-key') !== ''
    return origin !== '' && (changing || upgrading) && origin !== `${asked.scheme}://${asked.host}`
  }

  function pass(
    request: IncomingMessage,
    response: ServerResponse,
    person: Person | null,
    byPassword: boolean,
  ) {
    const cookie = othersCookies(header(request, 'cookie'))
    const authorization = byPassword ? '' : header(request, 'authorization')
    const safe = (text: string) => encodeURIComponent(text)
    end(response, 200, {
      ...(person
        ? {
            'X-Kalnet-User': person.id,
            'X-Kalnet-Username': person.username,
            'X-Kalnet-Name': safe(person.name),
            'X-Kalnet-Email': person.email ?? '',
            'X-Kalnet-Role': person.role,
            'X-Kalnet-Groups': person.group_names.map(safe).join(','),
          }
        : {}),
      ...(cookie ? { Cookie: cookie } : {}),
      ...(authorization ? { Authorization: authorization } : {}),
    })
  }

  async function byPass(request: IncomingMessage, asked: AskedAddress): Promise<Person | null> {
    const secret = cookieIn(header(request, 'cookie'), passNames(asked.scheme).pass)
    if (!secret) return null
    const found = (
      await store.system.read((tx) =>
        statements.findPass({ hash: hashed(secret), host: asked.host, now: stamp(clock) }).execute(tx),
      )
    ).rows[0]
    return found ? people.find(found.user_id) : null
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    call: MountedCall,
  ): Promise<void> {
    const asked = askedAddress(request.headers)
    const rules = asked ? await rulesOf(asked.host) : []
    if (!asked || rules.length === 0) throw fail('forward-route.unknown')
    if (asked.path === CALLBACK_PATH) return comeBack(request, response, asked)
    if (asked.path === SIGN_OUT_PATH) return signOut(request, response, asked)
    const rule = ruleFor(rules, asked.path)
    if (rule === 'unclear') throw fail('request.invalid', { problem: 'the address can be read in two ways' })
    if (!rule) throw fail('forward-route.unknown')
    if (rule.who === 'public') return pass(request, response, null, false)

    const known = await byPass(request, asked)
    if (known) {
      if (isForeign(request, asked)) throw fail('origin.foreign')
      if (admits(rule, known)) return pass(request, response, known, false)
      if (isNavigation(request, asked)) return sendToSignIn(request, response, asked)
      throw fail('app.closed', { name: rule.name })
    }
    const basic = header(request, 'authorization')
    if (rule.app_passwords && /^basic /i.test(basic)) {
      const userId = await passwords.check(rule.id, basic, clientAddress(request, call.address))
      const person = userId ? await people.find(userId) : null
      if (person && admits(rule, person)) return pass(request, response, person, true)
      if (person) throw fail('app.closed', { name: rule.name })
    }
    if (isNavigation(request, asked)) return sendToSignIn(request, response, asked)
    // A browser's own request would put up the browser's dialog: nobody has a password to type there.
    const asksBasic = rule.app_passwords && header(request, 'sec-fetch-mode') === ''
    end(
      response,
      401,
      asksBasic ? { 'www-authenticate': `Basic realm="${rule.host}", charset="UTF-8"` } : {},
      'You are not signed in.\n',
    )
  }

  return {
    answer,
    async enter({ actor, signIn }, to, state) {
      if (!signIn || actor.kind !== 'user') throw fail('permission.denied')
      if (!URL.canParse(to)) throw fail('forward-route.unknown')
      const url = new URL(to)
      const asked = askedAddress({
        'x-forwarded-method': 'GET',
        'x-forwarded-proto': url.protocol.replace(':', ''),
        'x-forwarded-host': url.host,
        'x-forwarded-uri': url.pathname + url.search,
      })
      const rules = asked && !url.username && !url.password ? await rulesOf(asked.host) : []
      const rule = asked ? ruleFor(rules, asked.path) : null
      if (!asked || !rule || rule === 'unclear') throw fail('forward-route.unknown')
      // Of another organisation: as if it were not there.
      if (rule.organisation_id !== actor.organisationId) throw fail('forward-route.unknown')
      demand(actor, 'app.use', { organisationId: rule.organisation_id, userId: actor.userId })
      const person = await people.find(actor.userId)
      if (!person || (rule.who === 'people' && !admits(rule, person)))
        throw fail('app.closed', { name: rule.name })
      const code = randomBytes(32).toString('base64url')
      await store.system.transaction((tx) =>
        statements
          .addCode({
            hash: hashed(code),
            organisationId: actor.organisationId,
            userId: actor.userId,
            signInId: signIn.id,
            host: asked.host,
            state,
            path: asked.uri,
            expiresAt: new Date(clock.now().getTime() + CODE_MS).toISOString(),
          })
          .execute(tx),
      )
      return { to: `${asked.scheme}://${asked.host}${CALLBACK_PATH}?code=${code}`, route: rule }
    },
    async tidy() {
      await store.system.transaction((tx) => statements.dropOldCodes({ now: stamp(clock) }).execute(tx))
    },
  }
}

/** Behind a proxy on this machine: whom the proxy saw last. From elsewhere the header is worth nothing. */
function clientAddress(request: IncomingMessage, address: string): string {
  const told = request.headers['x-forwarded-for']
  const last = typeof told === 'string' ? told.split(',').at(-1)?.trim() : undefined
  return last && (address === '::1' || address.startsWith('127.')) ? last : address
}
