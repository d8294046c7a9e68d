/** The gateway in this process: the engine, and what it is told by the registry, the register of routes, forward-auth and the certificates. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { SecureContext } from 'node:tls'
import type { Config } from '@kalnet/contracts/config'
import { KalnetError } from '@kalnet/contracts/errors'
import type { RouteFigures, WayInProblem } from '@kalnet/contracts/gateway'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { portTaken } from '@kalnet/io/ports'
import type { ForwardReply } from '../apps/forward.ts'
import type { HubOptions } from '../controllers/hub.ts'
import type { Events } from '../core/events.ts'
import type { Handler } from '../core/http.ts'
import type { Store } from '../core/store.ts'
import type { Telemetry } from '../core/telemetry/telemetry.ts'
import type { Registry } from '../registry/registry.ts'
import type { Tunnels } from '../streams/tunnels.ts'
import { createCalls } from './calls.ts'
import { createEngine } from './engine/engine.ts'
import type { Engine } from './engine/interface.ts'
import { mergeFigures } from './joined/merge.ts'
import { createJudge } from './judge.ts'
import { type WayIn, wayInProblems } from './problems.ts'
import { createRegister, type Register } from './register.ts'
import { insideAddress } from './render/reach.ts'
import { routesOfGateway } from './routes.ts'
import { createSnapshots, type Snapshots } from './snapshot.ts'
import { statements } from './store.ts'
import { followServed, measureEngine } from './telemetry.ts'

export interface GatewayOptions {
  store: Store
  events: Events
  clock: Clock
  log: Log
  config: Config
  registry: Registry
  tunnels: Pick<Tunnels, 'dial'>
  /** The local authority, where the control plane speaks TLS by it. */
  authorityFile: string | null
  /** Whose network this process is in. */
  machine: string | null
  decide(headers: IncomingHttpHeaders, address: string): Promise<ForwardReply>
  /** The dashboard and API, which the same door leads to. */
  own: {
    hosts(): string[]
    request(request: IncomingMessage, response: ServerResponse): void
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  }
  certificates: {
    contextFor(name: string): SecureContext | null | Promise<SecureContext | null>
    challenge(host: string, token: string): string | null
    upstreamFor(organisationId: string): Promise<{ context: SecureContext }>
  }
  /** What the control plane itself serves https with: shown to whoever comes by a bare address. */
  tls: { key: string | Buffer; cert: string | Buffer } | undefined
  /** What gateways of their own counted. */
  elsewhere(): RouteFigures[]
  /** What is wrong at those of this household, and with names. */
  problemsElsewhere(organisationId: string): Pick<WayIn, 'joined' | 'names'>
  telemetry: Telemetry | null
  signal: AbortSignal
}
export interface Gateway {
  routes: Handler[]
  register: Register
  snapshots: Snapshots
  calls: ReturnType<typeof createCalls>
  /** Links of instances were used, as a controller counted. */
  linksCalled(used: Parameters<HubOptions['linksCalled']>[1]): void
  /** Null: this process serves none (`gateway.enabled`). */
  engine: Engine | null
  /** Opens the doors; a port that is taken is told and the rest goes on. */
  listen(): Promise<void>
  /** What keeps addresses of this household from working. */
  wayIn(organisationId: string): WayInProblem[]
  cut(signInId: string): void
  close(): Promise<void>
}

