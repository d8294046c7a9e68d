/** The gateway's engine: serves whatever snapshot it was given last, changes without dropping a connection, knows no database. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Endpoint, Snapshot } from '@kalnet/contracts/gateway'
import { isNear } from './address.ts'
import { type Admit, createAdmit, type Entry, type Visit } from './admit.ts'
import { createCalls, showCounts } from './figures.ts'
import { type Engine, type EngineOptions, LIMITS } from './interface.ts'
import { createListeners } from './listeners.ts'
import { createOpened } from './opened.ts'
import { judgeVisit, type Shared } from './passage.ts'
import { createPorts } from './ports.ts'
import { answerVerdict, known, refuse, refuseUpgrade, writeAnswer } from './refuse.ts'
import { createRotation, type Rotation } from './rotation.ts'
import { serveVisit } from './serve.ts'
import { tellServed, tellUpgraded } from './served.ts'
import { compileTable, type Table } from './table.ts'
import { upgradeVisit } from './upgrade.ts'

export type { Asked, Engine, EngineOptions, Verdict } from './interface.ts'

const EMPTY: Snapshot = { version: '', domain: '', routes: [], endpoints: [] }

export function createEngine(options: EngineOptions): Engine {
  const { clock, log, own, judge, onServed } = options
  const limits = { ...LIMITS, ...options.limits }
  const calls = createCalls()
  const opened = createOpened()
  let rotations = new Map<string, Rotation>()
  /** What was counted up to the end is asked for once more. */
  let ended: Rotation[] | null = null
  let table: Table<Rotation> = compileTable([])
  /** What of it is for everybody: asked for names only. */
  let outside: Table<Rotation> = compileTable([])
  let services = new Map<string, string>()
  const shared: Shared = {
    clock,
    log,
    judge,
    calls,
    opened,
    serviceAt: (address) => services.get(address) ?? null,
  }

  const ports = createPorts({
    options,
    limits,
    calls,
    serviceAt: shared.serviceAt,
    machine: options.machine,
    flowCheckMs: options.flowCheckMs,
  })
  let listening = false
  const listeners = createListeners({
    options,
    limits,
    knows: (name, address) =>
      own.hosts().includes(name) || (isNear(address, clock.now().getTime()) ? table : outside).knows(name),
    request: receive,
    upgrade: receiveUpgrade,
  })
  const admit: Admit = createAdmit(options, {
    table: () => table,
    isOutside: (host) => outside.knows(host),
    httpsPort: listeners.publicHttpsPort,
  })

  function receive(request: IncomingMessage, response: ServerResponse, secure: boolean): void {
    let entry: Entry
    try {
      entry = admit(request, secure, false)
    } catch (error) {
      refuse(request, response, known(error), 'none')
      return
    }
    switch (entry.kind) {
      case 'visit':
        if (onServed) tellServed({ request, response, visit: entry.visit }, onServed)
        receiveVisit(request, response, entry.visit)
        return
      case 'own':
        if (request.headers.expect !== undefined) response.writeContinue()
        // HTTP/2 names the host in another place; the listener of HTTP/1.1 looks for it here.
        request.headers.host ??= request.headers[':authority'] as string | undefined
        endWhenSlow(request, response)
        own.request(request, response)
        return
      case 'text':
        response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(entry.body)
        return
      case 'redirect':
        response
          .writeHead(308, { location: entry.to, 'cache-control': 'no-store', 'content-length': '0' })
          .end()
    }
  }

  /** What the control plane's own listener does by its limits: a whole request arrives in time. */
  function endWhenSlow(request: IncomingMessage, response: ServerResponse): void {
    const late = setTimeout(() => {
      if (!request.complete) request.destroy()
    }, limits.bodyMs)
    response.once('close', () => clearTimeout(late))
  }

  function receiveVisit(request: IncomingMessage, response: ServerResponse, visit: Visit): void {
    const verdict = judgeVisit(visit, request, shared)
    const refused = (error: unknown) => {
      const told = known(error)
      if (told.status >= 500) log.warn({ code: told.code, cause: String(told.cause) }, 'a request failed')
      refuse(request, response, told, visit.trace.requestId)
    }
    const serve = (passed: Awaited<typeof verdict>) => {
      if (passed.pass) return serveVisit({ request, response, visit, verdict: passed, limits, shared })
      visit.rotation.counts.rejected += 1
      answerVerdict(request, response, passed, visit.trace.requestId)
    }
    try {
      // Without a judge nothing waits for the next turn.
      if (verdict instanceof Promise) {
        verdict.then((passed) => (request.destroyed ? response.destroy() : serve(passed))).catch(refused)
      } else serve(verdict)
    } catch (error) {
      refused(error)
    }
  }

  async function receiveUpgrade(request: IncomingMessage, socket: Duplex, rest: Buffer, secure: boolean) {
    // A peer that breaks off is no fault of ours; without a listener it would end the process.
    socket.on('error', () => socket.destroy())
    let requestId = 'none'
    try {
      const entry = admit(request, secure, true)
      if (entry.kind === 'own') return own.upgrade(request, socket, rest)
      if (entry.kind === 'text') return writeAnswer(socket, 200, { 'content-type': 'text/plain' }, entry.body)
      if (entry.kind === 'redirect') return writeAnswer(socket, 308, { location: entry.to })
      const { visit } = entry
      requestId = visit.trace.requestId
      if (onServed) tellUpgraded({ request, socket, visit }, onServed)
      const verdict = await judgeVisit(visit, request, shared)
      if (socket.destroyed) return
      if (verdict.pass)
        return upgradeVisit({ request, socket, rest, visit, verdict, stallMs: limits.stallMs, shared })
      visit.rotation.counts.rejected += 1
      visit.status = verdict.status
      writeAnswer(socket, verdict.status, { ...verdict.headers, 'x-request-id': requestId }, verdict.body)
    } catch (error) {
      refuseUpgrade(request, socket, known(error), requestId)
    }
  }

  function take(snapshot: Snapshot): void {
    const at = new Map<string, Endpoint[]>()
    services = new Map()
    const names = new Map(snapshot.routes.map((route) => [route.serviceId, route.serviceName]))
    for (const endpoint of snapshot.endpoints) {
      const key = `${endpoint.serviceId} ${endpoint.port}`
      const all = at.get(key)
      if (all) all.push(endpoint)
      else at.set(key, [endpoint])
      const name = names.get(endpoint.serviceId)
      const host = endpoint.direct?.machine ? endpoint.direct.host : null
      if (name && host && !host.startsWith('127.')) services.set(host, name)
    }
    const before = rotations
    rotations = new Map()
    for (const route of snapshot.routes) {
      const endpoints = at.get(`${route.serviceId} ${route.port}`) ?? []
      const old = before.get(route.id)
      old?.change(route, endpoints)
      rotations.set(route.id, old ?? createRotation(route, endpoints, options))
      before.delete(route.id)
    }
    for (const gone of before.values()) gone.retire()
    const all = [...rotations.values()]
    table = compileTable(all)
    outside = compileTable(all.filter(({ route }) => route.exposure === 'external'))
  }

  return {
    async apply(snapshot) {
      take(snapshot)
      if (listening) await ports.apply(rotations.values())
    },
    async listen() {
      listening = true
      // Each on its own: a door for http that is taken keeps no game from its players.
      const doors = listeners.listen()
      await Promise.allSettled([doors, ports.apply(rotations.values())])
      await doors
    },
    drain: listeners.drain,
    async close() {
      await Promise.all([ports.close(), listeners.close()])
      ended = [...rotations.values()]
      take(EMPTY)
    },
    cut: opened.cut,
    signIns: opened.signIns,
    counts: () => (ended ?? [...rotations.values()]).map(({ route, counts }) => [route, counts]),
    figures: () =>
      [...rotations].map(([id, { counts, breaker }]) =>
        showCounts(id, counts, breaker?.state(clock.now().getTime()) ?? null),
      ),
    open() {
      const all = new Map<string, number>()
      for (const rotation of rotations.values())
        for (const [id, open] of rotation.open()) all.set(id, (all.get(id) ?? 0) + open)
      return all
    },
    finishing: () => [...new Set([...rotations.values()].flatMap((it) => it.finishing()))],
    calls: calls.list,
    addresses: listeners.addresses,
    problems: ports.problems,
  }
}
