/** The stand-in's services: installed, started, stopped, updated and removed in memory, in about a second each. */
import { randomUUID } from 'node:crypto'
import type { HealthChange, Release, Service } from '@kalnet/contracts/service'
import { ME, uuid, type World } from './fixtures.ts'
import { SERVICE_TEMPLATES } from './service-templates.ts'
import { at, makeInstance, makeService, SERVICES } from './services-fixtures.ts'
import { useNow } from './use-stand-in.ts'

const LONG = 'Unterhaltungselektronikfernbedienungsverwaltung der Großeltern'
const LOG = [
  'nginx: ready for connections',
  '127.0.0.1 "GET / HTTP/1.1" 200 612 4ms',
  '127.0.0.1 "GET /favicon.svg HTTP/1.1" 200 318 1ms',
  'error: could not read /srv/missing.html (No such file or directory)',
  '127.0.0.1 "POST /hook HTTP/1.1" 500 92 31ms',
]

function make(world: World): Service[] {
  if (world === 'empty') return []
  if (world === 'many')
    return Array.from({ length: 60 }, (_, it) =>
      makeService(it + 100, `service-${it + 1}`, `Service ${it + 1}`),
    )
  // It is started again soon, whenever one looks.
  const soon = SERVICES.map((it) => ({
    ...it,
    instances: it.instances.map((one) => ({ ...one, nextStartAt: one.nextStartAt && at(40_000) })),
  }))
  if (world !== 'long') return soon
  return SERVICES.map((it, number) => ({
    ...it,
    title: LONG,
    name: `unterhaltungselektronikfernbedienungsverwaltung-${number}`,
    url: it.url && `https://unterhaltungselektronikfernbedienungsverwaltung-${number}.larch.home.arpa:7443/`,
    instances: it.instances.map((one) => ({
      ...one,
      part: 'benachrichtigungsdienst',
      controllerName: 'Unterhaltungselektronikschrank-Server-01',
    })),
  }))
}
/** A day with two bad hours in it. */
const history = ({ instances }: Service): HealthChange[] =>
  instances
    .flatMap(({ id, part, number, health }) =>
      health === null
        ? []
        : [
            { state: health.state, detail: health.detail, ago: Date.now() - Date.parse(health.changedAt) },
            { state: 'unhealthy' as const, detail: 'Connection refused', ago: 5 * 3_600_000 },
            { state: 'healthy' as const, detail: 'It answered with 200', ago: 20 * 3_600_000 },
            { state: 'starting' as const, detail: 'Not asked yet', ago: 20.5 * 3_600_000 },
          ].map(({ state, detail, ago }) => ({
            instanceId: id,
            part,
            number,
            state,
            detail,
            tookMs: state === 'healthy' ? 12 : null,
            at: at(-ago),
          })),
    )
    .toSorted((one, other) => other.at.localeCompare(one.at))
const releases = (it: Service): Release[] =>
  (
    [
      [4, it.state === 'updating' ? 'rolling' : 'failed', 'It did not get well within 60 s.'],
      [3, 'live', null],
      [2, 'replaced', null],
      [1, 'replaced', null],
    ] as const
  ).map(([number, state, reason]) => ({
    id: uuid(8000 + number),
    serviceId: it.id,
    serviceName: it.name,
    number,
    version: `1.${number - 1}.0`,
    state,
    reason: state === 'failed' ? reason : null,
    byName: ME.name,
    createdAt: at(-(5 - number) * 86_400_000),
    liveAt: state === 'failed' || state === 'rolling' ? null : at(-(5 - number) * 86_400_000 + 9_000),
  }))
const unknown = {
  status: 404,
  code: 'thing.unknown',
  message: 'There is no service with this id.',
  next: 'It may have been removed; look at the list again.',
}

type Publish = (event: string, data: unknown) => void
export function createServicesStandIn() {
  let services = make('usual')
  const list = (items: unknown[]) => ({ items, next: null })
  const put = (id: string, change: Partial<Service>, publish: Publish) => {
    services = services.map((it) => (it.id === id ? { ...it, ...change } : it))
    const service = services.find((it) => it.id === id)
    if (service) publish('service.changed', service)
    return service
  }
  const later = (id: string, ms: number, change: Partial<Service>, publish: Publish) =>
    void setTimeout(() => put(id, change, publish), ms).unref()
  const install = (body: Record<string, unknown>, publish: Publish) => {
    const template = SERVICE_TEMPLATES.find((it) => it.id === body.templateId)
    const name = String(body.name ?? body.templateId)
    const service = makeService(500, name, String(body.title ?? template?.name ?? name), {
      id: randomUUID(),
      templateId: String(body.templateId),
      state: 'starting',
      release: 1,
      instances: [
        makeInstance(900, {
          id: randomUUID(),
          release: 1,
          state: 'starting',
          health: null,
          startedAt: null,
          progress: { step: 'image', text: 'Unpacking its files', share: 0.3 },
        }),
      ],
    })
    services = [...services, service].toSorted((one, other) => one.name.localeCompare(other.name))
    later(service.id, 1_500, { state: 'running', instances: [makeInstance(900, { release: 1 })] }, publish)
    publish('service.changed', service)
    return service
  }
  return {
    use(world: World) {
      services = make(world)
    },
    services: () => services,
    /** Undefined: not one of ours. */
    answer(method: string, url: URL, body: Record<string, unknown>, publish: Publish): unknown {
      const [, , area, id = '', verb = ''] = url.pathname.split('/')
      if (area !== 'services') return undefined
      const service = services.find((it) => it.id === id)
      if (id && !service) return unknown
      switch (`${method} ${[id && ':id', verb].filter(Boolean).join('/')}`) {
        case 'GET ':
          return list(services)
        case 'POST ':
          return install(body, publish)
        case 'GET :id/use':
          return {
            items: service?.instances.map(({ id: instanceId, generation, platform }) =>
              useNow({ instanceId, generation, because: platform === 'docker' ? 'unmeasured' : undefined }),
            ),
          }
        case 'GET :id':
          return service
        case 'PATCH :id':
          return put(id, body, publish)
        case 'DELETE :id':
          services = services.filter((it) => it.id !== id)
          publish('service.removed', { id })
          return {}
        case 'POST :id/start':
        case 'POST :id/restart':
          later(id, 900, { state: 'running', instances: [makeInstance(901)] }, publish)
          return put(id, { desired: 'running', state: 'starting', reason: null }, publish)
        case 'POST :id/stop':
          later(id, 500, { state: 'stopped', instances: [] }, publish)
          return put(id, { desired: 'stopped', state: 'stopping' }, publish)
        case 'POST :id/update':
          later(id, 1_200, { state: 'running', updateTo: null, version: '1.3.0' }, publish)
          return put(id, { state: 'updating' }, publish)
        case 'GET :id/logs':
          return { lines: [...LOG, ...LOG.map((line) => `${line} again`)] }
        case 'GET :id/secrets':
          return {
            items: service?.templateId === 'postgresql' ? [{ name: 'password', label: 'Password' }] : [],
          }
        case 'POST :id/secrets':
          return { secret: 'jU7-a-long-and-random-one-p2Kx' }
        case 'GET :id/health':
          return list(service ? history(service) : [])
        case 'GET :id/releases':
          return list(service ? releases(service) : [])
        default:
          return undefined
      }
    },
  }
}
