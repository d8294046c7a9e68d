/** Works on orders that are due, one server at a time by a lease in the row; waits, back-off and renewal are times in the row, so nothing is lost with a process. */
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Outbound } from '@kalnet/io/outbound'
import type { Secrets } from '../../core/secrets.ts'
import type { Store, Tx } from '../../core/store.ts'
import { judge } from '../own.ts'
import { secretOf } from '../serving.ts'
import { type CertificateRow, statements } from '../store.ts'
import { type Account, newKeyPem } from './account.ts'
import type { Challenges } from './challenges.ts'
import { type Next, shownKey, takeStep } from './steps.ts'
import { AuthorityRefusal, within, wordsOf } from './transport.ts'

export interface WorkerOptions {
  store: Store
  secrets: Secrets
  clock: Clock
  log: Log
  outbound(): Promise<Outbound>
  account: Account
  challenges: Challenges
  /** Stands in the transaction of the change. */
  changed(tx: Tx, id: string): Promise<void>
}

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const LEASE_MS = 2 * MINUTE_MS
/** One step, all its requests. */
const STEP_MS = 90 * SECOND_MS
/** Until other servers have read what to show, too. */
const SHOWN_MS = SECOND_MS
const POLL_MS = SECOND_MS
const POLL_MOST_MS = 10 * MINUTE_MS
/** An order that comes to nothing for so long is given up. */
const ORDER_MS = 24 * HOUR_MS
/** A step that breaks, not refused, is done again for so long; then the order is begun anew after as long. */
const BROKEN_MS = HOUR_MS
/** How long nobody looks at the table when nothing is known to be due. */
const REST_MS = MINUTE_MS

export const nextSecretOf = (id: string) => `${secretOf(id)} next`
/** When a third of its life is left; an hour from now at least, so that a clock that is wrong does not order without end. */
export const renewalOf = (facts: { notBefore: string; notAfter: string }, now: Date): string => {
  const [from, to] = [Date.parse(facts.notBefore), Date.parse(facts.notAfter)]
  return new Date(Math.max(to - (to - from) / 3, now.getTime() + HOUR_MS)).toISOString()
}
/** 15 minutes, doubled each time, a day at most: authorities count failures. */
export const pauseAfter = (failures: number): number =>
  Math.min(24 * HOUR_MS, 15 * MINUTE_MS * 2 ** Math.min(failures, 10))
const shortPause = (failures: number): number =>
  Math.min(10 * MINUTE_MS, 5 * SECOND_MS * 2 ** Math.min(failures, 10))

