/** What oidc-provider keeps, in our database: ids only as hashes, and nothing outlives the sign-in it hangs on. */
import { createHash } from 'node:crypto'
import type { Clock } from '@kalnet/io/clock'
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import { aside, type Store, type Tx } from '../core/store.ts'
import { type AppRow, type RecordRow, statements } from './store.ts'

export const hashed = (text: string) => createHash('sha256').update(text).digest('hex')

/** How the provider sees an app. Its `client_secret` is a hash: comparing is ours (provider.ts). */
export const clientOf = (row: AppRow): AdapterPayload => ({
  client_id: row.client_id,
  client_name: row.name,
  application_type: 'web',
  token_endpoint_auth_method: row.kind === 'public' ? 'none' : 'client_secret_basic',
  ...(row.secret_hash ? { client_secret: row.secret_hash } : {}),
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: row.redirect_uris,
  post_logout_redirect_uris: row.leave_uris,
  ...(row.logout_uri
    ? { backchannel_logout_uri: row.logout_uri, backchannel_logout_session_required: true }
    : {}),
})

const text = (value: unknown) => (typeof value === 'string' ? value : null)

/** The ids of the grants that a payload stands on. */
function grantsIn(payload: AdapterPayload): string[] {
  const own = text(payload.grantId)
  const listed = Object.values(payload.authorizations ?? {}).map((it) => text(it.grantId))
  return [own, ...listed].filter((it) => it !== null)
}

/** Its own id is a secret that a browser or an app keeps: the row has the hash alone, in the key and inside. */
function stored(id: string, { jti: _, ...payload }: AdapterPayload) {
  const { session, returnTo } = payload
  return {
    ...payload,
    ...(session ? { session: { ...session, cookie: undefined } } : {}),
    ...(returnTo ? { returnTo: returnTo.replace(id, UID) } : {}),
  }
}
const UID = '{uid}'

export function createAdapters({ store, clock }: { store: Store; clock: Clock }) {
  const now = () => clock.now().toISOString()
  const { system } = store
  /** Book-keeping of the protocol: what a call changes, and its audit row, are written by the call. */
  const keep = <T>(work: (tx: Tx) => Promise<T>) => aside(() => system.transaction(work))
  const opened = (row: RecordRow | undefined, id: string): AdapterPayload | undefined =>
    row && {
      ...row.payload,
      ...(row.consumed_at ? { consumed: Math.floor(Date.parse(row.consumed_at) / 1000) } : {}),
      ...(typeof row.payload.returnTo === 'string'
        ? { returnTo: row.payload.returnTo.replace(UID, id) }
        : {}),
      jti: id,
    }

  const clients: Adapter = {
    async find(clientId) {
      const row = (await system.read((tx) => statements.appOfClient({ clientId }).execute(tx))).rows[0]
      return row && clientOf(row)
    },
    upsert: async () => undefined,
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async () => undefined,
    destroy: async () => undefined,
    revokeByGrantId: async () => undefined,
  }

  const records = (kind: string): Adapter => ({
    async upsert(id, payload, expiresIn) {
      const grants = grantsIn(payload).map(hashed)
      await keep((tx) =>
        statements
          .putRecord({
            kind,
            id: hashed(id),
            payload: JSON.stringify(stored(id, payload)),
            userId: kind === 'Interaction' ? null : text(payload.accountId),
            clientId: text(payload.clientId) ?? text(payload.params?.client_id),
            grantId: kind === 'Session' ? null : (grants[0] ?? null),
            grants,
            uid: kind === 'Session' ? hashed(payload.uid ?? '') : null,
            expiresAt: new Date(clock.now().getTime() + (expiresIn ?? 600) * 1000).toISOString(),
          })
          .execute(tx),
      )
    },
    async find(id) {
      const { rows } = await system.read((tx) =>
        statements.findRecord({ kind, id: hashed(id), now: now() }).execute(tx),
      )
      return opened(rows[0], id)
    },
    async findByUid(uid) {
      // Only for asking whether it is there: its own id stays unknown.
      const { rows } = await system.read((tx) =>
        statements.findRecordByUid({ kind, uid: hashed(uid), now: now() }).execute(tx),
      )
      return opened(rows[0], '')
    },
    findByUserCode: async () => undefined,
    async consume(id) {
      const used = { kind, id: hashed(id), at: now() }
      const first = await keep(async (tx) => {
        if ((await statements.consumeRecord(used).execute(tx)).rows[0]) return true
        // Two at the same moment: one of them is not whom we gave it to. Everything of this grant ends.
        await statements.dropGrantOf(used).execute(tx)
        return false
      })
      if (!first) throw new errors.InvalidGrant('already used')
    },
    async destroy(id) {
      await keep((tx) => statements.dropRecord({ kind, id: hashed(id) }).execute(tx))
    },
    async revokeByGrantId(grantId) {
      await keep((tx) => statements.dropGrant({ kind, grantId: hashed(grantId) }).execute(tx))
    },
  })
  return (kind: string): Adapter => (kind === 'Client' ? clients : records(kind))
}
