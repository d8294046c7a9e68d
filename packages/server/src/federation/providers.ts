/** The providers of an organisation: what stewards add, change, look at and remove. */
import { fail } from '@kalnet/contracts/errors'
import type {
  ChangeProvider,
  NewProvider,
  Provider,
  ProviderCheck,
  SamlFacts,
} from '@kalnet/contracts/federation'
import type { Actor } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Outbound } from '@kalnet/io/outbound'
import { v7 as newId } from 'uuid'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import { checkOpenId, checkSaml } from './checks.ts'
import { problemOf } from './openid/configuration.ts'
import { factsOf, readMetadata, type SamlIdentity } from './saml/metadata.ts'
import type { OurAddresses } from './saml/saml.ts'
import { type OpenIdRow, type ProviderRow, type SamlRow, statements } from './store.ts'

export interface ProvidersOptions {
  store: Store
  secrets: Secrets
  clock: Clock
  outbound: Outbound
  address(): string
  /** Its sign-ins are over. */
  ended(tx: Tx, providerId: string): Promise<void>
  forget(providerId: string): void
}
type Looked = { check: ProviderCheck; saml: SamlFacts | null }
type Metadata = { xml?: string; url?: string }
export interface Providers {
  list(
    organisationId: string,
    page: { after?: string; limit: number },
  ): Promise<{ items: Provider[]; next: string | null }>
  read(organisationId: string, id: string): Promise<Provider>
  look(
    what: { kind: 'openid'; issuer: string } | { kind: 'saml'; metadata: Metadata },
    signal: AbortSignal,
  ): Promise<Looked>
  add(organisationId: string, given: NewProvider, signal: AbortSignal): Promise<Provider>
  change(
    actor: Pick<Actor, 'organisationId' | 'role'>,
    id: string,
    change: ChangeProvider,
    signal: AbortSignal,
  ): Promise<Provider>
  remove(organisationId: string, id: string): Promise<void>
  test(organisationId: string, id: string, signal: AbortSignal): Promise<ProviderCheck>
  /** One that may be used now, of whatever organisation; with its secret. */
  usable(id: string): Promise<ProviderRow>
  /** One that is there, on or off. */
  known(id: string): Promise<ProviderRow>
  /** Throws unless it is this organisation's. */
  within(organisationId: string, id: string): Promise<void>
  secretOf(provider: ProviderRow): Promise<string | null>
  ours(id: string): OurAddresses & { callbackUrl: string; backchannelLogoutUrl: string }
}

const secretName = (id: string) => `provider.${id}`
const UUID = /^[0-9a-f-]{36}$/
const unknown = () => fail('thing.unknown', { kind: 'identity provider' })

