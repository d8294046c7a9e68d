/** Certificates, put together: what names are served with, orders, the local authority, who services are, and who is told before one ends. */

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import type { Config } from '@kalnet/contracts/config'
import type { DesiredInstance } from '@kalnet/contracts/instance'
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import { createOutbound, type Outbound } from '@kalnet/io/outbound'
import type { Events } from '../core/events.ts'
import type { Handler } from '../core/http.ts'
import type { Mail } from '../core/mail.ts'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import { ensureAuthority } from '../core/tls.ts'
import { namesOf, readX509, type Signer } from '../core/x509.ts'
import { createAccount } from './acme/account.ts'
import { createChallenges, type DnsChallenge } from './acme/challenges.ts'
import { createWorker } from './acme/worker.ts'
import { createAlerts } from './alerts.ts'
import { createIdentities, type Identity, type UpstreamTls } from './identities.ts'
import { createKeeping } from './keeping.ts'
import { createLocal } from './local.ts'
import { routesOfCertificates } from './routes.ts'
import { createServing, type Host, type Serving } from './serving.ts'
import { shapeCertificate } from './shape.ts'
import { statements } from './store.ts'

export interface CertificatesOptions {
  config: Pick<Config, 'acme' | 'domain' | 'tls' | 'outbound' | 'publicUrl'>
  folders: Pick<Folders, 'config'>
  store: Store
  secrets: Secrets
  events: Events
  clock: Clock
  log: Log
  mail: Mail
  /** Hosts of routes, from the gateway's own snapshot: for these names certificates are made. Asked often. */
  hosts(): Iterable<Host>
  /** What the control plane itself serves https with: for clients that name nobody, and for the names it is made out to. */
  tls?: { key: string | Buffer; cert: string | Buffer } | undefined
  /** Tests: how a delegated `_acme-challenge` is found. */
  resolveCname?(name: string): Promise<string[]>
}

export interface Certificates {
  /** For the gateway's SNICallback; null: not a name of ours. No name: the standard one. */
  contextFor(serverName: string | null | undefined): Promise<SecureContext | null>
  /** HTTP-01: what stands at `/.well-known/acme-challenge/<token>` of this host; null: nothing. */
  challenge(host: string, token: string): string | null
  /** Whoever answers DNS shows these values as TXT; an empty list takes the name away. */
  setDnsChallenge(hook: DnsChallenge): void
  routes: Handler[]
  /** Orders, renewals, alerts, and what other servers changed; until the signal. */
  watch(signal: AbortSignal): void
  /** For the hub: the identity of an instance whose spec asks for one, else null. */
  identityFor(
    instance: Pick<DesiredInstance, 'id' | 'organisationId' | 'spec' | 'state'>,
  ): Promise<Identity | null>
  /** For the engine, `upstreamTls: mutual`: renewed by itself; ask at each connection. */
  upstreamFor(organisationId: string): Promise<UpstreamTls>
  /** What a gateway of its own is given for names of its organisation; nothing of it is kept or logged. */
  forGateways: {
    pemFor: Serving['pemFor']
    identity(organisationId: string): Promise<Identity>
    challenges(): { host: string; token: string; answer: string }[]
    generation(): number
    runsInstallation(organisationId: string): Promise<boolean>
  }
  close(): Promise<void>
}

function standardOf(tls: CertificatesOptions['tls']) {
  if (!tls) return null
  const leaf = new X509Certificate(tls.cert)
  return {
    context: createSecureContext({ cert: tls.cert, key: tls.key }),
    covers: (name: string) => leaf.checkHost(name) !== undefined,
    names: namesOf(readX509(leaf.toString())).filter((name) => !/^[\d.]+$|:/.test(name)),
    notAfter: leaf.validToDate.toISOString(),
  }
}