export function createGateway(options: GatewayOptions): Gateway {
  const { store, events, clock, log, config, registry, tunnels, own, certificates, signal } = options
  const register = createRegister({ store, events, clock, config, ownHosts: own.hosts })
  const snapshots = createSnapshots({ registry, register, events, clock, log, domain: config.domain, signal })
  const engine = config.gateway.enabled
    ? createEngine({
        clock,
        log,
        machine: options.machine,
        listen: {
          host: config.gateway.host ?? config.listen.host,
          httpPort: config.gateway.httpPort,
          httpsPort: config.tls.enabled ? config.gateway.httpsPort : null,
          publicHttpsPort: config.gateway.publicHttpsPort ?? null,
        },
        certificateFor: certificates.contextFor,
        certificateForNobody: async () =>
          options.tls ? { chain: options.tls.cert, key: options.tls.key } : null,
        challenge: certificates.challenge,
        upstreamIdentity: async (organisationId) => (await certificates.upstreamFor(organisationId)).context,
        dialTunnel: (tunnel, port, within) => tunnels.dial({ ...tunnel, port }, within),
        judge: createJudge(options.decide),
        own,
        ...followServed(options.telemetry),
      })
    : null
  if (engine) measureEngine(options.telemetry, engine)
  const figures = () => mergeFigures(engine?.figures() ?? [], options.elsewhere())
  const calls = createCalls(clock, function* () {
    const byId = new Map(snapshots.now().routes.map((it) => [it.id, it]))
    for (const { routeId, requests, failures } of figures()) {
      const route = byId.get(routeId)
      if (route) yield { ...route, requests, failures }
    }
  })

  async function addLinkCalls(used: Parameters<Gateway['linksCalled']>[0]) {
    const ids = [...new Set(used.flatMap((it) => [it.instanceId, ...(it.targetId ? [it.targetId] : [])]))]
    const { rows } = await store.system.read((tx) => statements.servicesOf({ instances: ids }).execute(tx))
    const byId = new Map(rows.map((row) => [row.id, row]))
    for (const { instanceId, targetId, link, calls: count, failures } of used) {
      const from = byId.get(instanceId)
      // Where it leads nowhere, what it calls it is all that is known.
      if (from)
        calls.add(from.organisation_id, {
          from: from.name,
          to: (targetId && byId.get(targetId)?.name) || link,
          calls: count,
          failures,
        })
    }
  }

  let shut: string | null = null
  async function reasonOf(error: unknown): Promise<string> {
    const { host, port } = { host: '', port: 0, ...(error as { host?: string; port?: number }) }
    if (error instanceof KalnetError || !port) return error instanceof Error ? error.message : String(error)
    return (await portTaken(host || config.listen.host, port))?.message ?? String(error)
  }

  const wayIn = (organisationId: string) =>
    wayInProblems({
      routes: snapshots.now().routes.filter((it) => it.organisationId === organisationId),
      shut,
      own: engine?.problems() ?? [],
      ...options.problemsElsewhere(organisationId),
    })

  let applying = Promise.resolve()
  /** One after the other: a later one overtakes those that have not begun. */
  let wanted: ReturnType<typeof snapshots.now> | null = null
  function apply() {
    if (!engine) return
    const isQueued = wanted !== null
    wanted = snapshots.now()
    if (isQueued) return
    applying = applying.then(async () => {
      const next = wanted
      wanted = null
      if (next && !signal.aborted)
        await engine
          .apply(next)
          .catch((error: unknown) => log.error({ error }, 'the gateway could not take over a change'))
    })
  }

  return {
    register,
    snapshots,
    calls,
    engine,
    routes: routesOfGateway({
      register,
      snapshots,
      calls,
      figures,
      problems: wayIn,
      inside: () => insideAddress(config),
      ownHosts: own.hosts,
      traefikHost: config.gateway.traefikHost,
      machine: options.machine,
      authorityFile: options.authorityFile,
      signal,
    }),
    async listen() {
      await snapshots.ready
      snapshots.onChange(apply)
      apply()
      await applying
      await engine?.listen().catch(async (error: unknown) => {
        // A port that somebody else has is no reason to be without a dashboard: it is said, and the rest goes on.
        shut = await reasonOf(error)
        log.error({ problem: shut }, 'the gateway cannot open its door')
      })
    },
    linksCalled: (used) =>
      void addLinkCalls(used).catch((error: unknown) =>
        log.warn({ error }, 'calls by links were not counted'),
      ),
    wayIn,
    cut: (signInId) => void engine?.cut(signInId),
    async close() {
      await applying
      await engine?.close()
    },
  }
}
