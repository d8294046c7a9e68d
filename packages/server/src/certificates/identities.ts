/** Who a service is, for other services: a certificate for a day, with a key of its own that is made here, sent once and kept nowhere. */
import { createSecureContext, type SecureContext } from 'node:tls'
import type { DesiredInstance } from '@kalnet/contracts/instance'
import type { Clock } from '@kalnet/io/clock'
import type { Secrets } from '../core/secrets.ts'
import type { Store } from '../core/store.ts'
import { issue } from '../core/x509.ts'
import { createServiceAuthorities } from './service-authority.ts'
import { statements } from './store.ts'

const LIFE_HOURS = 24
/** Machines of one home agree about the time; an hour back is for those that just woke up. */
const BACK_HOURS = 1
const IDENTITY_RENEW_MS = (LIFE_HOURS * 3_600_000) / 2
/** No service can be called so: names begin with a letter or digit. */
const GATEWAY = '_gateway'

export interface Identity {
  certificate: string
  key: string
  authority: string
  /** When the next one is due, in ms since the epoch. */
  renewAt: number
}
/** For the gateway towards services that ask for a certificate (`upstreamTls: mutual`). */
export interface UpstreamTls {
  context: SecureContext
  /** PEM, whom to believe. */
  authority: string
  /** What the certificate of a service of ours is made out to. */
  serverNameOf(service: string): string
}

export interface IdentitiesOptions {
  store: Store
  secrets: Secrets
  clock: Clock
  domain: string
}

const labelOf = (name: string) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)

export function createIdentities({ store, secrets, clock, domain }: IdentitiesOptions) {
  const authorities = createServiceAuthorities({ store, secrets, clock })
  const gateways = new Map<string, { until: number; tls: Promise<UpstreamTls> }>()

  async function give(organisationId: string, name: string, dns: string[]): Promise<Identity> {
    const { signer, bundle } = await authorities(organisationId)
    const uri = `spiffe://${domain}/${organisationId}/${name}`
    const made = await issue(signer, {
      title: name,
      names: [uri, ...dns],
      now: clock.now().getTime(),
      hours: LIFE_HOURS,
      backHours: BACK_HOURS,
      client: true,
    })
    const renewAt = clock.now().getTime() + IDENTITY_RENEW_MS
    return { certificate: made.certificate, key: made.key, authority: bundle, renewAt }
  }

  return {
    /** For an instance whose spec asks for one; null: it does not, or belongs to no service. */
    async identityFor(
      instance: Pick<DesiredInstance, 'id' | 'organisationId' | 'spec' | 'state'>,
    ): Promise<Identity | null> {
      if (!instance.spec.identity || instance.state !== 'running') return null
      const { id, organisationId } = instance
      const row = (await store.as(organisationId).read((tx) => statements.subject({ id }).execute(tx)))
        .rows[0]
      if (!row) return null
      // Its own name first; then those by which its neighbours reach it.
      const names = [row.name, row.part, ...row.called].filter(labelOf)
      return give(organisationId, row.name, [`${row.name}.${domain}`, ...new Set(names)])
    },
    /** For a gateway of its own: a key of its own, made here and kept nowhere. */
    gatewayOf: (organisationId: string) => give(organisationId, GATEWAY, []),
    upstreamFor(organisationId: string): Promise<UpstreamTls> {
      const now = clock.now().getTime()
      const found = gateways.get(organisationId)
      if (found && found.until > now) return found.tls
      const tls = give(organisationId, GATEWAY, []).then(({ certificate, key, authority }) => ({
        context: createSecureContext({ cert: certificate, key, ca: authority }),
        authority,
        serverNameOf: (service: string) => `${service}.${domain}`,
      }))
      gateways.set(organisationId, { until: now + IDENTITY_RENEW_MS, tls })
      tls.catch(() => gateways.delete(organisationId))
      return tls
    },
  }
}
