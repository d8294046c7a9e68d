/**
 * The live connections to controllers. Knows no capability: what should run and what was seen are handed in.
 * Everything to one controller goes through one queue, so that a desired row read earlier is never sent later.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FromController, ToController } from '@kalnet/contracts/controller'
import type { DesiredInstance, ObservedInstance } from '@kalnet/contracts/instance'
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { acceptLink, LINK_CLOSE, proveHello, type ServerLink } from '@kalnet/wire/server-link'
import type { Tx } from '../core/store.ts'
import { createAsking } from './asking.ts'
import type { Controllers } from './controllers.ts'
import { createIdentityGiver, type GiverOptions } from './identity-giver.ts'
import { passes } from './passing.ts'
import { createQuestions } from './questions.ts'
import { createRotations } from './rotation.ts'
import { storable } from './storable.ts'
import { heardOfVolume, type VolumesKnown, wordsOfVolumes } from './volumes.ts'

export interface HubOptions {
  controllers: Controllers
  clock: Clock
  log: Log
  /** Is this one of our own addresses? A controller signs the address it was told. */
  allowUrl(url: string): boolean
  /** All that this controller should have. */
  desiredFor(controllerId: string): Promise<DesiredInstance[]>
  /** One of them; null when there is no such row (any more). */
  desiredOf(instanceId: string): Promise<DesiredInstance | null>
  observed(controllerId: string, report: ObservedInstance): Promise<void>
  /** Its reachability changed, in the transaction that says so. */
  reached(tx: Tx, controllerId: string): Promise<void>
  streamFailed(streamId: string, problem: string): void
  /** Who an instance is for others, when its spec asks for it; absent: nobody is anybody. */
  identityFor?: GiverOptions['identityFor'] | undefined
  /** Where the links of its instances lead now. */
  linksFor(controllerId: string): Promise<Omit<LinksMessage, 'type'>[]>
  /** Who called whom by links, as a controller counted. */
  linksCalled(controllerId: string, calls: LinkCalls[]): void
  /** One of its instances calls another controller's. */
  linkDial(controllerId: string, message: Extract<FromController, { type: 'link.dial' }>): void
  volumes: VolumesKnown
}

