/** Which certificate a name is served with: an own one before one of ACME before the local authority; for names of ours only. */
import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { ServedHost } from '@kalnet/contracts/certificate'
import { isGlobal } from '@kalnet/io/addresses'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Secrets } from '../core/secrets.ts'
import type { Store } from '../core/store.ts'
import type { Local, Pem } from './local.ts'
import { type CertificateRow, statements } from './store.ts'

export const secretOf = (id: string) => `certificate ${id}`
const NAME = /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$/

/** For how long it is believed that a name leads somewhere, and that it leads nowhere. */
const KNOWN_MS = 1_000
const UNKNOWN_MS = 50

/** A host that a route leads from; null: it belongs to the installation itself. */
export interface Host {
  host: string
  organisationId: string | null
}

export interface ServingOptions {
  store: Store
  secrets: Secrets
  clock: Clock
  log: Log
  domain: string
  /** What is served now, from the gateway's own routes; asked often. */
  hosts(): Iterable<Host>
  local: Local
  /** For clients that name nobody, and for the names it is made out to. */
  standard: {
    context: SecureContext
    covers(name: string): boolean
    names: string[]
    notAfter: string
  } | null
}

/** Every name it could be made out to: itself, and a star for the first part. */
const patternsOf = (name: string) => [name, `*.${name.slice(name.indexOf('.') + 1)}`]
const better = (one: CertificateRow, other: CertificateRow, name: string): number =>
  Number(other.source === 'own') - Number(one.source === 'own') ||
  Number(other.names.includes(name)) - Number(one.names.includes(name)) ||
  Date.parse(other.not_after ?? '') - Date.parse(one.not_after ?? '')

