/** When a sign-in ends, so does everything apps were given by it: refused at once by the database, taken away here, and the apps are told. */
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import type { Events } from '../core/events.ts'
import type { Store } from '../core/store.ts'
import type { OpenId } from './provider.ts'
import { statements } from './store.ts'

const SWEEP_MS = 4_000
/** An app that is away is tried for a day, ever more seldom; its tokens are dead since the first moment. */
const GIVE_UP_MS = 24 * 3600_000
const later = (tries: number) => Math.min(3600_000, 5_000 * 2 ** Math.min(tries, 12))

export interface Endings {
  /** Takes away what hangs on the sign-in, and notes which apps must hear of it. Twice changes nothing. */
  end(signInId: string): Promise<void>
  /** Sends what is to be sent; the number of apps that were told. */
  tell(): Promise<number>
  /** Sign-ins that ran out without a word, records that are old. */
  sweep(): Promise<void>
  /** All of it, until the signal. */
  watch(signal: AbortSignal): void
}

export function createEndings(options: {
  store: Store
  events: Events
  clock: Clock
  log: Log
  openId: OpenId
}): Endings {
  const { store, events, clock, log, openId } = options
  const at = (ms: number) => new Date(clock.now().getTime() + ms).toISOString()

  async function end(signInId: string): Promise<void> {
    await store.system.transaction(async (tx) => {
      for (const { kind, payload } of (await statements.endOf({ signInId }).execute(tx)).rows) {
        if (kind !== 'Session' || typeof payload.accountId !== 'string') continue
        const authorizations = (payload.authorizations ?? {}) as Record<string, { sid?: string }>
        for (const [clientId, { sid }] of Object.entries(authorizations))
          if (sid)
            await statements
              .tellLogout({ id: newId(), clientId, userId: payload.accountId, sid, at: stamp(clock) })
              .execute(tx)
      }
    })
  }

  async function tell(): Promise<number> {
    let told = 0
    const { rows } = await store.system.transaction((tx) =>
      statements.takeLogouts({ now: stamp(clock), until: at(60_000) }).execute(tx),
    )
    if (rows.length === 0) return told
    await Promise.all(
      rows.map(async ({ id, app_id, client_id, user_id, sid, tries, created_at }) => {
        const whom = { appId: app_id, clientId: client_id, userId: user_id, sid }
        const problem = await openId.tellSignOut(whom).then(
          () => null,
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        )
        if (problem === null) told++
        else log.warn({ app: client_id, tries, problem }, 'an app could not be told that a sign-in ended')
        const over = problem === null || clock.now().getTime() - Date.parse(created_at) > GIVE_UP_MS
        await store.system.transaction((tx) =>
          (over
            ? statements.dropLogout({ id })
            : statements.laterLogout({ id, at: at(later(tries)) })
          ).execute(tx),
        )
      }),
    )
    return told
  }

  async function sweep(): Promise<void> {
    const { rows } = await store.system.read((tx) =>
      statements.endedSignIns({ now: stamp(clock) }).execute(tx),
    )
    for (const row of rows) await end(row.sign_in_id)
    await store.system.transaction((tx) => statements.dropOldRecords({ now: stamp(clock) }).execute(tx))
  }

  return {
    end,
    tell,
    sweep,
    watch(signal) {
      const failed = (error: unknown) => {
        if (!signal.aborted)
          log.warn(
            { problem: error instanceof Error ? error.message : String(error) },
            'cannot end things of apps now',
          )
      }
      const follow = async () => {
        for await (const heard of events.subscribe({ types: ['sign-in.ended'], after: null, signal })) {
          if (heard.kind !== 'event' || !('signInId' in heard.event.data)) continue
          await end(heard.event.data.signInId).then(tell).catch(failed)
        }
      }
      const round = async () => {
        while (!signal.aborted) {
          await sweep().then(tell).catch(failed)
          await clock.sleep(SWEEP_MS, signal)
        }
      }
      follow().catch(failed)
      round().catch(failed)
    },
  }
}
