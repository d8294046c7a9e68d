/** The part of the composition that runs things: controllers, catalog, instances, streams, sessions, in that order. */
import type { Config } from '@kalnet/contracts/config'
import { LINK_PATH } from '@kalnet/contracts/controller'
import { localRoutes } from '@kalnet/contracts/local'
import { SIGN_IN_LINK } from '@kalnet/contracts/template'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { createSignInDoor } from './apps/link-door.ts'
import { createCatalog } from './catalog/catalog.ts'
import { routesOfCatalog } from './catalog/routes.ts'
import { createControllers } from './controllers/controllers.ts'
import { createHub, type HubOptions } from './controllers/hub.ts'
import { ownAddress } from './controllers/own-address.ts'
import { offeredBy } from './controllers/placement.ts'
import { routesOfControllers, type WriteManifest } from './controllers/routes.ts'
import type { RecordAudit } from './core/audited.ts'
import type { Events } from './core/events.ts'
import { type Handler, type Http, handle } from './core/http.ts'
import type { Secrets } from './core/secrets.ts'
import type { Store, Tx } from './core/store.ts'
import { createInstances } from './instances/instances.ts'
import { routesOfInstances } from './instances/routes.ts'
import { createUses } from './instances/uses.ts'
import { routesOfStatus, type StatusOptions } from './observability/status.ts'
import { addressOfService } from './services/address.ts'
import type { ServicesOptions } from './services/options.ts'
import { routesOfServices } from './services/routes.ts'
import { createServices } from './services/services.ts'
import { routesOfSessions } from './sessions/routes.ts'
import { createSessions } from './sessions/sessions.ts'
import { createThumbnails } from './sessions/thumbnails.ts'
import { routesOfViewings } from './sessions/viewings.ts'
import { createLinkDials } from './streams/link-dials.ts'
import { createStreams } from './streams/streams.ts'
import { createTunnels } from './streams/tunnels.ts'

export interface RunningOptions {
  config: Config
  store: Store
  events: Events
  http: Pick<Http, 'upgrade' | 'own'>
  clock: Clock
  log: Log
  record: RecordAudit
  catalogFolder: string
  secrets: Secrets
  address(): string
  /** Of our own certificate authority, where there is one. */
  fingerprint(): Promise<string | null>
  /** Ways in, in the transaction that makes or removes a service. */
  doors: Pick<ServicesOptions, 'addDoors' | 'removeDoors' | 'openApp' | 'changeApp' | 'closeApp' | 'openTo'>
  version: string
  parts: StatusOptions['parts']
  wayIn: StatusOptions['wayIn']
  identityFor: HubOptions['identityFor']
  /** Who called whom by links, as a controller counted. */
  linksCalled?: HubOptions['linksCalled']
  manifest?: WriteManifest | undefined
}

