/** The stand-in's apps: kept in memory, with the answers the screens need. */
import type { App, ConsentQuestion, MyApp } from '@kalnet/contracts/app'
import type { AppPassword, ForwardRoute } from '@kalnet/contracts/forward'
import { ME, uuid, type World } from './fixtures.ts'

const DAY = 86_400_000
const at = (ms: number) => new Date(Date.now() + ms).toISOString()
const everybody = { roles: [], groups: [] }

const app = (number: number, name: string, host: string, more: Partial<App> = {}): App => ({
  id: uuid(number),
  name,
  clientId: `app-${number}5b02c1e9d3`,
  kind: 'confidential',
  redirectUris: [`https://${host}/callback`],
  leaveUris: [],
  logoutUri: null,
  allowed: everybody,
  trusted: false,
  createdAt: at(-20 * DAY),
  changedAt: at(-2 * DAY),
  ...more,
})
const guarded = (
  number: number,
  name: string,
  host: string,
  more: Partial<ForwardRoute> = {},
): ForwardRoute => ({
  id: uuid(number),
  name,
  host,
  pathPrefix: '/',
  who: 'people',
  allowed: everybody,
  appPasswords: false,
  createdAt: at(-20 * DAY),
  changedAt: at(-2 * DAY),
  ...more,
})
const LONG = 'Unterhaltungselektronikfernbedienungsverwaltung der Großeltern'

function make(world: World) {
  const none = world === 'empty'
  const apps = [
    app(401, 'Family chat', 'chat.larch.example', { trusted: true }),
    app(402, 'Photos', 'photos.larch.example', {
      allowed: { roles: ['owner', 'admin', 'member'], groups: [] },
    }),
    app(403, 'Recipes on the phone', 'recipes.larch.example', { kind: 'public' }),
  ]
  const routes = [
    guarded(411, 'Printer', 'printer.larch.example'),
    guarded(412, 'Calendars', 'dav.larch.example', { appPasswords: true }),
    guarded(413, 'Door bell hooks', 'bell.larch.example', { pathPrefix: '/hook', who: 'public' }),
  ]
  if (world === 'long') {
    apps.push(app(404, LONG, 'fernbedienungsverwaltung.unterhaltungselektronik.larch.example'))
    routes.push(guarded(414, LONG, 'fernbedienungsverwaltung.unterhaltungselektronik.larch.example'))
  }
  const mine: MyApp[] = apps.map(({ id, name }) => ({
    id,
    name,
    scopes: ['openid', 'profile', 'email'],
    since: at(-9 * DAY),
    lastUsedAt: at(-DAY),
  }))
  const passwords: AppPassword[] = [
    {
      id: uuid(421),
      name: 'Calendar on my phone',
      routeId: uuid(412),
      routeName: 'Calendars',
      host: 'dav.larch.example',
      createdAt: at(-30 * DAY),
      lastUsedAt: at(-3_600_000),
    },
    {
      id: uuid(422),
      name: 'Laptop',
      routeId: uuid(412),
      routeName: 'Calendars',
      host: 'dav.larch.example',
      createdAt: at(-DAY),
      lastUsedAt: null,
    },
  ]
  return none ? { apps: [], routes: [], mine: [], passwords: [] } : { apps, routes, mine, passwords }
}

export function createAppsStandIn() {
  let state = make('usual')
  let long = false
  const list = (items: unknown[]) => ({ items, next: null })
  const question = (): ConsentQuestion => ({
    app: {
      id: uuid(401),
      name: long ? LONG : 'Family chat',
      host: long ? 'fernbedienungsverwaltung.unterhaltungselektronik.larch.example' : 'chat.larch.example',
    },
    me: { name: ME.name, email: ME.email },
    scopes: ['openid', 'profile', 'email', 'groups'],
    state: 'ask',
  })
  return {
    use(world: World) {
      state = make(world)
      long = world === 'long'
    },
    /** Undefined: not one of ours. */
    answer(method: string, url: URL, body: Record<string, unknown>): unknown {
      const [, , area, id = '', verb = ''] = url.pathname.split('/')
      const what = `${method} ${[area, id === 'issuer' || id === 'places' ? id : id && ':id', verb].filter(Boolean).join('/')}`
      switch (what) {
        case 'GET consents/:id':
          return id === 'gone'
            ? {
                status: 410,
                code: 'consent.unknown',
                message: 'This took too long, or was begun in another browser.',
                next: 'Go back to the app and sign in from there once more.',
              }
            : question()
        case 'POST enter':
          return {
            status: 403,
            code: 'app.closed',
            message: 'Printer is not open to you.',
            next: 'Ask an owner or admin of your organisation.',
          }
        case 'GET apps':
          return list(state.apps)
        case 'GET apps/issuer':
          return {
            issuer: 'https://larch.example/oidc',
            discovery: 'https://larch.example/oidc/.well-known/openid-configuration',
          }
        case 'POST apps': {
          const made = app(499, String(body.name), 'new.larch.example', {
            redirectUris: body.redirectUris as string[],
          })
          state.apps = [...state.apps, made]
          return { app: made, secret: 'sK3v-Qe8TgYw0uHnB6rZp1aXj7LdM4cFo9iRt2VEyNU' }
        }
        case 'POST apps/:id/secret':
          return { secret: 'sK3v-Qe8TgYw0uHnB6rZp1aXj7LdM4cFo9iRt2VEyNU' }
        case 'DELETE apps/:id':
          state.apps = state.apps.filter((it) => it.id !== id)
          return {}
        case 'GET forward-routes':
          return list(state.routes)
        case 'GET my-apps':
          return list(state.mine)
        case 'DELETE my-apps/:id':
          state.mine = state.mine.filter((it) => it.id !== id)
          return {}
        case 'GET app-passwords':
          return list(state.passwords)
        case 'GET app-passwords/places':
          return list(
            state.routes
              .filter((it) => it.appPasswords)
              .map(({ id: route, name, host }) => ({ id: route, name, host })),
          )
        case 'POST app-passwords':
          return {
            appPassword: { ...state.passwords[0], id: uuid(423), name: String(body.name) },
            username: 'ada',
            secret: 'k7qd-m2vx-8hye-3kq9-wm2v-8xye-tz4r-p5cb',
          }
        default:
          return undefined
      }
    },
  }
}
