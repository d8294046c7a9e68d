/**
 * The live connections to controllers. Knows no capability: what should run and what was seen are handed in.
 * Everything to one controller goes through one queue, so that a desired row read earlier is never sent later.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ToController } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import type { DesiredInstance, ObservedInstance } from '@kalnet/contracts/instance'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { acceptLink, LINK_CLOSE, proveHello, type ServerLink } from '@kalnet/wire/server-link'
import { v7 as newId } from 'uuid'
import type { Controllers } from './controllers.ts'

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
  /** Its reachability changed. */
  reached(controllerId: string, online: boolean): Promise<void>
  streamFailed(streamId: string, problem: string): void
}

type Message = Parameters<Parameters<typeof acceptLink>[3]['onMessage']>[0]
type Answer = Extract<Message, { type: 'logs' | 'screen' }>
interface Connection {
  link: ServerLink
  queue: Promise<void>
  inventoried: boolean
}

const ANSWER_MS = 10_000
/** Desired state is sent whole this often even if nothing changed: a lost push costs this at most. */
const RESEND_MS = 30_000

export function createHub(options: HubOptions) {
  const { controllers, log } = options
  const connections = new Map<string, Connection>()
  const waiting = new Map<string, (answer: Answer) => void>()

  /** One after the other for each controller; a failure is logged and the next goes on. */
  const enqueue = (connection: Connection, what: string, work: () => Promise<unknown>) => {
    connection.queue = connection.queue.then(work).then(
      () => undefined,
      (error: unknown) =>
        log.error({ error, controllerId: connection.link.controllerId }, `could not ${what}`),
    )
  }

  const sendAll = (connection: Connection) =>
    enqueue(connection, 'send the desired state', async () => {
      const instances = await options.desiredFor(connection.link.controllerId)
      connection.link.send({ type: 'desired.all', instances })
    })

  const take = (connection: Connection, message: Message) => {
    const { controllerId } = connection.link
    switch (message.type) {
      case 'inventory':
        enqueue(connection, 'record an inventory', async () => {
          await controllers.inventory(controllerId, message)
          for (const report of message.instances) await options.observed(controllerId, report)
          connection.inventoried = true
          await options.reached(controllerId, true)
        })
        return sendAll(connection)
      case 'heartbeat':
        return enqueue(connection, 'record a heartbeat', () => controllers.heartbeat(controllerId, message))
      case 'observed':
        return enqueue(connection, 'record a report', () => options.observed(controllerId, message.instance))
      case 'stream.failed':
        return options.streamFailed(message.streamId, message.problem)
      case 'logs':
      case 'screen':
        return waiting.get(message.requestId)?.(message)
    }
  }

  const up = (link: ServerLink) => {
    // A controller that comes back before we noticed that it was gone: the new link counts.
    connections.get(link.controllerId)?.link.close(LINK_CLOSE.replaced, 'a newer connection took over')
    const connection: Connection = { link, queue: Promise.resolve(), inventoried: false }
    connections.set(link.controllerId, connection)
    enqueue(connection, 'record a connection', () =>
      controllers.connected(link.controllerId, link.hello.hostname, link.hello.version),
    )
  }

  const down = (link: ServerLink, reason: string) => {
    const connection = connections.get(link.controllerId)
    if (connection?.link !== link) return
    connections.delete(link.controllerId)
    log.info({ controllerId: link.controllerId, reason }, 'a controller is offline')
    enqueue(connection, 'record a disconnection', async () => {
      if (connections.has(link.controllerId)) return
      await controllers.disconnected(link.controllerId)
      await options.reached(link.controllerId, false)
    })
  }

  const ask = async <T extends Answer['type']>(
    controllerId: string,
    build: (requestId: string) => ToController,
    expected: T,
    signal: AbortSignal,
  ): Promise<Extract<Answer, { type: T }>> => {
    const requestId = newId()
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
    try {
      return await new Promise((resolve, reject) => {
        limit.addEventListener('abort', () => reject(fail('controller.offline')), { once: true })
        waiting.set(requestId, (answer) => {
          if (answer.type === expected) resolve(answer as Extract<Answer, { type: T }>)
        })
        const sent = connections.get(controllerId)?.link.send(build(requestId))
        if (!sent) reject(fail('controller.offline'))
      })
    } finally {
      waiting.delete(requestId)
    }
  }

  const timer = setInterval(() => {
    for (const connection of connections.values()) if (connection.inventoried) sendAll(connection)
  }, RESEND_MS)
  timer.unref()

  return {
    accept(request: IncomingMessage, socket: Duplex, head: Buffer) {
      return acceptLink(request, socket, head, {
        log,
        clock: options.clock,
        authenticate: (hello, nonce) =>
          proveHello(hello, nonce, { publicKeyOf: controllers.publicKeyOf, allowUrl: options.allowUrl }),
        onUp: up,
        onMessage: (message, link) => {
          const connection = connections.get(link.controllerId)
          if (connection?.link === link) take(connection, message)
        },
        onClose: down,
      })
    },
    isOnline: (controllerId: string) => connections.has(controllerId),
    /** Sends what is wanted of an instance now, if its controller is connected; else it gets it when it connects. */
    push(controllerId: string, instanceId: string) {
      const connection = connections.get(controllerId)
      if (!connection) return
      enqueue(connection, 'push an instance', async () => {
        const instance = await options.desiredOf(instanceId)
        if (instance) connection.link.send({ type: 'desired', instance })
      })
    },
    forget(controllerId: string, id: string, generation: number) {
      const connection = connections.get(controllerId)
      if (connection)
        enqueue(connection, 'forget an instance', async () =>
          connection.link.send({ type: 'forget', id, generation }),
        )
    },
    openStream: (
      controllerId: string,
      request: { streamId: string; instanceId: string; port: string; token: string },
    ): boolean => connections.get(controllerId)?.link.send({ type: 'stream.open', ...request }) ?? false,
    /** Throws controller.offline. */
    readLogs: async (
      controllerId: string,
      instanceId: string,
      lines: number,
      signal: AbortSignal,
    ): Promise<string[]> =>
      (
        await ask(
          controllerId,
          (requestId) => ({ type: 'logs.read', requestId, instanceId, lines }),
          'logs',
          signal,
        )
      ).lines,
    readScreen: async (
      controllerId: string,
      instanceId: string,
      maxWidth: number,
      signal: AbortSignal,
    ): Promise<string | null> =>
      (
        await ask(
          controllerId,
          (requestId) => ({ type: 'screen.read', requestId, instanceId, port: 'display', maxWidth }),
          'screen',
          signal,
        )
      ).png,
    revoke: (controllerId: string) =>
      connections.get(controllerId)?.link.close(LINK_CLOSE.unproved, 'it was revoked'),
    /** Ends every link; resolves when what was under way is recorded. */
    async close(): Promise<void> {
      clearInterval(timer)
      const open = [...connections.values()]
      for (const { link } of open) link.close(1001, 'the control plane is stopping')
      await Promise.all(open.map((connection) => connection.queue))
    },
  }
}
export type Hub = ReturnType<typeof createHub>
