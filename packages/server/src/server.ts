/** The composition root: everything the control plane is made of, in the order in which it starts; stopped in reverse. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '@kalnet/contracts/config'
import { type Clock, systemClock } from '@kalnet/io/clock'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import { createOutbound } from '@kalnet/io/outbound'
import { createApps } from './apps/apps.ts'
import { createAudit } from './audit/audit.ts'
import type { WriteManifest } from './controllers/routes.ts'
import { createEvents } from './core/events.ts'
import { keepHouse } from './core/housekeeping.ts'
import { createHttp } from './core/http.ts'
import { createRotation, routesOfSecrets } from './core/key-rotation.ts'
import { createLive } from './core/live.ts'
import { createMail } from './core/mail.ts'
import { migrate } from './core/migrate.ts'
import { createKeyRing, createSecrets, loadMasterKey, masterKeyFile } from './core/secrets.ts'
import { createStore } from './core/store.ts'
import { createTelemetry } from './core/telemetry/telemetry.ts'
import { readFingerprint } from './core/tls.ts'
import { keepTls, type OwnTls } from './core/tls-keeping.ts'
import { createWakeUps } from './core/wake-ups.ts'
import { createDoors } from './doors.ts'
import { createIdentity } from './identity/identity.ts'
import { watchSignIns } from './identity/watch.ts'
import { createNetwork, doorsOf } from './network.ts'
import { measureHouse } from './observability/figures.ts'
import { createRunning } from './running.ts'

export const VERSION = '0.1.0'
const CATALOG = fileURLToPath(new URL('../../../catalog/', import.meta.url))
const DASHBOARD = fileURLToPath(new URL('../../dashboard/dist/', import.meta.url))

export interface ServerOptions {
  config: Config
  folders: Folders
  log: Log
  databaseUrl: string
  tls?: OwnTls
  /** The same, renewed where its end is near or the machine has another address. */
  renewTls?(): Promise<OwnTls>
  clock?: Clock
  /** Another catalog than the one of this release. */
  catalogFolder?: string
  /** What makes a controller of a cluster; the CLI has it, because it also writes the chart. */
  manifest?: WriteManifest
}

/** The address people use: `publicUrl`, or what is listened on. */
export function addressOf(config: Config): string {
  const { host, port } = config.listen
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return config.publicUrl ?? `${config.tls.enabled ? 'https' : 'http'}://${name}:${port}`
}