export function createServing(options: ServingOptions) {
  const { store, secrets, clock, log, domain, local, standard } = options
  const contexts = new Map<string, { fingerprint: string; context: SecureContext }>()
  let byName = new Map<string, CertificateRow[]>()
  let first: string | null = null
  let loaded: Promise<void> | null = null
  let reads = 0

  /** Reads all that may be served; what cannot be opened is left out and said, because the rest must go on. */
  async function read(): Promise<void> {
    const rows = await store.system.read(async (tx) => {
      first = (await statements.firstOrganisation().execute(tx)).rows[0]?.id ?? null
      const found = (await statements.served({ now: stamp(clock) }).execute(tx)).rows
      for (const row of found) {
        if (contexts.get(row.id)?.fingerprint === row.fingerprint) continue
        try {
          const key = await secrets.get(tx, row.organisation_id, secretOf(row.id))
          if (key === null || row.chain === null || row.fingerprint === null) throw new Error('it has no key')
          const context = createSecureContext({ cert: row.chain, key })
          contexts.set(row.id, { fingerprint: row.fingerprint, context })
        } catch (error) {
          log.error({ error, certificateId: row.id }, 'a certificate cannot be served')
        }
      }
      return found
    })
    const next = new Map<string, CertificateRow[]>()
    for (const row of rows)
      if (contexts.has(row.id)) for (const name of row.names) next.set(name, [...(next.get(name) ?? []), row])
    for (const id of contexts.keys()) if (!rows.some((row) => row.id === id)) contexts.delete(id)
    byName = next
    reads += 1
  }
  const whenRead = async () => {
    loaded ??= read()
    // A database that is away must not close the door: the local authority needs none.
    await loaded.catch(() => {
      loaded = null
    })
  }

  /**
   * One organisation's certificate is never shown for another's name; but the first organisation runs the installation and has the
   * domain, so its certificates may serve everybody.
   */
  const best = (name: string, owner: string | null | undefined): CertificateRow | undefined => {
    const now = clock.now().getTime()
    return patternsOf(name)
      .flatMap((pattern) => byName.get(pattern) ?? [])
      .filter((row) => row.organisation_id === owner || row.organisation_id === first)
      .filter((row) => Date.parse(row.not_after ?? '') > now)
      .sort(
        (one, other) =>
          Number(other.organisation_id === owner) - Number(one.organisation_id === owner) ||
          better(one, other, name),
      )[0]
  }
  /** Thousands of routes are gone through once in a while, not at each handshake; what is not found is looked for anew. */
  let index = { at: Number.NEGATIVE_INFINITY, byHost: new Map<string, Host>() }
  const indexed = (name: string) =>
    patternsOf(name)
      .map((pattern) => index.byHost.get(pattern))
      .find(Boolean)
  const hostOf = (name: string): Host | undefined => {
    const now = clock.now().getTime()
    const age = Math.abs(now - index.at)
    const found = indexed(name)
    if (age < (found ? KNOWN_MS : UNKNOWN_MS)) return found
    index = { at: now, byHost: new Map([...options.hosts()].map((it) => [it.host, it])) }
    return indexed(name)
  }
  return {
    /** Reads anew; callers at the same moment share it. */
    refresh: () => {
      loaded = read()
      return loaded
    },
    async contextFor(asked: string | null | undefined): Promise<SecureContext | null> {
      const name = (asked ?? '').toLowerCase().replace(/\.$/, '')
      if (name === '') return standard?.context ?? null
      if (name.length > 253 || !NAME.test(name)) return null
      await whenRead()
      const host = hostOf(name)
      const row = best(name, host?.organisationId)
      const context = row && contexts.get(row.id)?.context
      if (context) return context
      if (standard?.covers(name)) return standard.context
      if (host) return local.contextFor([host.host])
      if (name === domain) return local.contextFor([domain])
      return null
    },
    /** The first organisation runs the installation: the names of the dashboard are its. */
    async runsInstallation(organisationId: string): Promise<boolean> {
      await whenRead()
      if (first === null) await read()
      return organisationId === first
    },
    /** Another one when what is served may have changed. */
    generation: () => reads,
    /**
     * With its key, for a gateway of its own of this organisation; null: not for it. Only certificates of its own are given away, so no
     * organisation gets the key of another's star; and never the control plane's own key. `ours`: the name is the installation's.
     */
    async pemFor(
      asked: string,
      organisationId: string,
      ours: (name: string) => boolean,
    ): Promise<Pem | null> {
      const name = asked.toLowerCase().replace(/\.$/, '')
      await whenRead()
      const runsIt = organisationId === first
      // For whoever comes by the address of the gateway itself; of a home, so that no key makes us vouch for the internet.
      if (name === '' || (isIP(name) !== 0 && !isGlobal(name)))
        return runsIt ? local.pemFor(name === '' ? [domain] : [domain, name]) : null
      if (name.length > 253 || !NAME.test(name)) return null
      const host = hostOf(name)
      const own = runsIt && (name === domain || ours(name))
      if (!own && host?.organisationId !== organisationId) return null
      const row = best(name, organisationId)
      if (row?.organisation_id === organisationId && row.chain !== null && row.not_after !== null) {
        const key = await store
          .as(organisationId)
          .read((tx) => secrets.get(tx, organisationId, secretOf(row.id)))
        if (key !== null) return { chain: row.chain, key, end: row.not_after }
      }
      return local.pemFor([host?.host ?? name])
    },
    async list(organisationId: string): Promise<ServedHost[]> {
      // Who is first may have changed without a certificate changing.
      await read()
      const hosts = new Map([...options.hosts()].map((it) => [it.host, it.organisationId]))
      if (organisationId === first) {
        if (!hosts.has(domain)) hosts.set(domain, null)
        for (const name of standard?.names ?? []) if (!hosts.has(name)) hosts.set(name, null)
      }
      return [...hosts]
        .filter(([, owner]) => owner === organisationId || (owner === null && organisationId === first))
        .map(([host, owner]) => {
          const row = best(host, owner)
          const notAfter = standard?.covers(host) ? standard.notAfter : local.endOf(host)
          return row
            ? { host, source: row.source, certificateId: row.id, notAfter: row.not_after }
            : { host, source: 'local' as const, certificateId: null, notAfter }
        })
        .sort((one, other) => one.host.localeCompare(other.host))
    },
  }
}
export type Serving = ReturnType<typeof createServing>
