/** What gateways serve from, kept in memory: routes as they are registered, endpoints as the registry knows them. Told whenever it changes. */
import type { Endpoint, GatewayRoute, Snapshot } from '@kalnet/contracts/gateway'
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Events } from '../core/events.ts'
import type { Registry } from '../registry/registry.ts'
import type { Register } from './register.ts'

export interface Snapshots {
  ready: Promise<void>
  now(): Snapshot
  /** Called once for all that changed together. */
  onChange(listener: (snapshot: Snapshot) => void): () => void
  /** Resolves with another one than `version`, at once if there is; with the present one after the time. */
  after(version: string, ms: number, signal: AbortSignal): Promise<Snapshot>
}
type Kept = GatewayRoute & { organisationId: string }

/**
 * An endpoint is in it when its release has the traffic, or is named by a canary of a route to it: what is only starting beside the
 * live release gets no request.
 */
export function endpointsFor(
  routes: readonly Kept[],
  registry: Pick<Registry, 'endpoints' | 'service'>,
): Endpoint[] {
  const wanted = new Map<string, Set<number>>()
  for (const { serviceId, policy } of routes) {
    const releases = wanted.get(serviceId) ?? new Set()
    for (const { release } of policy.canary) releases.add(release)
    wanted.set(serviceId, releases)
  }
  return [...wanted].flatMap(([serviceId, canary]) => {
    const live = registry.service(serviceId)?.release ?? null
    return registry
      .endpoints(serviceId)
      .filter(({ release }) => live === null || release === live || canary.has(release))
  })
}

/** A gateway of its own serves the household whose key it has. */
export function ofHousehold(whole: Snapshot, organisationId: string): Snapshot {
  const routes = whole.routes.filter((it) => it.organisationId === organisationId)
  const services = new Set(routes.map((it) => it.serviceId))
  return { ...whole, routes, endpoints: whole.endpoints.filter((it) => services.has(it.serviceId)) }
}

export function createSnapshots(options: {
  registry: Registry
  register: Pick<Register, 'all' | 'shape'>
  events: Events
  clock: Clock
  log: Log
  domain: string
  signal: AbortSignal
}): Snapshots {
  const { registry, register, events, clock, log, domain, signal } = options
  const routes = new Map<string, Kept>()
  const listeners = new Set<(snapshot: Snapshot) => void>()
  /** Another process counts anew: a version of the one before is never taken for ours. */
  const epoch = clock.now().getTime().toString(36)
  let count = 0
  let known: Snapshot | null = null
  let isTold = true

  function make(): Snapshot {
    const all = [...routes.values()]
    return { version: `${epoch}.${count}`, domain, routes: all, endpoints: endpointsFor(all, registry) }
  }
  function changed() {
    count += 1
    known = null
    if (!isTold) return
    isTold = false
    setImmediate(() => {
      isTold = true
      if (!signal.aborted) for (const listener of [...listeners]) listener(now())
    })
  }
  function now(): Snapshot {
    known ??= make()
    return known
  }
  async function readAll() {
    const rows = await register.all()
    routes.clear()
    for (const row of rows)
      routes.set(row.id, { ...register.shape(row), organisationId: row.organisation_id })
    changed()
  }
  async function patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        signal.throwIfAborted()
        log.warn(
          { problem: error instanceof Error ? error.message : String(error) },
          'the gateway waits for the database; it serves what it knew',
        )
        await clock.sleep(backoff(attempt, 100, 2_000), signal)
      }
    }
  }
  async function follow(became: () => void) {
    // The cursor first: what is committed while everything is read is heard afterwards.
    const after = await patiently(() => events.cursor())
    await registry.ready
    await patiently(readAll)
    registry.onChange(changed)
    became()
    const types = ['route.changed', 'route.removed'] as const
    for await (const heard of events.subscribe({ types: [...types], after, signal })) {
      if (heard.kind === 'gap') {
        await patiently(readAll)
        continue
      }
      const { data, organisationId } = heard.event
      if ('match' in data && organisationId) routes.set(data.id, { ...data, organisationId })
      else if ('id' in data) routes.delete(data.id)
      changed()
    }
  }
  const ready = new Promise<void>((resolve, reject) => {
    follow(resolve).catch((error: unknown) => {
      if (!signal.aborted) log.error({ error }, 'the gateway stopped following')
      reject(error)
    })
  })
  // Whoever does not wait for it is not to be ended by it.
  ready.catch(() => undefined)

  return {
    ready,
    now,
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async after(version, ms, asking) {
      if (now().version !== version) return now()
      const over = new AbortController()
      const stop = this.onChange(() => over.abort())
      const waiting = AbortSignal.any([asking, signal, over.signal])
      // Whichever ends it, the present one is the answer.
      await clock.sleep(ms, waiting).catch(() => undefined)
      stop()
      return now()
    },
  }
}
