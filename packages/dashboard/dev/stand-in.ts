/** A stand-in for the control plane, for looking at the dashboard alone. It keeps nothing and proves nothing about the server. */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { ClusterView } from '@kalnet/contracts/cluster'
import type { Controller } from '@kalnet/contracts/controller'
import type { Role } from '@kalnet/contracts/permission'
import { type WebSocket, WebSocketServer } from 'ws'
import { createAccountStandIn, type DoorOptions } from './account-stand-in.ts'
import { createActivityStandIn } from './activity-stand-in.ts'
import { iconFor, isRefusal, readBody, refuse } from './answers.ts'
import { createAppsStandIn } from './apps-stand-in.ts'
import { createClusterStandIn } from './cluster-stand-in.ts'
import { ME, makeState, type State, VIEWINGS, type World } from './fixtures.ts'
import { createKeysStandIn } from './keys-stand-in.ts'
import { createLife, ended, homesOf } from './life.ts'
import { createNetworkStandIn } from './network-stand-in.ts'
import { createPeopleStandIn } from './people-stand-in.ts'
import { drawDesktop, png } from './picture.ts'
import { createProvidersStandIn } from './providers-stand-in.ts'
import { serveRfb } from './rfb.ts'
import { createServicesStandIn } from './services-stand-in.ts'
import { PLACED, useNow } from './use-stand-in.ts'

const CATALOG = join(import.meta.dirname, '../../../catalog/templates')

