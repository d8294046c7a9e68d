/** Sessions at providers: asked again while they are used, and ended here when they end there. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Outbound } from '@kalnet/io/outbound'
import { v7 as newId } from 'uuid'
import type { RecordAudit } from '../core/http.ts'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import type { SignIns } from '../identity/sign-ins.ts'
import { type Accounts, tokensName } from './accounts.ts'
import { sha256 } from './flow-secret.ts'
import { readLogoutToken } from './openid/logout-token.ts'
import { Gone, type OpenId } from './openid/openid.ts'
import { isOpenId, type Providers } from './providers.ts'
import { type IdentityRow, type OpenIdRow, type SessionRow, statements } from './store.ts'
import { refuse, type Vouched } from './vouched.ts'

/** A session in use is asked about no more often than this. */
export const REFRESH_MS = 10 * 60_000
const LOOK_MS = 15_000
const AT_ONCE = 20
const TIDY_ROUNDS = 240
const IDLE_MS = 3600_000

export interface SessionsOptions {
  store: Store
  secrets: Secrets
  clock: Clock
  log: Log
  outbound: Outbound
  record: RecordAudit
  signIns: SignIns
  openId: OpenId
  accounts: Accounts
  providers: () => Providers
}
export interface ProviderSessions {
  /** Every sign-in that came by this provider. */
  endProvider(tx: Tx, providerId: string): Promise<void>
  /** Every sign-in by this account, but one, which goes on by itself. */
  endIdentity(tx: Tx, identityId: string, except: string | null): Promise<void>
  /** What the provider says: how many sign-ins ended. */
  signedOutThere(provider: OpenIdRow, token: string, signal: AbortSignal): Promise<number>
  /** Where to go to sign out there; null: it has no such address, or this sign-in is not its. */
  signOutLink(organisationId: string, signInId: string, back: string): Promise<string | null>
  /** Asks the providers of what is due. For tests: at once. */
  refreshDue(): Promise<number>
  tidy(): Promise<void>
  /** Until the signal. */
  follow(signal: AbortSignal): void
}