type LinksMessage = Extract<ToController, { type: 'links' }>
type LinkCalls = Extract<FromController, { type: 'links.called' }>['calls'][number]
type Message = Parameters<Parameters<typeof acceptLink>[3]['onMessage']>[0]
interface Connection {
  link: ServerLink
  inventoried: boolean
}
interface Queue {
  tail: Promise<void>
  length: number
}
/** Desired state is sent whole this often even if nothing changed: a lost push costs this at most. */
const RESEND_MS = 30_000
const CLOSE_MS = 5_000
/** What one controller may have waiting here; one that says more is cut, and says it whole when it is back. */
const QUEUE_MOST = 10_000
export function createHub(options: HubOptions) {
  const { controllers, clock, log } = options
  const connections = new Map<string, Connection>()
  /** By controller, not by connection: what its last connection left is recorded before what its next one says. */
  const queues = new Map<string, Queue>()
  const { ask, answered, gone } = createQuestions(
    (controllerId, message) => connections.get(controllerId)?.link.send(message) ?? false,
  )
  const { identityFor } = options
  const giveIdentities = identityFor ? createIdentityGiver({ clock, log, identityFor }) : null
  let closed = false

  /** One after the other for each controller; a failure is logged and the next goes on. */
  const enqueue = (
    { link }: Connection,
    what: string,
    work: () => Promise<unknown>,
    failed?: (error: unknown) => void,
  ) => {
    if (closed) return
    const { controllerId } = link
    const queue = queues.get(controllerId) ?? { tail: Promise.resolve(), length: 0 }
    queues.set(controllerId, queue)
    queue.length += 1
    if (queue.length > QUEUE_MOST) link.close(LINK_CLOSE.later, 'it says more than can be recorded')
    queue.tail = queue.tail
      .then(work)
      .catch((error: unknown) => {
        log.error({ error, controllerId }, `could not ${what}`)
        failed?.(error)
      })
      .then(() => {
        queue.length -= 1
        if (queue.length === 0) queues.delete(controllerId)
      })
  }

  /** What a controller said must not be lost by a moment without database: it comes back and says everything again. */
  const record = (connection: Connection, what: string, work: () => Promise<unknown>) =>
    enqueue(connection, what, work, (error) => {
      if (passes(error)) connection.link.close(LINK_CLOSE.later, 'it could not be recorded; say it again')
    })

  const sendAll = (connection: Connection) =>
    enqueue(connection, 'send the desired state', async () => {
      const instances = await options.desiredFor(connection.link.controllerId)
      connection.link.send({ type: 'desired.all', instances })
      await giveIdentities?.(connection.link, instances)
      for (const message of await options.linksFor(connection.link.controllerId))
        connection.link.send({ type: 'links', ...message })
      for (const message of await wordsOfVolumes(options.volumes, connection.link.controllerId))
        connection.link.send(message)
    })

  const take = (connection: Connection, message: Message) => {
    const { controllerId } = connection.link
    switch (message.type) {
      case 'inventory': {
        const { fingerprints, capacity, instances, cluster } = storable(message)
        record(connection, 'record an inventory', async () => {
          await controllers.inventory(controllerId, { fingerprints, capacity }, options.reached)
          if (cluster) await controllers.noteCluster(controllerId, cluster)
          for (const report of instances) await options.observed(controllerId, report)
          connection.inventoried = true
        })
        return sendAll(connection)
      }
      case 'heartbeat': {
        const { fingerprints, capacity, cluster } = storable(message)
        return record(connection, 'record a heartbeat', async () => {
          if (fingerprints) await controllers.inventory(controllerId, { fingerprints, capacity })
          else await controllers.heartbeat(controllerId, capacity)
          if (cluster) await controllers.noteCluster(controllerId, cluster)
        })
      }
      case 'observed': {
        const report = storable(message.instance)
        return record(connection, 'record a report', () => options.observed(controllerId, report))
      }
      case 'stream.failed':
        return options.streamFailed(message.streamId, message.problem)
      case 'links.called':
        return options.linksCalled(controllerId, message.calls)
      case 'link.dial':
        return options.linkDial(controllerId, message)
      case 'volume.gone':
      case 'volume.measured': {
        const said = storable(message)
        return record(connection, 'record a volume', () =>
          heardOfVolume({ known: options.volumes, log }, controllerId, said),
        )
      }
      case 'logs':
      case 'screen':
      case 'use':
      case 'key.new':
        answered(controllerId, message)
    }
  }

  const up = (link: ServerLink) => {
    // A controller that comes back before we noticed that it was gone: the new link counts.
    connections.get(link.controllerId)?.link.close(LINK_CLOSE.replaced, 'a newer connection took over')
    const connection: Connection = { link, inventoried: false }
    connections.set(link.controllerId, connection)
    const { hostname, version, machine = null } = storable(link.hello)
    record(connection, 'record a connection', async () => {
      // Revoked while it was proving who it is.
      if (!(await controllers.connected(link.controllerId, { hostname, version, machine })))
        link.close(LINK_CLOSE.unproved, 'it was revoked')
    })
  }

  const down = (link: ServerLink, reason: string) => {
    const { controllerId } = link
    const connection = connections.get(controllerId)
    if (connection?.link !== link) return
    connections.delete(controllerId)
    gone(controllerId)
    log.info({ controllerId, reason }, 'a controller is offline')
    enqueue(connection, 'record a disconnection', async () => {
      // Tried until it is written or untrue: nobody else would ever say it.
      for (let attempt = 0; !closed && !connections.has(controllerId); attempt++) {
        try {
          return await controllers.disconnected(controllerId, options.reached)
        } catch (error) {
          if (!passes(error)) throw error
          await clock.sleep(backoff(attempt, 100, 1_000))
        }
      }
    })
  }

  const rotations = createRotations({
    linkOf: (controllerId) => connections.get(controllerId)?.link,
    ask: (controllerId) => ask(controllerId, (requestId) => ({ type: 'key.rotate', requestId }), 'key.new'),
    store: controllers.renewKey,
  })

  const timer = setInterval(() => {
    for (const connection of connections.values()) if (connection.inventoried) sendAll(connection)
  }, RESEND_MS)
  timer.unref()

  return {
    accept(request: IncomingMessage, socket: Duplex, head: Buffer) {
      return acceptLink(request, socket, head, {
        log,
        clock,
        authenticate: (hello, nonce) =>
          rotations.judge(hello.controllerId, () =>
            proveHello(hello, nonce, { publicKeyOf: controllers.publicKeyOf, allowUrl: options.allowUrl }),
          ),
        onUp: up,
        onMessage: (message, link) => {
          const connection = connections.get(link.controllerId)
          if (connection?.link === link) take(connection, message)
        },
        onClose: down,
      })
    },
    /** Sends what is wanted of an instance now, if its controller is connected; else it gets it when it connects. */
    push(controllerId: string, instanceId: string) {
      const connection = connections.get(controllerId)
      if (!connection) return
      enqueue(connection, 'push an instance', async () => {
        const instance = await options.desiredOf(instanceId)
        if (!instance) return
        connection.link.send({ type: 'desired', instance })
        await giveIdentities?.(connection.link, [instance])
      })
    },
    forget(controllerId: string, id: string, generation: number) {
      const connection = connections.get(controllerId)
      if (connection)
        enqueue(connection, 'forget an instance', async () =>
          connection.link.send({ type: 'forget', id, generation }),
        )
    },
    /** What links lead to now; a lost one comes with the next whole round. */
    sendLinks: (controllerId: string, message: Omit<LinksMessage, 'type'>): boolean =>
      connections.get(controllerId)?.link.send({ type: 'links', ...message }) ?? false,
    /** What nobody wants any more goes; said again with each whole round until it is gone. */
    forgetVolume: (controllerId: string, id: string): boolean =>
      connections.get(controllerId)?.link.send({ type: 'volume.forget', id }) ?? false,
    /** How large it is comes by `volumes.measured`; asked again with each whole round until it is known. */
    measureVolume: (controllerId: string, id: string): boolean =>
      connections.get(controllerId)?.link.send({ type: 'volume.measure', id }) ?? false,
    sendDialled: (controllerId: string, message: Extract<ToController, { type: 'link.dialled' }>): boolean =>
      connections.get(controllerId)?.link.send(message) ?? false,
    openStream: (
      controllerId: string,
      request: { streamId: string; instanceId: string; port: string; token: string },
    ): boolean => connections.get(controllerId)?.link.send({ type: 'stream.open', ...request }) ?? false,
    ...createAsking({
      ask,
      answersOf: (controllerId) => {
        const link = connections.get(controllerId)?.link
        return link ? (link.hello.answers ?? []) : null
      },
    }),
    rotate: rotations.rotate,
    /** Its rows are gone: it takes away what it has, and is cut. */
    revoke(controllerId: string) {
      const link = connections.get(controllerId)?.link
      link?.send({ type: 'desired.all', instances: [] })
      link?.close(LINK_CLOSE.unproved, 'it was revoked')
    },
    /** Ends every link; resolves when what was under way is recorded. */
    async close(): Promise<void> {
      clearInterval(timer)
      for (const { link } of connections.values()) link.close(1001, 'the control plane is stopping')
      const drained = async () => {
        while (queues.size > 0) await Promise.all([...queues.values()].map((queue) => queue.tail))
      }
      // A database that is away must not hold up the end.
      const late = new AbortController()
      await Promise.race([drained(), clock.sleep(CLOSE_MS, late.signal).catch(() => undefined)])
      late.abort()
      closed = true
    },
  }
}
export type Hub = ReturnType<typeof createHub>
