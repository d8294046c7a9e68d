/** A gateway as a process of its own: the same engine as in the control plane, told by one or several control planes over HTTP. */
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { KalnetError } from '@kalnet/contracts/errors'
import type { Snapshot } from '@kalnet/contracts/gateway'
import { GATEWAY_TUNNEL_PATH } from '@kalnet/contracts/gateway-joined'
import type { Clock } from '@kalnet/io/clock'
import { lanInterfaces } from '@kalnet/io/interfaces'
import type { Log } from '@kalnet/io/log'
import { machineId } from '@kalnet/io/machine'
import { portTaken } from '@kalnet/io/ports'
import { v7 as newId } from 'uuid'
import type { Telemetry } from '../../core/telemetry/telemetry.ts'
import { createEngine } from '../engine/engine.ts'
import type { EngineOptions } from '../engine/interface.ts'
import { createJudge } from '../judge.ts'
import { followServed, measureEngine } from '../telemetry.ts'
import { createServedCertificates } from './certificates.ts'
import { createControlPlanes } from './control-planes.ts'
import { createFollowing } from './following.ts'
import { createJudging } from './judging.ts'
import { createOwnNames } from './own-names.ts'
import { createReporting } from './reporting.ts'

/** What is under way when we are told to end has this long; what is open for good (a WebSocket) ends then. */
export const DRAIN_MS = 10_000

export interface AloneOptions {
  urls: readonly URL[]
  key: string
  /** PEM of the control plane's authority; none: that of the system. */
  ca?: string
  /** In the household; two at once have two names. */
  name: string
  version: string
  /** What its network is called; none: this machine's own. */
  network?: string
  listen: EngineOptions['listen']
  /** For what is kept over a restart. */
  folder: string
  clock: Clock
  log: Log
  signal: AbortSignal
  drainMs?: number
  /** Closed when it ends. */
  telemetry?: Telemetry | null
  onReady(addresses: {
    http: { host: string; port: number }
    https: { host: string; port: number } | null
  }): void
}

/** Nobody can connect to "everywhere": the first address others know, or loopback. */
function reachable(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host === 'localhost' ? '127.0.0.1' : host
  const all = Object.values(lanInterfaces(networkInterfaces())).flat()
  return all[0]?.address ?? '127.0.0.1'
}

/** Until the signal; throws when the key is refused at the start, or a port is held. */
export async function runGatewayAlone(options: AloneOptions): Promise<void> {
  const { urls, key, ca, clock, log, signal, listen } = options
  const machine = (await machineId(options.network)) ?? null
  const planes = createControlPlanes({ urls, key, clock, ...(ca ? { ca } : {}) })
  const judging = createJudging(planes, clock, signal)
  const certificates = createServedCertificates(planes, clock, signal)
  let proof = ''
  const own = createOwnNames({ now: planes.now, proof: () => proof })
  let challenges = new Map<string, string>()
  let generation = ''

  const engine = createEngine({
    clock,
    log,
    machine,
    listen,
    certificateFor: certificates.contextFor,
    certificateForNobody: () => certificates.forNobody(reachable(listen.host)),
    challenge: (host, token) => challenges.get(`${host} ${token}`) ?? null,
    upstreamIdentity: certificates.upstream,
    dialTunnel: ({ controllerId, instanceId }, port, within) => {
      const asked = new URLSearchParams({ controller: controllerId, instance: instanceId, port })
      return planes.dial(`${GATEWAY_TUNNEL_PATH}?${asked}`, within)
    },
    judge: createJudge(judging.decide),
    own,
    ...followServed(options.telemetry ?? null),
  })
  measureEngine(options.telemetry ?? null, engine)
  const following = createFollowing({
    planes,
    file: join(options.folder, 'snapshot.json'),
    clock,
    log,
    signal,
    async take(snapshot: Snapshot) {
      judging.forget()
      await engine.apply(snapshot)
    },
  })
  const run = newId()
  const reporting = createReporting({
    planes,
    engine,
    clock,
    log,
    signal,
    who() {
      const { http, https } = engine.addresses()
      const host = reachable(listen.host)
      const port = (name: 'http' | 'https', at: { port: number } | null) =>
        at && at.port > 0 ? [{ name, host, port: at.port }] : []
      return {
        name: options.name,
        run,
        version: options.version,
        ports: [...port('http', http), ...port('https', https)],
        machine,
      }
    },
    forget: judging.forget,
    heard(news) {
      if (news.ended.length > 0) judging.forget()
      proof = news.proof
      own.lead(news.ownHosts)
      challenges = new Map(news.challenges.map(({ host, token, answer }) => [`${host} ${token}`, answer]))
      if (generation !== '' && generation !== news.certificates) certificates.changed()
      generation = news.certificates
    },
  })

  /** A gateway whose door is held by somebody else is none. */
  async function open(): Promise<void> {
    await engine.listen().catch(async (error: unknown) => {
      const { port } = { port: 0, ...(error as { port?: number }) }
      throw (port ? await portTaken(listen.host, port) : null) ?? error
    })
  }

  try {
    await following.begin()
    // Names and challenges are known from the first request on, where somebody is there to say them.
    await reporting.report().catch((error: unknown) => {
      if (error instanceof KalnetError && error.status < 500) throw error
    })
    await open()
    options.onReady(engine.addresses())
    log.info({ addresses: engine.addresses(), name: options.name }, 'the gateway serves')
    await Promise.all([following.follow(), reporting.run()])
    log.info('told to end: what is under way is finished')
    await reporting.report(true).catch((error: unknown) => {
      log.info({ problem: error instanceof Error ? error.message : '' }, 'the control plane was not told')
    })
    await engine.drain(options.drainMs ?? DRAIN_MS)
  } finally {
    await following.write()
    await engine.close()
    planes.close()
    await options.telemetry?.close()
  }
}
