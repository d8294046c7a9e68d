/** The part of the composition that is the way in: where services are, what names are served with, and the gateway. */
import { networkInterfaces } from 'node:os'
import { OPENID_PATH } from '@kalnet/contracts/app'
import type { Config } from '@kalnet/contracts/config'
import type { Clock } from '@kalnet/io/clock'
import type { Folders } from '@kalnet/io/folders'
import { lanInterfaces } from '@kalnet/io/interfaces'
import type { Log } from '@kalnet/io/log'
import { machineId } from '@kalnet/io/machine'
import type { Apps } from './apps/apps.ts'
import { changeServiceApp, closeServiceApp, openServiceApp } from './apps/service-app.ts'
import { createCertificates } from './certificates/certificates.ts'
import type { Events } from './core/events.ts'
import type { Handler, Http } from './core/http.ts'
import type { Mail } from './core/mail.ts'
import type { Secrets } from './core/secrets.ts'
import type { Store, Tx } from './core/store.ts'
import type { Telemetry } from './core/telemetry/telemetry.ts'
import { authorityFile } from './core/tls.ts'
import { tellFinishing } from './gateway/finishing.ts'
import { createGateway } from './gateway/gateway.ts'
import { createInside } from './gateway/inside.ts'
import { createJoined } from './gateway/joined/joined.ts'
import { createAdmission } from './registry/admitted.ts'
import { createNames } from './registry/names.ts'
import { platformServices } from './registry/platform.ts'
import { createRegistrations } from './registry/registrations.ts'
import { createRegistry } from './registry/registry.ts'
import { routesOfRegistry } from './registry/routes.ts'
import type { AppAddresses, DoorsFor } from './services/options.ts'
import type { Tunnels } from './streams/tunnels.ts'

/** What services need of the way in, in their own transactions. The rest is put together after them. */
export const doorsOf = (
  options: { clock: Clock; address(): string },
  network: () => Awaited<ReturnType<typeof createNetwork>>,
) => ({
  addDoors: (tx: Tx, { service, template, actor: { organisationId } }: DoorsFor) =>
    network().gateway.register.addDoors(tx, { ...service, organisationId }, template.doors),
  removeDoors: (tx: Tx, serviceId: string) => network().gateway.register.removeDoors(tx, serviceId),
  async openApp(tx: Tx, { service, actor: { organisationId }, ...at }: DoorsFor & AppAddresses) {
    const app = await openServiceApp(tx, options.clock, { ...at, organisationId, name: service.title })
    return { ...app, issuer: new URL(OPENID_PATH, options.address()).href }
  },
  changeApp: (tx: Tx, about: { appId: string; signOut: string | null }) =>
    changeServiceApp(tx, options.clock, about),
  closeApp: closeServiceApp,
})

/** Where the process platform's instances have their addresses. */
const SANDBOXES = '10.213.0.0/16'
/** Parts of Kalnet say again that they are there. */
const REGISTER_EVERY_MS = 20_000

export interface NetworkOptions {
  config: Config
  folders: Folders
  store: Store
  secrets: Secrets
  events: Events
  mail: Mail
  clock: Clock
  log: Log
  tls: { key: string | Buffer; cert: string | Buffer } | undefined
  http: Pick<Http, 'own' | 'upgrade' | 'believe'>
  tunnels: Pick<Tunnels, 'dial'>
  decide: Apps['decide']
  /** Of those: the sign-ins that have ended. */
  ended(signInIds: string[]): Promise<string[]>
  /** Something is open at these instances, though they get nothing new. `organisationId`: whose gateway says so; null: ours. */
  busy(ids: readonly string[], organisationId: string | null): Promise<void>
  /** Publishes what a service is now. */
  tellService(tx: Tx, serviceId: string): Promise<unknown>
  version: string
  telemetry: Telemetry | null
  signal: AbortSignal
}

