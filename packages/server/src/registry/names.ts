/** By what names this house is found: the name server of its domain, and `kalnet.local` on the local network. */
import { Resolver } from 'node:dns'
import { networkInterfaces } from 'node:os'
import type { Config } from '@kalnet/contracts/config'
import type { Clock } from '@kalnet/io/clock'
import { lanInterfaces } from '@kalnet/io/interfaces'
import type { Log } from '@kalnet/io/log'
import { gatewayFor, isLoopback, isNeighbour, plain } from './dns/addresses.ts'
import { createAnswerer, type Way } from './dns/answer.ts'
import { createForwarder, parseResolver } from './dns/forward.ts'
import { createPlaces } from './dns/places.ts'
import { createRates } from './dns/rates.ts'
import { createDnsServer } from './dns/server.ts'
import { createResponder, type Responder } from './mdns/responder.ts'
import type { Registry } from './registry.ts'

const isEverywhere = (host: string) => host === '0.0.0.0' || host === '::'
/** How long what the machine says of its networks is believed. */
const LOOK_MS = 5_000

export interface Names {
  /** Opens the name server where it is enabled; what cannot be opened is told and the rest goes on. */
  listen(): Promise<void>
  /** Where names are answered. */
  addresses(): { host: string; port: number }[]
  problems(): string[]
  /** `kalnet.local`, or what took its place; null: not said on any network. */
  localName(): string | null
  /** ACME DNS-01: the TXT records of this name, whole; none take it away. Whoever asks hears them. */
  setChallenge(name: string, values: readonly string[]): void
  close(): Promise<void>
}

export function createNames(options: {
  config: Pick<Config, 'dns' | 'domain' | 'gateway' | 'listen' | 'tls'>
  registry: Pick<Registry, 'lookupAnywhere' | 'version'>
  /** A route of the gateway has this host. */
  isHost(name: string): boolean
  machine: string | null
  /** How often it is looked for networks that came or went. */
  lookMs?: number
  clock: Clock
  log: Log
  signal: AbortSignal
}): Names {
  const { config, registry, clock, log, machine } = options
  const { dns, gateway, listen, tls, domain } = config
  const gatewayHost = gateway.host ?? listen.host
  const challenges = new Map<string, readonly string[]>()
  const problems: string[] = []
  const stop = new AbortController()
  let responder: Responder | null = null
  let saying: Promise<void> = Promise.resolve()

  let seen = { at: Number.NEGATIVE_INFINITY, interfaces: networkInterfaces() }
  const interfaces = () => {
    const at = clock.now().getTime()
    if (at - seen.at > LOOK_MS) seen = { at, interfaces: networkInterfaces() }
    return seen.interfaces
  }
  const isHere = (address: string) =>
    isLoopback(address) ||
    Object.values(interfaces()).some((all) => all?.some((one) => one.address === plain(address)))
  const askerOf = ({ from, at }: Way) => ({
    gateway: gatewayFor(from, at, gatewayHost, interfaces()),
    machine: isHere(from) ? machine : null,
  })

  /** As this machine has them now: another network brings others. */
  function resolversNow(): string[] {
    const own = new Set(hosts().map((host) => `${host} ${dns.port}`))
    const given = dns.forward.length > 0 ? dns.forward : new Resolver().getServers()
    return given.filter((text) => {
      const it = parseResolver(text)
      // Asked by ourselves we would ask ourselves.
      return it !== null && !own.has(`${it.host} ${it.port}`)
    })
  }
  const rates = createRates(clock)
  let known = { resolvers: '', answerer: answererWith([]) }
  function lookForResolvers() {
    const resolvers = resolversNow()
    const text = resolvers.join(' ')
    if (known.resolvers !== text) known = { resolvers: text, answerer: answererWith(resolvers) }
  }
  function answererWith(resolvers: string[]) {
    return createAnswerer({
      zone: {
        domain,
        serial: registry.version,
        service: registry.lookupAnywhere,
        isHost: options.isHost,
        gatewayPort: tls.enabled ? (gateway.publicHttpsPort ?? gateway.httpsPort) : gateway.httpPort,
        challenges: (name) => challenges.get(name) ?? [],
      },
      askerOf,
      isNear: (address) => isNeighbour(plain(address), lanInterfaces(interfaces())),
      forwarder: createForwarder({ clock, resolvers }),
      rates,
    })
  }
  /** Never all addresses: each of this network by itself, so that answers come from where was asked. */
  function hosts(): string[] {
    const host = dns.host ?? listen.host
    if (host === 'localhost') return ['127.0.0.1']
    if (!isEverywhere(host)) return [host]
    return Object.values(lanInterfaces(interfaces())).flatMap((all) => all.map((one) => one.address))
  }

  const places = createPlaces({
    hosts() {
      lookForResolvers()
      return hosts()
    },
    serverAt: (host) =>
      createDnsServer({
        host,
        port: dns.port,
        answerer: {
          now: (...asked) => known.answerer.now(...asked),
          elsewhere: (...asked) => known.answerer.elsewhere(...asked),
        },
        log,
      }),
    clock,
    log,
  })

  return {
    async listen() {
      if (dns.enabled) {
        await places.settle()
        void places.keep(options.lookMs ?? LOOK_MS, AbortSignal.any([options.signal, stop.signal]))
      }
      if (!tls.enabled || isLoopback(listen.host) || listen.host === 'localhost') return
      const said = { port: listen.port, secure: true, title: 'Kalnet' }
      responder = createResponder({ said, clock, log })
      saying = responder.run(options.signal).catch((error: unknown) => {
        if (options.signal.aborted) return
        const problem = error instanceof Error ? error.message : String(error)
        problems.push(`This house cannot say its name on the local network: ${problem}.`)
        log.warn({ problem }, 'this house cannot say its name on the local network')
      })
    },
    addresses: places.addresses,
    problems: () => [...places.problems(), ...problems],
    localName: () => responder?.name() ?? null,
    setChallenge(name, values) {
      const key = name.toLowerCase().replace(/\.$/, '')
      if (values.length === 0) challenges.delete(key)
      else challenges.set(key, values)
    },
    async close() {
      stop.abort(new Error('stopping'))
      await places.close()
      await saying
    },
  }
}