export async function createServer(options: ServerOptions) {
  const { config, folders, log, databaseUrl, clock = systemClock } = options
  const tls = options.tls && { ...options.tls }
  const stopping = new AbortController()

  // Core
  await migrate({ url: databaseUrl, log })
  const store = await createStore({ url: databaseUrl, log, listens: config.database.listen === true })
  // Made at the first start; a database with secrets and no key is refused here, before anything is served.
  const masterKey = await loadMasterKey({ configFolder: folders.config, env: process.env, store }).catch(
    async (error: unknown) => {
      await store.close()
      throw error
    },
  )
  const ring = createKeyRing(masterKey)
  const secrets = createSecrets({ masterKey: ring, clock })
  const telemetry = createTelemetry({ config, name: 'kalnet', version: VERSION, clock, log })
  const mail = createMail({ config: config.mail, clock, log })
  const wakeUps = createWakeUps({ config, clock, log })
  const events = createEvents({ store, log, clock, wakeUps })
  const { record, keep } = createAudit({ store, clock })
  const address = () => addressOf(config)

  // Identity
  const identity = createIdentity({
    store,
    events,
    clock,
    secrets,
    mail,
    version: VERSION,
    address,
    publicUrl: config.publicUrl ?? null,
    tellOthers: (tx, userId) => doors.tellPerson(tx, userId),
  })
  const outbound = createOutbound({ allow: config.outbound.allow })
  const doors = createDoors({
    store,
    events,
    clock,
    identity,
    mail,
    secrets,
    log,
    outbound,
    record,
    address,
    // What runs is put together below; nobody is removed before it is.
    leaving: (tx, userId) => running.leaving(tx, userId),
    stopAllOf: (tx, userId) => running.stopAllOf(tx, userId),
  })
  const http = createHttp({
    config,
    tls,
    store,
    log,
    clock,
    authenticate: doors.authenticate,
    record,
    controlSocket: join(folders.runtime, 'control.sock'),
    dashboardFolder: DASHBOARD,
    ...(telemetry ? { answered: telemetry.answered } : {}),
  })
  measureHouse(telemetry, { store, connections: http.connections })
  http.add(identity.routes)
  http.add(doors.routes)
  const apps = createApps({
    store,
    events,
    clock,
    log,
    secrets,
    outbound,
    signIns: identity.signIns,
    address,
    traefikHost: config.gateway.traefikHost,
    // Only the address that its own template names, and only at its own instances.
    async toService(appId, word) {
      const door = await running.signOutDoor(appId)
      return door?.address === word.url ? network.inside.post(door.serviceId, door.port, word) : null
    },
  })
  http.add(apps.routes)
  apps.mount(http)
  const live = createLive({ http, events, log })

  // Capabilities
  const running = await createRunning({
    config,
    store,
    events,
    http,
    clock,
    log,
    record,
    catalogFolder: options.catalogFolder ?? CATALOG,
    secrets,
    address,
    fingerprint: () => readFingerprint(folders.config),
    // The way in is put together below; nothing is installed before it is.
    doors: { ...doorsOf({ clock, address }, () => network), openTo: apps.openTo },
    parts: () => [
      { name: 'nats' as const, state: wakeUps?.state() ?? null },
      { name: 'telemetry' as const, state: telemetry?.state() ?? null },
    ],
    wayIn: (organisationId) => network.gateway.wayIn(organisationId),
    linksCalled: (_, calls) => network.gateway.linksCalled(calls),
    version: VERSION,
    identityFor: (instance) => network.certificates.identityFor(instance),
    manifest: options.manifest,
  })
  http.add(running.routes)
  const network = await createNetwork({
    config,
    folders,
    store,
    secrets,
    events,
    mail,
    clock,
    log,
    tls,
    http,
    tunnels: running.tunnels,
    decide: apps.decide,
    ended: identity.ended,
    tellService: running.tellService,
    busy: running.busy,
    telemetry,
    version: VERSION,
    signal: stopping.signal,
  })
  http.add(network.routes)
  const audit = await keep({
    events,
    secrets,
    log,
    version: VERSION,
    anchorFile: join(folders.data, 'audit-ends.json'),
  })
  http.add(audit.routes)
  const path = masterKeyFile(folders.config, process.env)
  http.add(routesOfSecrets(createRotation({ store, ring, path, log })))

  // Some apps are services, which are told by the way in.
  apps.watch(stopping.signal)
  watchSignIns({
    identity: doors,
    events,
    clock,
    log,
    connected: http.connectedSignIns,
    cut(signInId) {
      // Viewers first, so that they hear why.
      running.cutSignIn(signInId)
      network.gateway.cut(signInId)
      http.cut(signInId)
    },
    signal: stopping.signal,
  })

  doors.follow(stopping.signal)
  keepHouse({ store, events, clock, log, signal: stopping.signal })
  if (tls && options.renewTls)
    void keepTls({ current: tls, renew: options.renewTls, took: http.secure, clock, log }, stopping.signal)

  return {
    http,
    identity,
    url: address,
    async listen() {
      const where = await http.listen()
      await network.listen()
      return where
    },
    async close() {
      stopping.abort(new Error('stopping'))
      live.close()
      running.tellViewers()
      await network.close()
      await http.close()
      await running.close()
      await telemetry?.close()
      mail.close()
      await outbound.close()
      events.close()
      await wakeUps?.close()
      await store.close()
    },
  }
}
