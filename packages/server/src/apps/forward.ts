/** The answer to a proxy's question: may this request pass, and as whom. */
import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { fail } from '@kalnet/contracts/errors'
import { CALLBACK_PATH, SIGN_OUT_PATH } from '@kalnet/contracts/forward'
import type { Actor } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import { demand } from '../access/access.ts'
import type { MountedCall, SignIn } from '../core/http.ts'
import { createRemember } from '../core/remember.ts'
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

/** What is answered to whoever asks for a request: 200 lets it pass, with the headers it is to carry. */
export interface ForwardReply {
  status: number
  headers: Record<string, string | string[]>
  body: string
  /** By which sign-in it passes; null: by an app password, or because the address is open to everybody. */
  signInId: string | null
}

export interface Forward {
  /**
   * The same for our own gateway, without a way over HTTP. What it knew a moment ago counts, until `forget`: it cuts what a sign-in had
   * let in when that ends, which no other proxy does. `headers`: the request's own, and `X-Forwarded-*`. Throws what `answer` would say.
   */
  decide(headers: IncomingHttpHeaders, address: string): Promise<ForwardReply>
  answer(request: IncomingMessage, response: ServerResponse, call: MountedCall): Promise<void>
  /** From the dashboard, signed in: where the browser goes with its one-use code. */
  enter(
    by: { actor: Actor; signIn: SignIn | null },
    to: string,
    state: string,
  ): Promise<{ to: string; route: ForwardRow }>
  tidy(): Promise<void>
  /** A sign-in ended, or a rule or a person changed: nothing that was known counts. */
  forget(): void
}

/** Somebody with a pass. */
interface Passing {
  person: Person
  signInId: string
}

