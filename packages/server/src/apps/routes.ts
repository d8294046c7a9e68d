/** The handlers of apps, consents, guarded addresses and app passwords. */
import { appRoutes } from '@kalnet/contracts/app'
import { forwardRoutes } from '@kalnet/contracts/forward'
import { type Handler, handle } from '../core/http.ts'
import { clearCookie } from '../identity/cookie.ts'
import type { AppPasswords } from './app-passwords.ts'
import type { Consents } from './consents.ts'
import type { Forward } from './forward.ts'
import type { ForwardRegister } from './forward-routes.ts'
import type { Leave } from './leave.ts'
import { cookieNames, type OpenId } from './provider.ts'
import type { Registry } from './registry.ts'
import type { SigningKeys } from './signing-keys.ts'

interface Parts {
  registry: Registry
  consents: Consents
  leave: Leave
  openId: OpenId
  keys: SigningKeys
  forward: Forward
  register: ForwardRegister
  passwords: AppPasswords
}

export function routesOfApps({ registry, consents, leave, openId, keys }: Parts): Handler[] {
  return [
    handle(appRoutes.issuer, async () => ({
      issuer: openId.issuer(),
      discovery: `${openId.issuer()}/.well-known/openid-configuration`,
    })),
    handle(appRoutes.list, ({ actor, query }) => registry.list(actor, query)),
    handle(appRoutes.add, async ({ actor, body, audit }) => {
      const added = await registry.add(actor, body)
      audit({ name: added.app.name, trusted: added.app.trusted }, added.app.id)
      return added
    }),
    handle(appRoutes.read, ({ actor, params }) => registry.read(actor, params.id)),
    handle(appRoutes.change, async ({ actor, params, body, audit }) => {
      audit({ fields: Object.keys(body).join(' ') })
      return registry.change(actor, params.id, body)
    }),
    handle(appRoutes.secret, ({ actor, params }) => registry.renewSecret(actor, params.id)),
    handle(appRoutes.remove, async ({ actor, params }) => {
      await registry.remove(actor, params.id)
      return {}
    }),
    handle(appRoutes.question, ({ actor, signIn, params, request }) =>
      consents.question(params.uid, { actor, signIn, cookie: request.headers.cookie ?? '' }),
    ),
    handle(appRoutes.decide, async ({ actor, signIn, params, body, request, reply, audit }) => {
      const asked = { actor, signIn, cookie: request.headers.cookie ?? '' }
      const { to, app, scopes } = await consents.decide(params.uid, body.decision, asked)
      audit({ app: app.name, decision: body.decision, scopes: scopes.join(' ') }, app.id)
      const secure = openId.secure()
      reply.header(
        'set-cookie',
        `${cookieNames(secure).asked(params.uid)}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`,
      )
      return { to }
    }),
    handle(appRoutes.leave, async ({ actor, signIn, body, request, reply, secure, audit }) => {
      const { to, ended, app } = await leave({ actor, signIn, cookie: request.headers.cookie ?? '' }, body)
      audit({ everywhere: body.everywhere }, app ?? undefined)
      if (ended) reply.header('set-cookie', clearCookie(secure))
      return { to }
    }),
    handle(appRoutes.mine, async ({ actor }) => ({ items: await consents.mine(actor), next: null })),
    handle(appRoutes.forget, async ({ actor, params }) => {
      await consents.forget(actor, params.id)
      return {}
    }),
    handle(appRoutes.rotateKeys, async () => ({ keys: await keys.rotate() })),
  ]
}

export function routesOfForward({ forward, register, passwords }: Parts): Handler[] {
  return [
    handle(forwardRoutes.list, ({ actor, query }) => register.list(actor, query)),
    handle(forwardRoutes.add, async ({ actor, body, audit }) => {
      const added = await register.add(actor, body)
      audit({ host: added.host, pathPrefix: added.pathPrefix, who: added.who }, added.id)
      return added
    }),
    handle(forwardRoutes.change, async ({ actor, params, body, audit }) => {
      audit({ fields: Object.keys(body).join(' ') })
      return register.change(actor, params.id, body)
    }),
    handle(forwardRoutes.remove, async ({ actor, params }) => {
      await register.remove(actor, params.id)
      return {}
    }),
    handle(forwardRoutes.enter, async ({ actor, signIn, body, audit }) => {
      const { to, route } = await forward.enter({ actor, signIn }, body.to, body.state)
      audit({ host: route.host }, route.id)
      return { to }
    }),
    handle(forwardRoutes.places, async ({ actor }) => ({ items: await passwords.places(actor), next: null })),
    handle(forwardRoutes.passwords, async ({ actor }) => ({
      items: await passwords.list(actor),
      next: null,
    })),
    handle(forwardRoutes.addPassword, async ({ actor, body, audit }) => {
      const made = await passwords.add(actor, body)
      audit({ name: made.appPassword.name, host: made.appPassword.host }, made.appPassword.id)
      return made
    }),
    handle(forwardRoutes.removePassword, async ({ actor, params }) => {
      await passwords.remove(actor, params.id)
      return {}
    }),
  ]
}