export async function createNetwork(options: NetworkOptions) {
  const machine = (await machineId(options.config.network)) ?? null
  const { config, store, events, clock, log, http, signal } = options
  const registry = createRegistry({ store, events, clock, log, signal })
  const problemOf = createAdmission({
    allow: config.outbound.allow,
    ours: [SANDBOXES, config.docker.networks],
  })
  const registrations = createRegistrations({
    store,
    events,
    clock,
    log,
    problemOf,
    tell: options.tellService,
  })
  const certificates = createCertificates({
    ...options,
    *hosts() {
      for (const { match, organisationId } of gateway.snapshots.now().routes)
        if (match.kind === 'http') yield { host: match.host, organisationId }
    },
  })
  const joined = createJoined({
    ...options,
    snapshots: () => gateway.snapshots,
    registrations,
    certificates: certificates.forGateways,
    problemOf,
  })
  const gateway = createGateway({
    store,
    events,
    clock,
    log,
    config,
    registry,
    tunnels: options.tunnels,
    telemetry: options.telemetry,
    machine,
    authorityFile: config.tls.enabled ? authorityFile(options.folders.config) : null,
    decide: options.decide,
    own: http.own,
    certificates,
    elsewhere: joined.figures,
    problemsElsewhere: (organisationId) => ({
      joined: joined.problems(organisationId),
      names: names.problems(),
    }),
    tls: options.tls,
    signal,
  })
  const inside = createInside({
    now: gateway.snapshots.now,
    machine,
    dialTunnel: (tunnel, port, within) => options.tunnels.dial({ ...tunnel, port }, within),
    upstreamIdentity: async (organisationId) => (await certificates.upstreamFor(organisationId)).context,
  })
  let hosts: { of: unknown; names: Set<string> } = { of: null, names: new Set() }
  const names = createNames({
    ...options,
    registry,
    machine,
    isHost(name) {
      const now = gateway.snapshots.now()
      if (hosts.of !== now)
        hosts = {
          of: now,
          names: new Set(now.routes.flatMap(({ match }) => (match.kind === 'http' ? [match.host] : []))),
        }
      return (
        name === config.gateway.traefikHost ||
        hosts.names.has(name) ||
        hosts.names.has(name.replace(/^[^.]+/, '*'))
      )
    },
  })
  if (config.dns.enabled) certificates.setDnsChallenge(names)
  const routes: Handler[] = [
    ...routesOfRegistry({ registry, registrations }),
    ...certificates.routes,
    ...gateway.routes,
    ...joined.routes,
  ]
  /** We ourselves are services like any other: found by name, and seen to be there. */
  async function register() {
    const addresses = Object.values(lanInterfaces(networkInterfaces())).flatMap((all) =>
      all.map((it) => it.address),
    )
    const ttlMs = 3 * REGISTER_EVERY_MS
    for (const part of platformServices({ config, version: options.version, machine, addresses, ttlMs }))
      await registrations
        .registerPlatform(part)
        .catch((error: unknown) => log.warn({ error }, 'Kalnet could not say that it is there'))
  }
  async function keepRegistered() {
    while (!signal.aborted) {
      await register()
      // Aborted while waiting: the loop's condition ends it.
      await clock.sleep(REGISTER_EVERY_MS, signal).catch(() => undefined)
    }
  }
  /** In a new organisation at once. */
  async function registerInNew() {
    for await (const _ of events.subscribe({ types: ['organisation.claimed'], after: null, signal }))
      await register()
  }

  return {
    routes,
    registry,
    registrations,
    certificates,
    gateway,
    inside,
    names,
    /** After the control plane itself listens. */
    async listen() {
      certificates.watch(signal)
      // Aborted: their loops are over.
      void registrations.run(signal).catch(() => undefined)
      void keepRegistered()
      void registerInNew().catch((error: unknown) =>
        log.warn({ error }, 'new organisations are not followed'),
      )
      await gateway.listen()
      if (gateway.engine)
        void tellFinishing(
          { engine: gateway.engine, busy: (ids) => options.busy(ids, null), clock, log },
          signal,
        )
      await names.listen()
    },
    async close() {
      await names.close()
      await gateway.close()
      await certificates.close()
    },
  }
}