export function createProviderSessions(options: SessionsOptions): ProviderSessions {
  const { store, secrets, clock, log, outbound, signIns, openId, accounts } = options
  const moment = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()

  async function end(tx: Tx, rows: SessionRow[], except: string | null = null): Promise<number> {
    if (rows.length === 0) return 0
    const ids = rows.map((row) => row.id)
    const found = (await statements.signInsOf({ sessions: ids }).execute(tx)).rows.filter(
      (it) => it.id !== except,
    )
    for (const { id } of found) await signIns.end(tx, id)
    for (const row of rows) await secrets.drop(tx, row.organisation_id, tokensName(row.id))
    await statements.removeSessions({ ids }).execute(tx)
    return found.length
  }
  const tokensOf = async (tx: Tx, row: SessionRow): Promise<Vouched['tokens']> => {
    const sealed = await secrets.get(tx, row.organisation_id, tokensName(row.id))
    // Sealed by us, as `accounts` keeps it.
    return sealed ? (JSON.parse(sealed) as Vouched['tokens']) : null
  }

  /** Nobody asked for it here, so no request has a row of it. */
  const onRecord = (tx: Tx, identity: IdentityRow, action: string) =>
    options.record(
      tx,
      {
        id: newId(),
        organisationId: identity.organisation_id,
        at: moment(),
        actorKind: 'nobody',
        userId: identity.user_id,
        action,
        outcome: 'done',
        object: identity.provider_id,
        details: {},
        address: 'provider',
        requestId: newId(),
      },
      false,
    )

  async function refresh(row: SessionRow): Promise<void> {
    const provider = await options.providers().usable(row.provider_id)
    const tokens = await store.system.read((tx) => tokensOf(tx, row))
    const { rows } = await store.system.read((tx) => statements.identityOfSession({ id: row.id }).execute(tx))
    const identity: IdentityRow | undefined = rows[0]
    if (!isOpenId(provider) || !tokens?.refresh || !identity) return
    const secret = await options.providers().secretOf(provider)
    try {
      const vouched = await openId.refresh(provider, secret, tokens.refresh, identity.subject)
      await store.system.transaction(async (tx) => {
        if (await accounts.follow(tx, provider, vouched, identity))
          await onRecord(tx, identity, 'person.changed-elsewhere')
        const kept = {
          refresh: vouched.tokens?.refresh ?? tokens.refresh,
          idToken: vouched.tokens?.idToken || tokens.idToken,
        }
        await secrets.put(tx, row.organisation_id, tokensName(row.id), JSON.stringify(kept))
      })
    } catch (error) {
      if (!(error instanceof Gone)) throw error
      await store.system.transaction(async (tx) => {
        await end(tx, [row])
        await onRecord(tx, identity, 'user.signed-out-elsewhere')
      })
      log.info({ provider: provider.id }, 'the provider ended a sign-in')
    }
  }
  async function refreshDue(): Promise<number> {
    const due = { before: moment(-REFRESH_MS), now: moment(), limit: AT_ONCE }
    const asked = async (row: SessionRow) =>
      refresh(row).catch((error: unknown) => {
        // It cannot be asked now: what was true ten minutes ago stands until it can be.
        const problem = error instanceof Error ? error.message : String(error)
        log.warn({ provider: row.provider_id, problem }, 'cannot ask a provider about a sign-in now')
      })
    // What was taken is not due again: the rounds end.
    for (let count = 0; ; ) {
      const { rows } = await store.system.transaction((tx) => statements.takeDue(due).execute(tx))
      await Promise.all(rows.map(asked))
      count += rows.length
      if (rows.length < AT_ONCE) return count
    }
  }
  async function endDangling() {
    const { rows } = await store.system.read((tx) => statements.dangling().execute(tx))
    for (const { id } of rows) await store.system.transaction((tx) => signIns.end(tx, id))
  }
  async function tidy() {
    await store.system.transaction(async (tx) => {
      await statements.dropOldFlows({ now: moment() }).execute(tx)
      await statements.dropOldOnces({ now: moment() }).execute(tx)
      await statements.dropIdleSessions({ before: moment(-IDLE_MS) }).execute(tx)
      await statements.dropOrphans().execute(tx)
    })
  }

  return {
    refreshDue,
    tidy,
    async endProvider(tx, providerId) {
      for (const { id } of (await statements.signInsOfProvider({ providerId }).execute(tx)).rows)
        await signIns.end(tx, id)
    },
    async endIdentity(tx, identityId, except) {
      const { rows } = await statements.sessionsOfIdentity({ identityId }).execute(tx)
      if (except)
        await statements.detachSignIn({ id: except, sessions: rows.map((row) => row.id) }).execute(tx)
      await end(tx, rows, except)
    },
    async signedOutThere(provider, token, signal) {
      const config = await openId.configurations.of(provider, await options.providers().secretOf(provider))
      const now = clock.now().getTime()
      const said = await readLogoutToken({ token, config, outbound, now, signal })
      return store.system.transaction(async (tx) => {
        const organisationId = provider.organisation_id
        const once = {
          providerId: provider.id,
          organisationId,
          hash: sha256(`logout ${said.jti}`),
          expiresAt: new Date(said.until).toISOString(),
        }
        if ((await statements.once(once).execute(tx)).rows.length === 0) throw refuse('shown before')
        const { issuer, subject, sid } = said
        return end(
          tx,
          (await statements.sessionsOf({ providerId: provider.id, sid, issuer, subject }).execute(tx)).rows,
        )
      })
    },
    async signOutLink(organisationId, signInId, back) {
      const home = store.as(organisationId)
      const row = (await home.read((tx) => statements.sessionOfSignIn({ signInId }).execute(tx))).rows[0]
      if (!row) return null
      const provider = await options.providers().usable(row.provider_id)
      if (!isOpenId(provider)) return null
      const idToken = (await home.read((tx) => tokensOf(tx, row)))?.idToken ?? null
      return openId.signOutAt(provider, await options.providers().secretOf(provider), idToken || null, back)
    },
    follow(signal) {
      const run = async () => {
        for (let round = 0; !signal.aborted; round++) {
          try {
            await refreshDue()
            await endDangling()
            if (round % TIDY_ROUNDS === 0) await tidy()
          } catch (error) {
            const problem = error instanceof Error ? error.message : String(error)
            if (!signal.aborted) log.warn({ problem }, 'cannot look after sign-ins of providers now')
          }
          await clock.sleep(LOOK_MS, signal)
        }
      }
      // The signal ends the sleep: that is the end of it.
      run().catch(() => undefined)
    },
  }
}
