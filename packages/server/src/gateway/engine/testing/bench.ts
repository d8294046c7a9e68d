/** An engine on loopback with real upstreams beside it, for tests: everything real but time and judges, where a test wants. */
import type { AddressInfo } from 'node:net'
import type { Endpoint, Snapshot } from '@kalnet/contracts/gateway'
import { gatewayRoute } from '@kalnet/contracts/gateway'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { createEngine } from '../engine.ts'
import type { Engine, EngineOptions, SnapshotRoute } from '../interface.ts'

const ORGANISATION = '01920000-0000-7000-8000-000000000001'
const AT = '2026-01-01T00:00:00.000Z'
export const idOf = (number: number): string =>
  `01920000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`

type RouteInput = Partial<Omit<SnapshotRoute, 'policy' | 'match'>> & {
  match?: unknown
  host?: string
  policy?: unknown
}
/** A public route `photos.localhost` → service 1, port `http`, unless it says otherwise. */
export function routeOf(input: RouteInput = {}): SnapshotRoute {
  const { host = 'photos.localhost', match = { kind: 'http', host }, ...rest } = input
  const parsed = gatewayRoute.parse({
    id: idOf(100),
    serviceId: idOf(1),
    serviceName: 'photos',
    port: 'http',
    access: 'public',
    url: null,
    byTemplate: false,
    createdAt: AT,
    changedAt: AT,
    ...rest,
    match,
  })
  return { ...parsed, organisationId: ORGANISATION }
}
export const endpointOf = (port: number, rest: Partial<Endpoint> = {}): Endpoint => ({
  id: idOf(0x1_0000 + port),
  serviceId: idOf(1),
  port: 'http',
  kind: 'http',
  release: 1,
  weight: 1,
  health: null,
  direct: { host: '127.0.0.1', port, machine: null },
  tunnel: null,
  ...rest,
})
let version = 0
export const snapshotOf = (routes: SnapshotRoute[], endpoints: Endpoint[]): Snapshot => {
  version += 1
  return { version: String(version), domain: 'localhost', routes, endpoints }
}

export const portOf = (server: { address(): AddressInfo | string | null }): number => {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

export interface TestEngine extends Engine {
  port: number
  securePort: number
}
type Given = Partial<Omit<EngineOptions, 'listen'>> & { listen?: Partial<EngineOptions['listen']> }
/** One that does not listen yet. */
export const createEngineOn = (httpPort: number, options: Given = {}): Engine =>
  createEngine({
    clock: systemClock,
    log: createLog('gateway', 'silent'),
    machine: null,
    dialTunnel: () => Promise.reject(new Error('no tunnel in this test')),
    judge: async () => ({ pass: true, headers: {}, drop: [], signInId: null, userId: null }),
    own: {
      hosts: () => ['kalnet.localhost'],
      request: (_, response) => void response.end('the dashboard'),
      upgrade: (_, socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nown'),
    },
    ...options,
    listen: {
      host: '127.0.0.1',
      httpPort,
      httpsPort: null,
      publicHttpsPort: null,
      ...options.listen,
    },
  })

export async function startEngine(snapshot: Snapshot, options: Given = {}): Promise<TestEngine> {
  const engine = createEngineOn(0, options)
  await engine.apply(snapshot)
  await engine.listen()
  const { http, https } = engine.addresses()
  return Object.assign(engine, { port: http.port, securePort: https?.port ?? 0 })
}