export function createCertificates(options: CertificatesOptions): Certificates {
  const { config, folders, store, secrets, events, clock, log, mail, hosts } = options
  const { directory, email, authorityFile } = config.acme
  const { domain } = config

  let authority: Promise<Signer> | null = null
  const localAuthority = (): Promise<Signer> => {
    authority ??= ensureAuthority(folders.config, clock).catch((error: unknown) => {
      authority = null
      throw error
    })
    return authority
  }

  /** Made at the first order: the root of a private authority is read then, and said to be missing then. */
  let way: Promise<Outbound> | null = null
  const outbound = (): Promise<Outbound> => {
    way ??= makeOutbound().catch((error: unknown) => {
      way = null
      throw error
    })
    return way
  }
  async function makeOutbound(): Promise<Outbound> {
    const own = authorityFile ? await readFile(authorityFile, 'utf8') : null
    return createOutbound({
      allow: config.outbound.allow,
      ...(own ? { ca: [...rootCertificates, own] } : {}),
    })
  }

  async function changed(tx: Tx, id: string): Promise<void> {
    const row = (await statements.byId({ id }).execute(tx)).rows[0]
    if (!row) return
    const where = { organisationId: row.organisation_id, userId: null }
    await events.publish(tx, 'certificate.changed', where, shapeCertificate(row, clock.now().getTime()))
  }

  const account = createAccount({ store, secrets, directory, email })
  const { resolveCname } = options
  const challenges = createChallenges({ store, ...(resolveCname ? { resolveCname } : {}) })
  const local = createLocal({ authority: localAuthority, clock })
  const standard = standardOf(options.tls)
  const serving = createServing({ store, secrets, clock, log, domain, hosts, local, standard })
  const worker = createWorker({ store, secrets, clock, log, outbound, account, challenges, changed })
  const alerts = createAlerts({ store, clock, log, mail, changed })
  const identities = createIdentities({ store, secrets, clock, domain })
  const keeping = createKeeping({
    store,
    secrets,
    events,
    clock,
    domain,
    hosts,
    account,
    challenges,
    outbound,
    wake: worker.wake,
    changed,
  })

  /** What anybody changed, here or on another server: what is served and shown follows. */
  async function follow(signal: AbortSignal): Promise<void> {
    const types = ['certificate.changed' as const, 'certificate.removed' as const]
    for (let attempt = 0; !signal.aborted; attempt++)
      try {
        const after = await events.cursor()
        await refresh()
        attempt = 0
        for await (const _ of events.subscribe({ types, after, signal })) {
          await refresh()
          worker.wake()
        }
      } catch (error) {
        if (signal.aborted) return
        log.warn({ error }, 'certificates wait for the database')
        await clock.sleep(backoff(attempt), signal).catch(() => undefined)
      }
  }
  const ending = new AbortController()
  let working: Promise<void> | null = null
  const refresh = async () => {
    await serving.refresh()
    await challenges.refresh()
  }

  return {
    contextFor: serving.contextFor,
    challenge: challenges.challenge,
    setDnsChallenge: challenges.setDns,
    routes: routesOfCertificates({
      keeping,
      serving,
      authority: async () => (config.tls.enabled ? localAuthority() : null),
      publicUrl: config.publicUrl,
    }),
    watch(signal) {
      // Wanting TLS is wanting an authority: people download it before the first handshake.
      if (config.tls.enabled)
        localAuthority().catch((error: unknown) => log.error({ error }, 'the local authority cannot be made'))
      void follow(signal)
      working = worker.run(AbortSignal.any([signal, ending.signal]))
      void alerts.run(signal)
    },
    identityFor: identities.identityFor,
    upstreamFor: identities.upstreamFor,
    forGateways: {
      pemFor: serving.pemFor,
      identity: identities.gatewayOf,
      challenges: challenges.answers,
      generation: serving.generation,
      runsInstallation: serving.runsInstallation,
    },
    async close() {
      ending.abort()
      // What it holds is given back while there is a database.
      await working
      await (await way?.catch(() => null))?.close()
    },
  }
}