export async function createRunning(options: RunningOptions) {
  const { config, store, events, http, clock, log } = options
  const controllers = createControllers({ store, events, clock })
  const catalog = createCatalog({ folder: options.catalogFolder, clock, log })
  const instances = createInstances({ store, clock, log, secrets: options.secrets })

  const reached = async (tx: Tx, controllerId: string) => {
    await sessions.controllerChanged(tx, controllerId)
    await services.controllerChanged(tx, controllerId)
  }
  const hub = createHub({
    controllers,
    clock,
    log,
    allowUrl: ownAddress(config),
    desiredFor: instances.desiredFor,
    desiredOf: instances.desiredOf,
    observed: async (controllerId, report) => {
      const heard = await store.system.transaction(async (tx) => {
        await services.hold(tx, report.id)
        const change = await instances.observe(tx, controllerId, report)
        if (!change) return null
        return {
          change,
          followed: await sessions.follow(tx, change),
          told: await services.follow(tx, change),
        }
      })
      if (!heard) return
      const { change, followed, told } = heard
      told()
      followed()
      if (['stopped', 'failed', 'lost'].includes(change.observed.state))
        streams.cutInstance(change.instanceId)
    },
    reached,
    streamFailed: (streamId, problem) => tunnels.failed(streamId, problem),
    identityFor: options.identityFor,
    async linksFor(controllerId) {
      const all = await services.links.linksFor(controllerId)
      linkDials.toldAll(controllerId, all)
      return all
    },
    linkDial: (controllerId, message) => linkDials.asked(controllerId, message),
    linksCalled: (controllerId, calls) => options.linksCalled?.(controllerId, calls),
    volumes: {
      leaving: async (controllerId) => [
        ...(await services.volumesLeaving(controllerId)),
        ...(await sessions.homes.leavingOn(controllerId)),
      ],
      async gone(controllerId, volumeId) {
        await services.volumeGone(controllerId, volumeId)
        await sessions.homes.gone(controllerId, volumeId)
      },
      unmeasured: (controllerId) => sessions.homes.unmeasuredOn(controllerId),
      measured: (controllerId, it) => sessions.homes.measured(controllerId, it),
    },
  })

  const sessions = createSessions({
    store,
    events,
    clock,
    log,
    record: options.record,
    catalog,
    controllers,
    instances,
    perUser: config.sessions.perUser,
    placing: config.placing,
    push: hub.push,
    forget: hub.forget,
    forgetVolume: hub.forgetVolume,
    measureVolume: hub.measureVolume,
    renewed: (instanceId) => streams.cutInstance(instanceId),
  })

  const services = createServices({
    store,
    events,
    clock,
    log,
    catalog,
    controllers,
    instances,
    secrets: options.secrets,
    addressOf: addressOfService(config),
    finishMs: config.services.finishMs,
    placing: config.placing,
    push: hub.push,
    forget: hub.forget,
    forgetVolume: hub.forgetVolume,
    readLogs: hub.readLogs,
    ...options.doors,
  })

  const tunnels = createTunnels({ http, clock, openOnController: hub.openStream })
  const signInDoor = createSignInDoor({ own: http.own, address: options.address })
  const linkDials = createLinkDials({
    tunnels: {
      expect: tunnels.expect,
      dial: (target, signal) =>
        target.instanceId === SIGN_IN_LINK.targetId ? signInDoor.dial(signal) : tunnels.dial(target, signal),
    },
    send: hub.sendDialled,
    log,
  })
  const streams = createStreams({
    store,
    http,
    clock,
    log,
    tunnels,
    locate: sessions.locate,
    onFirstByte: (sessionId) => {
      sessions
        .reached(sessionId, 'firstByte')
        .catch((error: unknown) => log.warn({ error }, 'a first byte was not recorded'))
    },
  })

  http.upgrade(LINK_PATH, {
    origin: 'none',
    signIn: 'none',
    handle: (request, socket, head) => void hub.accept(request, socket, head),
  })
  await controllers.allDisconnected(reached)
  const stopping = new AbortController()
  const ticking = services.run(stopping.signal)
  const watching = sessions.watchUnused(stopping.signal)
  const linking = services.links.follow((controllerId, message) => {
    linkDials.told(controllerId, message)
    hub.sendLinks(controllerId, message)
  }, stopping.signal)

  const fingerprint = await options.fingerprint()
  const routes: Handler[] = [
    ...routesOfControllers({
      controllers,
      async drain(actor, controllerId) {
        await controllers.change(actor, controllerId, { cordoned: true })
        const { scope } = await controllers.managed(actor, controllerId)
        const stopping = await sessions.drain(scope, controllerId)
        return stopping + (await services.drainServices(scope, controllerId))
      },
      async revoke(actor, controllerId) {
        let gone: string[] = []
        await controllers.revoke(actor, controllerId, async (tx) => {
          gone = await sessions.leave(tx, controllerId)
          await services.leaveController(tx, controllerId)
        })
        hub.revoke(controllerId)
        linkDials.forget(controllerId)
        for (const instanceId of gone) streams.cutInstance(instanceId)
      },
      rotate: hub.rotate,
      homes: sessions.homes.kept,
      manifest: options.manifest,
      address: () => ({ url: options.address(), fingerprint }),
    }),
    handle(localRoutes.controllerToken, ({ body }) => controllers.makeToken(null, body.name)),
    ...routesOfCatalog({
      catalog,
      offered: (organisationId) =>
        store.as(organisationId).read(async (tx) => offeredBy(await controllers.serving(tx, organisationId))),
    }),
    ...streams.routes,
    ...routesOfSessions({
      sessions,
      logs: hub.readLogs,
      thumbnail: createThumbnails({ clock, read: hub.readScreen }),
    }),
    ...routesOfViewings({ store, clock, sessions }),
    ...routesOfInstances({
      uses: createUses({ clock, read: hub.readUse, mostOf: instances.mostOf }),
      session: sessions.read,
      service: services.read,
    }),
  ]
  routes.push(
    ...routesOfServices({ services }),
    ...routesOfStatus({
      clock,
      version: options.version,
      parts: options.parts,
      wayIn: options.wayIn,
      services: services.list,
      sessions: sessions.list,
      controllers: ({ organisationId }, { after, limit }) =>
        controllers.list(organisationId, after ?? null, limit),
    }),
  )
  return {
    routes,
    /** Somebody is being removed: their sessions end with them, once that is committed. */
    async leaving(tx: Tx, userId: string) {
      const gone = await sessions.leavePerson(tx, userId)
      return () => gone(streams.cutInstance)
    },
    /** Somebody is switched off from outside: what runs for them stops, once that is committed. */
    async stopAllOf(tx: Tx, userId: string) {
      const stop = await sessions.stopAllOf(tx, userId)
      return () => stop(streams.cutInstance)
    },
    tunnels,
    /** Publishes what a service is now. */
    tellService: services.tell,
    /** Something is open at these instances, though they get nothing new. */
    busy: services.busy,
    /** Where the service that has this app is told of a sign-out. */
    signOutDoor: services.signOutDoor,
    cutSignIn: (signInId: string) => streams.cutSignIn(signInId),
    /** Before the sockets are closed: viewers hear that it is a restart and come back by themselves. */
    tellViewers: () => streams.close(),
    async close() {
      stopping.abort(new Error('stopping'))
      linkDials.close()
      signInDoor.close()
      await Promise.all([ticking, watching, linking])
      await hub.close()
    },
  }
}
