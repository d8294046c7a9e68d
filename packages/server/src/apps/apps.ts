/** Apps: we are where they sign people in (OpenID Connect), and we say to proxies who may pass to what stands behind them. */
import type { IncomingMessage } from 'node:http'
import { OPENID_PATH, openidMount } from '@kalnet/contracts/app'
import { forwardMount } from '@kalnet/contracts/forward'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Outbound } from '@kalnet/io/outbound'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Events } from '../core/events.ts'
import type { Handler, Http, MountedCall } from '../core/http.ts'
import type { MountedFact } from '../core/mount.ts'
import type { Secrets } from '../core/secrets.ts'
import type { Store } from '../core/store.ts'
import type { SignIns } from '../identity/sign-ins.ts'
import { createThrottle } from '../identity/throttle.ts'
import { createAppPasswords } from './app-passwords.ts'
import { createConsents } from './consents.ts'
import { createEndings } from './endings.ts'
import { createForward, type Forward } from './forward.ts'
import { createForwardRegister } from './forward-routes.ts'
import { createLeave } from './leave.ts'
import { createOpenness, type Openness } from './openness.ts'
import { createAppPeople } from './people.ts'
import { createOpenId, type ToService } from './provider.ts'
import { createRegistry } from './registry.ts'
import { routesOfApps, routesOfForward } from './routes.ts'
import { createSigningKeys } from './signing-keys.ts'
import { statements } from './store.ts'

/** After one of these nobody is let through by what was known before. */
const FORGOTTEN_AT = [
  'sign-in.ended',
  'person.changed',
  'person.removed',
  'group.changed',
  'group.removed',
  'route.changed',
  'route.removed',
] as const
/** A proxy asks for each request; a rule changed by another process counts after this at the latest. */
const REMEMBER_MS = 1_000

export interface AppsOptions {
  store: Store
  events: Events
  clock: Clock
  log: Log
  secrets: Secrets
  outbound: Outbound
  signIns: Pick<SignIns, 'end'>
  /** Where people reach us: the issuer is below it. */
  address: () => string
  /** Where Traefik shows its own dashboard. */
  traefikHost?: string
  toService?: ToService
}
export interface Apps {
  routes: Handler[]
  /** The provider's own addresses and the proxies' question. */
  mount(http: Pick<Http, 'mount'>): void
  /** Sign-ins end: so does what apps have by them. Until the signal. */
  watch(signal: AbortSignal): void
  /** May a request pass, asked by our own gateway. */
  decide: Forward['decide']
  /** What of our own gateway is open to a person. */
  openTo: Openness
  /** For tests and for an ending that cannot wait: what `watch` does, once. */
  endings: ReturnType<typeof createEndings>
}

export function createApps(options: AppsOptions): Apps {
  const { store, events, clock, log, secrets, signIns, address } = options
  const people = createAppPeople({ store })
  const keys = createSigningKeys({ store, secrets, clock })
  const calls = new WeakMap<IncomingMessage, MountedCall>()

  /** What is given to apps is put on record before it leaves; what went wrong there too. */
  function heard(provider: Provider): void {
    const notes = new WeakMap<object, Promise<void>[]>()
    async function write(ctx: KoaContextWithOIDC, fact: Pick<MountedFact, 'action' | 'outcome' | 'details'>) {
      const { account, client, params } = ctx.oidc
      const clientId = client?.clientId ?? (typeof params?.client_id === 'string' ? params.client_id : '')
      const app = (await store.system.read((tx) => statements.appOfClient({ clientId }).execute(tx))).rows[0]
      const organisationId = app?.organisation_id
      await calls.get(ctx.req)?.record({
        ...fact,
        actor: account && organisationId ? { kind: 'user', userId: account.accountId, organisationId } : null,
        organisationId,
        object: app?.id,
        details: { ...fact.details, ...(app ? { app: app.name } : {}) },
      })
    }
    const note = (
      ctx: KoaContextWithOIDC,
      action: string,
      outcome: string,
      details?: MountedFact['details'],
    ) => notes.get(ctx.req)?.push(write(ctx, { action, outcome, details }))
    // Around all of it: no answer without its record.
    provider.use(async (ctx, next) => {
      const mine: Promise<void>[] = []
      notes.set(ctx.req, mine)
      await next()
      await Promise.all(mine)
    })
    const by = (ctx: KoaContextWithOIDC) => ({
      by: String(ctx.oidc.params?.grant_type ?? 'unknown').slice(0, 40),
    })
    provider.on('authorization.success', (ctx) => note(ctx, 'app.signed-in', 'done'))
    provider.on('authorization.error', (ctx, error) => note(ctx, 'app.signed-in', error.error))
    provider.on('grant.success', (ctx) => note(ctx, 'app.token-issued', 'done', by(ctx)))
    provider.on('grant.error', (ctx, error) => note(ctx, 'app.token-issued', error.error, by(ctx)))
    provider.on('grant.revoked', (ctx) => note(ctx, 'app.grant-revoked', 'done'))
  }

  const openId = createOpenId({ ...options, people, keys, heard })
  const consents = createConsents({ store, clock, openId, people })
  const endings = createEndings({ store, events, clock, log, openId })
  const passwords = createAppPasswords({ store, clock, people, throttle: createThrottle({ store, clock }) })
  const forward = createForward({ ...options, people, passwords, rememberMs: REMEMBER_MS })
  const parts = {
    registry: createRegistry({ store, clock }),
    consents,
    leave: createLeave({ store, openId, signIns }),
    openId,
    keys,
    forward,
    register: createForwardRegister({ store, clock, address, changed: forward.forget }),
    passwords,
  }

  return {
    routes: [...routesOfApps(parts), ...routesOfForward(parts)],
    mount(http) {
      http.mount(openidMount, async (request, response, call) => {
        const provider = await openId.provider()
        calls.set(request, call)
        const issuer = new URL(openId.issuer())
        // The provider names addresses by what a request says of itself: it shall say our address, whatever a client claims.
        request.headers.host = issuer.host
        request.headers['x-forwarded-proto'] = issuer.protocol.replace(':', '')
        delete request.headers['x-forwarded-host']
        Object.assign(request, { originalUrl: request.url })
        request.url = (request.url ?? '').slice(OPENID_PATH.length)
        // Its pages hold one script, which it names by hash; a form of them must say where it comes from.
        response.setHeader(
          'content-security-policy',
          "default-src 'none'; script-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
        )
        response.setHeader('referrer-policy', 'same-origin')
        await provider.callback()(request, response)
      })
      http.mount(forwardMount, forward.answer)
    },
    watch(signal) {
      endings.watch(signal)
      const forget = async () => {
        for await (const _ of events.subscribe({ types: [...FORGOTTEN_AT], after: null, signal }))
          forward.forget()
      }
      forget().catch((error: unknown) => {
        if (!signal.aborted) log.error({ error }, 'what passes is no longer forgotten early')
      })
      const tidy = async () => {
        while (!signal.aborted) {
          await forward.tidy()
          await clock.sleep(600_000, signal)
        }
      }
      tidy().catch((error: unknown) => {
        if (!signal.aborted)
          log.warn(
            { problem: error instanceof Error ? error.message : '', at: stamp(clock) },
            'old codes stay',
          )
      })
    },
    decide: forward.decide,
    openTo: createOpenness({ store }),
    endings,
  }
}