export function createWorker(options: WorkerOptions) {
  const { store, secrets, clock, log, account, challenges, changed } = options
  const after = (ms: number) => new Date(clock.now().getTime() + ms).toISOString()
  let woken = new AbortController()

  const change = (row: CertificateRow, work: (tx: Tx) => Promise<unknown>) =>
    store.system.transaction(async (tx) => {
      await work(tx)
      await statements.release({ id: row.id }).execute(tx)
      await changed(tx, row.id)
    })

  const nextKey = (row: CertificateRow) =>
    store.system.transaction(async (tx) => {
      const found = await secrets.get(tx, row.organisation_id, nextSecretOf(row.id))
      if (found !== null) return found
      const made = await newKeyPem()
      await secrets.put(tx, row.organisation_id, nextSecretOf(row.id), made)
      return made
    })

  async function give(row: CertificateRow, chain: string): Promise<void> {
    const brought = judge(chain, await nextKey(row), clock.now())
    await change(row, async (tx) => {
      await secrets.put(tx, row.organisation_id, secretOf(row.id), brought.key)
      await secrets.drop(tx, row.organisation_id, nextSecretOf(row.id))
      await statements.dropChallenges({ certificateId: row.id }).execute(tx)
      const nextAt = renewalOf(brought.facts, clock.now())
      await statements.given({ id: row.id, ...brought.facts, nextAt, at: stamp(clock) }).execute(tx)
    })
    await challenges.refresh()
  }

  async function keep(row: CertificateRow, next: Next): Promise<void> {
    const age = clock.now().getTime() - Date.parse(row.changed_at)
    switch (next.kind) {
      case 'given':
        return give(row, next.chain)
      case 'go':
        return change(row, (tx) =>
          statements
            .move({
              id: row.id,
              step: next.step,
              orderUrl: next.orderUrl,
              state: row.state,
              failures: row.failures,
              nextAt: after(0),
              at: stamp(clock),
            })
            .execute(tx),
        )
      default: {
        if (age > ORDER_MS) throw new AuthorityRefusal('it came to nothing for a day', 'order', false)
        const pause = next.kind === 'shown' ? SHOWN_MS : Math.min(POLL_MOST_MS, Math.max(POLL_MS, age / 4))
        await store.system.transaction((tx) =>
          statements.rest({ id: row.id, nextAt: after(pause) }).execute(tx),
        )
      }
    }
  }

  async function failed(row: CertificateRow, error: unknown): Promise<void> {
    const refusal = error instanceof AuthorityRefusal ? error : null
    if (refusal?.type === 'accountDoesNotExist') await account.forget()
    const again = !refusal || refusal.passing || refusal.type === 'accountDoesNotExist'
    log.warn(
      { certificateId: row.id, step: row.step, problem: wordsOf(error) },
      'a certificate was not given',
    )
    if (again && clock.now().getTime() - Date.parse(row.changed_at) < BROKEN_MS)
      return change(row, (tx) =>
        statements
          .again({
            id: row.id,
            problem: wordsOf(error),
            nextAt: after(shortPause(row.failures)),
          })
          .execute(tx),
      )
    await change(row, async (tx) => {
      await statements.dropChallenges({ certificateId: row.id }).execute(tx)
      await secrets.drop(tx, row.organisation_id, nextSecretOf(row.id))
      await statements
        .failed({
          id: row.id,
          state: row.chain === null ? 'failed' : row.state,
          problem: wordsOf(error),
          nextAt: after(again ? BROKEN_MS : pauseAfter(row.failures)),
          at: stamp(clock),
        })
        .execute(tx)
    })
    await challenges.refresh()
  }

  async function step(row: CertificateRow, signal: AbortSignal): Promise<void> {
    const way = { outbound: await options.outbound(), signal }
    const { rows } = await store.system.read((tx) => statements.challenges().execute(tx))
    const mine = rows.filter((it) => it.certificate_id === row.id)
    const next = await within(way, async () =>
      takeStep(row, {
        client: await account.client(),
        key: () => nextKey(row),
        shown: new Set(mine.map((it) => shownKey(it.name, it.token))),
        async show(name, token, answer) {
          const kind = row.challenge ?? 'http-01'
          const at = { certificateId: row.id, organisationId: row.organisation_id }
          await store.system.transaction(async (tx) => {
            await statements.addChallenge({ ...at, kind, name, token, answer }).execute(tx)
            await changed(tx, row.id)
          })
          await challenges.refresh()
        },
      }),
    )
    await keep(row, next)
  }

  /** Does one step of one order that is due; false: none is. */
  async function once(signal: AbortSignal): Promise<boolean> {
    const row = (
      await store.system.transaction((tx) =>
        statements.lease({ now: stamp(clock), until: after(LEASE_MS) }).execute(tx),
      )
    ).rows[0]
    if (!row) return false
    try {
      await step(row, AbortSignal.any([signal, AbortSignal.timeout(STEP_MS)]))
    } catch (error) {
      // Stopping is no failure: another server, or the next start, does the step again. Told, because others rest until the lease ends.
      if (signal.aborted) {
        await change(row, async () => undefined)
        return false
      }
      await failed(row, error)
    }
    return true
  }

  async function rest(signal: AbortSignal): Promise<void> {
    const called = woken.signal
    const due = (await store.system.read((tx) => statements.nextDue().execute(tx))).rows[0]?.at
    const wait = due ? Math.max(0, Date.parse(due) - clock.now().getTime()) : REST_MS
    await clock.sleep(Math.min(REST_MS, wait), AbortSignal.any([signal, called])).catch(() => undefined)
  }

  return {
    once,
    /** Something is due now. */
    wake() {
      woken.abort()
      woken = new AbortController()
    },
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted)
        try {
          if (!(await once(signal))) await rest(signal)
        } catch (error) {
          if (signal.aborted) return
          log.warn({ problem: wordsOf(error) }, 'orders of certificates wait for the database')
          await clock.sleep(POLL_MS * 5, signal).catch(() => undefined)
        }
    },
  }
}
export type Worker = ReturnType<typeof createWorker>