export function createProviders(options: ProvidersOptions): Providers {
  const { store, secrets, clock, outbound } = options
  const ours = (id: string) => {
    const base = `${options.address().replace(/\/$/, '')}/api/sign-in/providers/${id}`
    return {
      callbackUrl: `${base}/callback`,
      backchannelLogoutUrl: `${base}/logout`,
      metadataUrl: `${base}/metadata`,
      acsUrl: `${base}/acs`,
    }
  }
  const find = async (tx: Tx, id: string) => {
    const row = (await statements.provider({ id }).execute(tx)).rows[0]
    if (!row) throw unknown()
    return row
  }
  async function shape(tx: Tx, row: ProviderRow & { people: number }): Promise<Provider> {
    const addresses = ours(row.id)
    const common = {
      id: row.id,
      name: row.name,
      icon: row.icon,
      enabled: row.enabled,
      rules: row.rules,
      defaultRole: row.default_role,
      createsPeople: row.creates_people,
      secondFactor: row.second_factor,
      people: row.people,
      createdAt: row.created_at,
    }
    if (row.kind === 'openid') {
      const { callbackUrl, backchannelLogoutUrl } = addresses
      const hasSecret = (await secrets.get(tx, row.organisation_id, secretName(row.id))) !== null
      return { kind: 'openid', ...common, ...row.settings, hasSecret, callbackUrl, backchannelLogoutUrl }
    }
    const { metadataUrl, groupsAttribute, emailAttribute } = row.settings
    return {
      kind: 'saml',
      ...common,
      ...factsOf(row.settings, clock.now()),
      metadataUrl,
      groupsAttribute,
      emailAttribute,
      ourMetadataUrl: addresses.metadataUrl,
      acsUrl: addresses.acsUrl,
    }
  }
  /** Outside of any transaction: it may have to be fetched. */
  async function metadataOf(
    { xml, url }: Metadata,
    signal: AbortSignal,
  ): Promise<SamlIdentity & { metadataUrl: string | null }> {
    if (xml !== undefined) return { ...(await readMetadata(xml)), metadataUrl: null }
    const answer = await outbound.ask(url ?? '', { signal, maxBytes: 512 * 1024 }).catch((error: unknown) => {
      throw fail('provider.unreachable', { problem: problemOf(error) }, error)
    })
    if (answer.status !== 200) throw fail('provider.unreachable', { problem: `it answered ${answer.status}` })
    return { ...(await readMetadata(answer.body.toString('utf8'))), metadataUrl: url ?? null }
  }
  async function assertGroups(tx: Tx, organisationId: string, rules: ProviderRow['rules']) {
    const ids = [...new Set(rules.flatMap((rule) => rule.groupId ?? []))]
    if (ids.length === 0) return
    const { rows } = await statements.groups({ ids, organisationId }).execute(tx)
    if (rows.length !== ids.length) throw fail('thing.unknown', { kind: 'group' })
  }
  const fieldsOf = (
    row: Pick<ProviderRow, 'name' | 'icon' | 'enabled' | 'settings' | 'rules'> & {
      default_role: string
      creates_people: boolean
      second_factor: unknown
    },
  ) => ({
    name: row.name,
    icon: row.icon,
    enabled: row.enabled,
    settings: JSON.stringify(row.settings),
    rules: JSON.stringify(row.rules),
    defaultRole: row.default_role,
    createsPeople: row.creates_people,
    secondFactor: JSON.stringify(row.second_factor),
    at: stamp(clock),
  })

  return {
    ours,
    async list(organisationId, { after, limit }) {
      return store.as(organisationId).read(async (tx) => {
        const from = after !== undefined && UUID.test(after) ? after : null
        const { rows } = await statements.providers({ after: from, limit: limit + 1 }).execute(tx)
        const items = await Promise.all(rows.slice(0, limit).map((row) => shape(tx, row)))
        return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
      })
    },
    read: (organisationId, id) => store.as(organisationId).read(async (tx) => shape(tx, await find(tx, id))),
    async look(what, signal) {
      if (what.kind === 'openid') return { check: await checkOpenId(outbound, what.issuer), saml: null }
      const saml = factsOf(await metadataOf(what.metadata, signal), clock.now())
      return { check: checkSaml(saml), saml }
    },
    async add(organisationId, given, signal) {
      const id = newId()
      const secret = given.kind === 'openid' ? given.clientSecret : undefined
      const settings =
        given.kind === 'openid'
          ? {
              issuer: given.issuer,
              clientId: given.clientId,
              scopes: given.scopes,
              groupsClaim: given.groupsClaim,
            }
          : {
              ...(await metadataOf(given.metadata, signal)),
              groupsAttribute: given.groupsAttribute,
              emailAttribute: given.emailAttribute,
            }
      return store.as(organisationId).transaction(async (tx) => {
        await assertGroups(tx, organisationId, given.rules)
        const row = {
          ...given,
          settings,
          default_role: given.defaultRole,
          creates_people: given.createsPeople,
          second_factor: given.secondFactor,
        }
        await statements.addProvider({ ...fieldsOf(row), id, organisationId, kind: given.kind }).execute(tx)
        if (secret !== undefined) await secrets.put(tx, organisationId, secretName(id), secret)
        return shape(tx, await find(tx, id))
      })
    },
    async change({ organisationId, role }, id, change, signal) {
      const metadata = change.metadata ? await metadataOf(change.metadata, signal) : null
      const after = await store.as(organisationId).transaction(async (tx) => {
        const row = await find(tx, id)
        const openIdOnly = change.clientId ?? change.clientSecret ?? change.scopes ?? change.groupsClaim
        const samlOnly = metadata ?? change.groupsAttribute ?? change.emailAttribute
        if (
          (row.kind === 'openid' ? samlOnly : openIdOnly) !== undefined &&
          (row.kind === 'openid' ? samlOnly : openIdOnly) !== null
        )
          throw fail('request.invalid', { problem: `body: that is not a setting of ${row.kind}` })
        const given = Object.fromEntries(
          Object.entries({
            clientId: change.clientId,
            scopes: change.scopes,
            groupsClaim: change.groupsClaim,
            groupsAttribute: change.groupsAttribute,
            emailAttribute: change.emailAttribute,
            ...metadata,
          }).filter(([, value]) => value !== undefined),
        )
        // New keys vouch for everybody who is linked by it: nobody may make them for somebody above.
        if (metadata && role !== 'owner' && (await statements.holdsOwner({ id }).execute(tx)).rows[0]?.holds)
          throw fail('permission.denied')
        // A group that was removed meanwhile hinders no other change.
        const before = new Set(row.rules.flatMap((rule) => rule.groupId ?? []))
        const fresh = change.rules?.filter((rule) => rule.groupId && !before.has(rule.groupId)) ?? []
        await assertGroups(tx, organisationId, fresh)
        const changed = {
          name: change.name ?? row.name,
          icon: change.icon ?? row.icon,
          enabled: change.enabled ?? row.enabled,
          settings: { ...row.settings, ...given } as ProviderRow['settings'],
          rules: change.rules ?? row.rules,
          default_role: change.defaultRole ?? row.default_role,
          creates_people: change.createsPeople ?? row.creates_people,
          second_factor: change.secondFactor ?? row.second_factor,
        }
        await statements.changeProvider({ ...fieldsOf(changed), id }).execute(tx)
        if (change.clientSecret !== undefined)
          await secrets.put(tx, organisationId, secretName(id), change.clientSecret)
        if (row.enabled && !changed.enabled) await options.ended(tx, id)
        return shape(tx, await find(tx, id))
      })
      options.forget(id)
      return after
    },
    async remove(organisationId, id) {
      await store.as(organisationId).transaction(async (tx) => {
        await find(tx, id)
        await options.ended(tx, id)
        await secrets.drop(tx, organisationId, secretName(id))
        await statements.removeProvider({ id }).execute(tx)
      })
      options.forget(id)
    },
    async test(organisationId, id, signal) {
      const row = await store.as(organisationId).read((tx) => find(tx, id))
      options.forget(id)
      if (row.kind === 'openid') return checkOpenId(outbound, row.settings.issuer)
      const { metadataUrl } = row.settings
      const fresh = metadataUrl ? await metadataOf({ url: metadataUrl }, signal).catch(() => null) : undefined
      return checkSaml(factsOf(row.settings, clock.now()), fresh)
    },
    known: (id) => store.system.read((tx) => find(tx, id)),
    async usable(id) {
      const row = await store.system.read((tx) => find(tx, id))
      if (!row.enabled) throw unknown()
      return row
    },
    async within(organisationId, id) {
      await store.as(organisationId).read((tx) => find(tx, id))
    },
    secretOf: (provider) =>
      store
        .as(provider.organisation_id)
        .read((tx) => secrets.get(tx, provider.organisation_id, secretName(provider.id))),
  }
}

export const isOpenId = (row: ProviderRow): row is OpenIdRow => row.kind === 'openid'
export const isSaml = (row: ProviderRow): row is SamlRow => row.kind === 'saml'
