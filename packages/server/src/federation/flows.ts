/** The way to a provider and back: begun in one browser, ended there, once, within ten minutes. */
import { fail } from '@kalnet/contracts/errors'
import type { Clock } from '@kalnet/io/clock'
import { aside, type Store } from '../core/store.ts'
import { FLOW_MS, fromSecret, newFlowSecret, sha256 } from './flow-secret.ts'
import { type FlowRow, type ProviderRow, statements } from './store.ts'
import type { Vouched } from './vouched.ts'

export interface Purpose {
  purpose: FlowRow['purpose']
  userId: string | null
  signInId: string | null
  back: string
}
export interface Flows {
  begin(provider: ProviderRow, purpose: Purpose): Promise<{ secret: string }>
  /** The flow of this browser's cookie; gone from now on. */
  take(secret: string | null, providerId: string): Promise<FlowRow>
  /** The flow whose request an answer names; stays until the browser comes for it. */
  ofRequest(requestId: string, providerId: string): Promise<FlowRow>
  /** Keeps a checked answer for the browser that began; false: its assertion was shown before, or the request was answered. */
  answer(flow: FlowRow, once: { id: string; until: number }, vouched: Vouched): Promise<string | null>
  takeAnswer(
    secret: string | null,
    handle: string,
    providerId: string,
  ): Promise<{ flow: FlowRow; vouched: Vouched }>
}

export function createFlows({ store, clock }: { store: Store; clock: Clock }): Flows {
  const now = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()
  return {
    async begin(provider, purpose) {
      const secret = newFlowSecret()
      const parts = fromSecret(secret)
      await aside(() =>
        store.system.transaction((tx) =>
          statements
            .addFlow({
              hash: parts.hash,
              organisationId: provider.organisation_id,
              providerId: provider.id,
              ...purpose,
              requestHash: sha256(parts.requestId),
              expiresAt: now(FLOW_MS),
            })
            .execute(tx),
        ),
      )
      return { secret }
    },
    async take(secret, providerId) {
      if (!secret) throw fail('provider.flow')
      const hash = sha256(secret)
      const { rows } = await aside(() =>
        store.system.transaction((tx) => statements.takeFlow({ hash, providerId, now: now() }).execute(tx)),
      )
      if (!rows[0]) throw fail('provider.flow')
      return rows[0]
    },
    async ofRequest(requestId, providerId) {
      const requestHash = sha256(requestId)
      const { rows } = await store.system.read((tx) =>
        statements.flowOfRequest({ requestHash, providerId, now: now() }).execute(tx),
      )
      if (!rows[0]) throw fail('provider.flow')
      return rows[0]
    },
    async answer(flow, once, vouched) {
      const handle = newFlowSecret()
      const handleHash = sha256(handle)
      const providerId = flow.provider_id
      const expiresAt = new Date(once.until).toISOString()
      const kept = await store.system.transaction(async (tx) => {
        const hash = sha256(`assertion ${once.id}`)
        const first = await statements
          .once({ providerId, organisationId: flow.organisation_id, hash, expiresAt })
          .execute(tx)
        if (first.rows.length === 0) return false
        const answer = JSON.stringify(vouched)
        return (
          (await statements.answerFlow({ hash: flow.hash, handleHash, answer }).execute(tx)).rows.length === 1
        )
      })
      return kept ? handle : null
    },
    async takeAnswer(secret, handle, providerId) {
      if (!secret) throw fail('provider.flow')
      const given = { hash: sha256(secret), handleHash: sha256(handle), providerId, now: now() }
      const { rows } = await aside(() =>
        store.system.transaction((tx) => statements.takeAnswered(given).execute(tx)),
      )
      const flow = rows[0]
      // Written by `answer`, which keeps what was checked.
      if (flow) return { flow, vouched: flow.answer as Vouched }
      throw fail('provider.flow')
    },
  }
}