export function createStandIn(world: World = 'usual') {
  let state: State = makeState(world)
  const people = createPeopleStandIn()
  const providers = createProvidersStandIn()
  const doors = createAccountStandIn()
  const apps = createAppsStandIn()
  const keys = createKeysStandIn()
  const services = createServicesStandIn()
  const network = createNetworkStandIn()
  const clusters = createClusterStandIn()
  people.use(world)
  services.use(world)
  network.use(world)
  const activity = createActivityStandIn()
  activity.use(world)
  let away = false
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (all) => [...all][0] ?? false })
  const live = new Set<WebSocket>()
  const screens = new Set<WebSocket>()

  const publish = (event: string, data: unknown) => {
    const text = JSON.stringify({
      type: 'event',
      cursor: `1.${Date.now()}.1`,
      event,
      at: new Date().toISOString(),
      data,
    })
    for (const socket of live) socket.send(text)
  }
  const now = () => new Date().toISOString()
  const life = createLife(() => state, publish)
  const { put, launch, restart, stop, sleep, wake, keepAwake } = life
  const changeMachine = (id: string, change: Partial<Controller>) => {
    state.controllers = state.controllers.map((it) => (it.id === id ? { ...it, ...change } : it))
    const controller = state.controllers.find((it) => it.id === id)
    if (controller) publish('controller.changed', controller)
    return controller
  }
  const list = (query: URLSearchParams) => {
    const wanted = query.get('state')
    const all = state.sessions.filter((it) => !wanted || (wanted === 'ended') === ended(it))
    const limit = Number(query.get('limit') ?? 50)
    return { items: all.slice(0, limit), next: all.length > limit ? 'more' : null }
  }

  async function answer(method: string, url: URL, request: IncomingMessage): Promise<unknown> {
    const { me } = state
    const [, , area, id = '', verb = ''] = url.pathname.split('/')
    const body = ['POST', 'PATCH', 'PUT'].includes(method) ? await readBody(request) : {}
    const what = `${method} ${[area, id && (verb || area === 'sessions' || area === 'templates') ? ':id' : id, verb].filter(Boolean).join('/')}`
    if (what === 'GET status') return { version: '0.1.0', claimed: state.claimed, now: now() }
    if (what === 'GET sign-in/providers') return providers.buttons()
    if (what === 'GET certificates/authority') return network.authority()
    if (what === 'POST invitations/look') return people.look(body.token)
    const before = doors.before(`${method} ${url.pathname.slice('/api/'.length)}`, body)
    if (before !== undefined) {
      const { state: entered } = before as { state?: string }
      if (entered === 'signed-in') state = { ...state, me: doors.me() }
      return before
    }
    if (what === 'POST claim' || what === 'POST sign-in' || what === 'POST invitations/accept') {
      if (body.password === 'wrong password')
        return refuse(
          401,
          'sign-in.wrong',
          'That e-mail and password do not belong together.',
          'Check both and try again.',
        )
      state = { ...state, claimed: true, me: { ...ME, name: String(body.name ?? ME.name) } }
      return { state: 'signed-in', me: state.me }
    }
    if (!me) return refuse(401, 'sign-in.required', 'You are not signed in.', 'Sign in and try again.')
    if (what === 'GET me') return { ...me, unproved: doors.me().unproved }
    if (state.world === 'error')
      return refuse(
        500,
        'internal',
        'Something went wrong on our side.',
        'Try again; if it stays, look in the log for request 7f3a.',
      )
    if (state.world === 'slow') return new Promise(() => undefined)
    const session = area === 'sessions' && id ? state.sessions.find((it) => it.id === id) : undefined
    if (area === 'sessions' && id && !session)
      return refuse(
        404,
        'thing.unknown',
        'There is no session with this id.',
        'It may have been removed; look at the list again.',
      )
    const unproven = doors.guard(method, url.pathname)
    if (unproven) return unproven
    if (what === 'POST sign-ins/end-all') state.me = null
    const ofDoors = doors.answer(method, url, body)
    if (ofDoors !== undefined) return ofDoors
    const ofProviders = providers.answer(method, url, body)
    if (ofProviders !== undefined) return ofProviders
    const ours = people.answer(method, url, body, publish)
    if (ours !== undefined) return ours
    const record = activity.answer(method, url, body)
    if (record !== undefined) return record
    const ofKeys = keys.answer(method, url, body)
    if (ofKeys !== undefined) return ofKeys
    const ofServices =
      services.answer(method, url, body, publish) ?? network.answer(method, url, body, publish)
    if (ofServices !== undefined) return ofServices
    const ofApps = apps.answer(method, url, body)
    if (ofApps !== undefined) return ofApps
    switch (what) {
      case 'PATCH me':
        state.me = { ...me, name: String(body.name ?? me.name) }
        return state.me
      case 'POST sign-out':
        state.me = null
        return {}
      case 'GET templates':
        return { items: state.templates, problems: [], offered: ['process', 'docker', 'kubernetes'] }
      case 'GET sessions':
        return list(url.searchParams)
      case 'POST sessions':
        return launch(body)
      case 'GET sessions/:id':
        return session?.controllerName ? { ...session, placed: PLACED } : session
      case 'DELETE sessions/:id':
        state.sessions = state.sessions.filter((it) => it.id !== id)
        publish('session.removed', { id })
        return {}
      case 'POST sessions/:id/stop':
        return stop(id)
      case 'POST sessions/:id/restart':
        return restart(id)
      case 'POST sessions/:id/hibernate':
        return sleep(id)
      case 'POST sessions/:id/wake':
        return wake(id)
      case 'POST sessions/:id/keep-awake':
        return keepAwake(id)
      case 'GET sessions/:id/logs':
        return {
          lines: [
            'Xvnc: starting on :1',
            'matchbox: ready',
            ...(session?.logTail ?? []),
            'session: its program has started',
          ],
        }
      case 'POST sessions/:id/first-frame':
        put(id, (it) => ({ ...it, stages: { ...it.stages, firstFrame: it.stages.firstFrame ?? now() } }))
        return {}
      case 'GET sessions/:id/use':
        return session && useNow({ ...session, because: session.reachable ? undefined : 'offline' })
      case 'GET sessions/:id/viewings':
        return { items: session?.state === 'running' ? VIEWINGS : [] }
      case 'POST sessions/:id/viewings':
        return {}
      case 'POST sessions/:id/tickets':
        put(id, (it) => ({ ...it, stages: { ...it.stages, firstByte: it.stages.firstByte ?? now() } }))
        return { ticket: randomUUID(), expiresAt: now() }
      case 'POST sessions/:id/thumbnail': {
        const hue = Number.parseInt(id.slice(-3), 16)
        return { png: png(480, 300, drawDesktop(480, 300, hue)).toString('base64'), takenAt: now() }
      }
      case 'GET controllers':
        return { items: state.controllers, next: null }
      case 'GET controllers/homes':
        return { items: [homesOf(state)] }
      case 'GET controllers/:id/cluster':
        return clusters.view(id)
      case 'POST controllers/tokens':
        return clusters.token(body, (it) => {
          state.controllers = [...state.controllers, it]
          publish('controller.changed', it)
        })
      case 'POST controllers/:id/drain': {
        const there = state.controllers.find((it) => it.id === id)?.instances ?? 0
        changeMachine(id, { cordoned: true, instances: 0 })
        return { stopping: there }
      }
      default:
        if (method === 'PATCH' && area === 'controllers') return changeMachine(id, body)
        if (method === 'DELETE' && area === 'controllers') {
          state.controllers = state.controllers.filter((it) => it.id !== id)
          return {}
        }
        return refuse(404, 'route.unknown', 'There is nothing at this address.', 'Check the address.')
    }
  }

  return {
    use(next: World, options: { failNext?: boolean; hold?: boolean; door?: DoorOptions; role?: Role } = {}) {
      doors.use(next, options.door)
      apps.use(next)
      keys.use(next)
      services.use(next)
      network.use(next)
      clusters.use(next)
      people.use(next)
      providers.use(next)
      activity.use(next)
      state = makeState(next)
      if (options.role && state.me) state = { ...state, me: { ...state.me, role: options.role } }
      life.use({ failNext: options.failNext ?? false, hold: options.hold ?? false })
      away = false
      for (const socket of [...live, ...screens]) socket.terminate()
    },
    state: () => state,
    clusters: { joinsNext: clusters.joinsNext },
    /** A cluster tells something else. */
    tellCluster(id: string, view: ClusterView) {
      clusters.tell(id, view)
      publish('cluster.changed', { id })
    },
    breakRecord: () => activity.break(),
    /** As if the machine had been switched off. */
    goAway() {
      away = true
      for (const socket of [...live, ...screens]) socket.terminate()
    },
    comeBack() {
      away = false
    },
    /** True when the request was for the control plane. */
    async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
      const url = new URL(request.url ?? '/', 'http://stand-in')
      if (!url.pathname.startsWith('/api/')) return false
      if (away) {
        response.destroy()
        return true
      }
      if (url.pathname.endsWith('/icon')) {
        const id = url.pathname.split('/')[3] ?? ''
        const file = join(CATALOG, id, 'icon.svg')
        response.setHeader('content-type', 'image/svg+xml')
        response.end(/^[a-z-]+$/.test(id) && existsSync(file) ? readFileSync(file) : iconFor(id))
        return true
      }
      const result = await answer(request.method ?? 'GET', url, request)
      response.setHeader('content-type', 'application/json')
      if (isRefusal(result)) {
        const { status, ...error } = result
        response.statusCode = status
        response.end(JSON.stringify({ error: { details: {}, ...error, requestId: '7f3a9c' } }))
      } else response.end(JSON.stringify(result))
      return true
    },
    /** True when the upgrade was for the control plane. */
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
      const path = request.url ?? ''
      if (away) return false
      if (path === '/api/live') {
        sockets.handleUpgrade(request, socket, head, (ws) => {
          live.add(ws)
          ws.on('close', () => live.delete(ws))
          ws.on('message', () => ws.send(JSON.stringify({ type: 'ready', cursor: '1.1.1' })))
        })
        return true
      }
      if (path === '/api/streams/connect') {
        sockets.handleUpgrade(request, socket, head, (ws) => {
          screens.add(ws)
          ws.on('close', () => screens.delete(ws))
          serveRfb(ws, 2)
        })
        return true
      }
      return false
    },
  }
}
export type StandIn = ReturnType<typeof createStandIn>