export function createForward(options: {
  store: Store
  clock: Clock
  people: AppPeople
  passwords: AppPasswords
  address: () => string
  /** How long a rule and a pass are believed without asking again; `forget` ends it at once. Default: not at all. */
  rememberMs?: number
  /** Where Traefik shows its own dashboard: for those who run this installation, whatever the register says. */
  traefikHost?: string
}): Forward {
  const { store, clock, people, passwords, address } = options
  const kept = { forMs: options.rememberMs ?? 0, most: 10_000 }
  const knownRules = createRemember<ForwardRow[]>(clock, kept)
  const knownPasses = createRemember<Passing | null>(clock, kept)
  const rulesOf = (host: string, remember: boolean) =>
    remember ? knownRules.get(host, () => readRules(host)) : readRules(host)
  const readRules = async (host: string) => {
    const bare = host.replace(/:\d+$/, '')
    const rules =
      bare === options.traefikHost
        ? statements.ruleOfTraefik({ host: bare })
        : statements.routesOfHost({ host, bare })
    return (await store.system.read((tx) => rules.execute(tx))).rows
  }

  const reply = (
    status: number,
    headers: ForwardReply['headers'] = {},
    body = '',
    signInId: string | null = null,
  ): ForwardReply => ({
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
    body,
    signInId,
  })
  const header = (from: IncomingHttpHeaders, name: string) => {
    const value = from[name]
    return typeof value === 'string' ? value : ''
  }

  /** A page in a browser can be sent to sign in; everything else is told 401. */
  const isNavigation = (headers: IncomingHttpHeaders, asked: AskedAddress) =>
    (asked.method === 'GET' || asked.method === 'HEAD') &&
    header(headers, 'accept').includes('text/html') &&
    ['', 'navigate'].includes(header(headers, 'sec-fetch-mode')) &&
    !header(headers, 'upgrade')

  function sendToSignIn(headers: IncomingHttpHeaders, asked: AskedAddress): ForwardReply {
    const names = passNames(asked.scheme)
    const before = cookieIn(header(headers, 'cookie'), names.enter)
    // Several tabs at once share one.
    const secret = before && /^[\w-]{43}$/.test(before) ? before : randomBytes(32).toString('base64url')
    const to = new URL('/enter', address())
    to.searchParams.set('to', `${asked.scheme}://${asked.host}${asked.uri}`)
    to.searchParams.set('state', hashed(secret))
    return reply(302, {
      location: to.href,
      'set-cookie': setCookie(names.enter, secret, ENTER_SECONDS, asked.scheme),
    })
  }

  async function comeBack(headers: IncomingHttpHeaders, asked: AskedAddress): Promise<ForwardReply> {
    const names = passNames(asked.scheme)
    const code = new URL(asked.uri, 'http://x').searchParams.get('code') ?? ''
    const secret = cookieIn(header(headers, 'cookie'), names.enter) ?? ''
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
    if (path === null) return reply(302, { location: `${new URL('/enter', address()).href}?problem=code` })
    return reply(302, {
      // Ours from the beginning: a path, never another host.
      location: `${asked.scheme}://${asked.host}${path}`,
      'set-cookie': [
        setCookie(names.pass, pass, PASS_SECONDS, asked.scheme),
        setCookie(names.enter, '', 0, asked.scheme),
      ],
    })
  }

  async function signOut(headers: IncomingHttpHeaders, asked: AskedAddress): Promise<ForwardReply> {
    const names = passNames(asked.scheme)
    const pass = cookieIn(header(headers, 'cookie'), names.pass)
    if (pass)
      await store.system.transaction((tx) =>
        statements.dropPass({ hash: hashed(pass), host: asked.host }).execute(tx),
      )
    knownPasses.forget()
    return reply(302, {
      location: address(),
      'set-cookie': setCookie(names.pass, '', 0, asked.scheme),
    })
  }

  /** Lax cookies travel between the names of one domain: what changes things, and WebSockets, must come from the page's own host. */
  function isForeign(headers: IncomingHttpHeaders, asked: AskedAddress): boolean {
    const origin = header(headers, 'origin')
    const changing = !['GET', 'HEAD', 'OPTIONS'].includes(asked.method)
    const upgrading = header(headers, 'upgrade') !== '' || header(headers, 'sec-websocket-key') !== ''
    return origin !== '' && (changing || upgrading) && origin !== `${asked.scheme}://${asked.host}`
  }

  function pass(
    headers: IncomingHttpHeaders,
    person: Person | null,
    { byPassword = false, signInId = null }: { byPassword?: boolean; signInId?: string | null } = {},
  ): ForwardReply {
    const cookie = othersCookies(header(headers, 'cookie'))
    const authorization = byPassword ? '' : header(headers, 'authorization')
    const safe = (text: string) => encodeURIComponent(text)
    const told = {
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
    }
    return reply(200, told, '', signInId)
  }

  async function byPass(
    headers: IncomingHttpHeaders,
    asked: AskedAddress,
    remember: boolean,
  ): Promise<Passing | null> {
    const secret = cookieIn(header(headers, 'cookie'), passNames(asked.scheme).pass)
    if (!secret) return null
    const hash = hashed(secret)
    const find = () => findPass(hash, asked.host)
    return remember ? knownPasses.get(`${hash} ${asked.host}`, find) : find()
  }
  async function findPass(hash: string, host: string): Promise<Passing | null> {
    const found = (
      await store.system.read((tx) => statements.findPass({ hash, host, now: stamp(clock) }).execute(tx))
    ).rows[0]
    const person = found ? await people.find(found.user_id) : null
    return found && person ? { person, signInId: found.sign_in_id } : null
  }

  async function decide(
    headers: IncomingHttpHeaders,
    address: string,
    remember: boolean,
  ): Promise<ForwardReply> {
    const asked = askedAddress(headers)
    const rules = asked ? await rulesOf(asked.host, remember) : []
    if (!asked || rules.length === 0) throw fail('forward-route.unknown')
    if (asked.path === CALLBACK_PATH) return comeBack(headers, asked)
    if (asked.path === SIGN_OUT_PATH) return signOut(headers, asked)
    const rule = ruleFor(rules, asked.path)
    if (rule === 'unclear') throw fail('request.invalid', { problem: 'the address can be read in two ways' })
    if (!rule) throw fail('forward-route.unknown')
    if (rule.who === 'public') return pass(headers, null)

    const known = await byPass(headers, asked, remember)
    if (known) {
      if (isForeign(headers, asked)) throw fail('origin.foreign')
      if (admits(rule, known.person)) return pass(headers, known.person, { signInId: known.signInId })
      if (isNavigation(headers, asked)) return sendToSignIn(headers, asked)
      throw fail('app.closed', { name: rule.name })
    }
    const basic = header(headers, 'authorization')
    if (rule.app_passwords && /^basic /i.test(basic)) {
      const userId = await passwords.check(rule.id, basic, address)
      const person = userId ? await people.find(userId) : null
      if (person && admits(rule, person)) return pass(headers, person, { byPassword: true })
      if (person) throw fail('app.closed', { name: rule.name })
    }
    if (isNavigation(headers, asked)) return sendToSignIn(headers, asked)
    // A browser's own request would put up the browser's dialog: nobody has a password to type there.
    const asksBasic = rule.app_passwords && header(headers, 'sec-fetch-mode') === ''
    return reply(
      401,
      asksBasic ? { 'www-authenticate': `Basic realm="${rule.host}", charset="UTF-8"` } : {},
      'You are not signed in.\n',
    )
  }

  return {
    decide: (headers, address) => decide(headers, address, true),
    async answer(request: IncomingMessage, response: ServerResponse, call: MountedCall): Promise<void> {
      const { status, headers, body } = await decide(
        request.headers,
        clientAddress(request, call.address),
        false,
      )
      response.writeHead(status, headers).end(body)
    },
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
      const rules = asked && !url.username && !url.password ? await rulesOf(asked.host, false) : []
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
    forget() {
      knownRules.forget()
      knownPasses.forget()
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
