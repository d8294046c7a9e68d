/**
 * Where every service is now, answered from memory that follows the outbox.
 *
 * Promises to whoever builds on it (the gateway's snapshot, HTTP and DNS lookups):
 * - after `ready` it holds everything that was committed before; a change committed later is seen within 50 ms of its event
 *   (`service.changed`, `service.removed`, `controller.changed`): rows are read again, so that what is heard twice or late does no harm;
 * - when events were missed everything is read again; while the database is away it answers what it knew;
 * - every answer is immutable and its own: what changes is replaced, so that it may be kept and compared by identity;
 * - `endpoints` has every port of every running instance of the service's first part and of its registrations, usable ones first
 *   (`isUsable`): `direct` only where it is known whose network the address belongs to, `tunnel` only while its controller is connected.
 */
import type { Endpoint } from '@kalnet/contracts/gateway'
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Events, Heard } from '../core/events.ts'
import type { Store } from '../core/store.ts'
import { createMemory, type RegisteredService } from './memory.ts'
import { statements } from './store.ts'

export { isUsable, type RegisteredService } from './memory.ts'

/** Ids of services that changed or are gone; null: everything may have. */
export type Changed = ReadonlySet<string> | null
export interface Registry {
  /** Everything was read once. */
  ready: Promise<void>
  service(id: string): RegisteredService | undefined
  lookup(organisationId: string, name: string): RegisteredService | undefined
  /** For DNS, which knows no organisation: of several that use the name, the first. */
  lookupAnywhere(name: string): RegisteredService | undefined
  tagged(organisationId: string, tag: string): RegisteredService[]
  capable(organisationId: string, capability: string): RegisteredService[]
  /** Empty for an unknown service. */
  endpoints(serviceId: string): readonly Endpoint[]
  all(): Iterable<RegisteredService>
  /** Grows with every change; not comparable between processes. */
  version(): number
  /** Called after the change is visible here. What it answers ends it. */
  onChange(listener: (changed: Changed) => void): () => void
}

const TYPES = ['service.changed', 'service.removed', 'controller.changed', 'controller.removed'] as const

export function createRegistry(options: {
  store: Store
  events: Events
  clock: Clock
  log: Log
  signal: AbortSignal
}): Registry {
  const { store, events, clock, log, signal } = options
  const memory = createMemory()
  const listeners = new Set<(changed: Changed) => void>()
  let version = 0

  function tell(changed: Changed) {
    version += 1
    for (const listener of listeners) listener(changed)
  }
  async function read(ids: string[] | null) {
    const now = clock.now().toISOString()
    const rows = await store.system.read(async (tx) => ({
      services: (await statements.services({ ids }).execute(tx)).rows,
      instances: (await statements.instances({ ids }).execute(tx)).rows,
      registrations: (await statements.registrations({ ids, now }).execute(tx)).rows,
    }))
    memory.apply(rows, ids)
    tell(ids === null ? null : new Set(ids))
  }
  /** The database may be away: what is known stays true until it is back. */
  async function patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        signal.throwIfAborted()
        log.warn(
          { problem: error instanceof Error ? error.message : String(error) },
          'the registry waits for the database',
        )
        await clock.sleep(backoff(attempt, 100, 2_000), signal)
      }
    }
  }

  // What is heard while rows are being read is read in the next go, together.
  let everything = false
  const dirty = new Set<string>()
  let reading = false
  async function readDirty() {
    if (reading) return
    reading = true
    try {
      while ((everything || dirty.size > 0) && !signal.aborted) {
        const ids = everything ? null : [...dirty]
        everything = false
        dirty.clear()
        await patiently(() => read(ids))
      }
    } finally {
      reading = false
    }
  }
  const wake = () => {
    readDirty().catch((error: unknown) => {
      if (!signal.aborted) log.error({ error }, 'the registry stopped following')
    })
  }
  function hear(heard: Heard) {
    if (heard.kind === 'gap') everything = true
    else {
      const { type, data } = heard.event
      if (!('id' in data)) return
      if (type.startsWith('service.')) dirty.add(data.id)
      else for (const id of memory.on(data.id)) dirty.add(id)
    }
    wake()
  }

  async function follow() {
    // The cursor first: what is committed while everything is read is heard afterwards.
    const after = await patiently(() => events.cursor())
    await patiently(() => read(null))
    became()
    for await (const heard of events.subscribe({ types: [...TYPES], after, signal })) hear(heard)
  }
  let became: () => void = () => undefined
  const ready = new Promise<void>((resolve, reject) => {
    became = resolve
    follow().catch((error: unknown) => {
      if (!signal.aborted) log.error({ error }, 'the registry stopped following')
      reject(error)
    })
  })
  // Whoever does not wait for it is not to be ended by it.
  ready.catch(() => undefined)

  return {
    ready,
    service: memory.get,
    lookup: memory.named,
    lookupAnywhere: memory.namedAnywhere,
    tagged: memory.tagged,
    capable: memory.capable,
    endpoints: (serviceId) => memory.get(serviceId)?.endpoints ?? [],
    all: memory.all,
    version: () => version,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
