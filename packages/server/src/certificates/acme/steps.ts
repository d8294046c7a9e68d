/** An order, step by step. Each step looks first what is there, so that one that was cut off is simply done again. */

import type { ChallengeKind } from '@kalnet/contracts/certificate'
import { type Authorization, crypto as acmeCrypto } from 'acme-client'
import type { CertificateRow, Step } from '../store.ts'
import type { Acme } from './account.ts'
import { AuthorityRefusal } from './transport.ts'

export type Next =
  | { kind: 'go'; step: Step; orderUrl: string }
  /** Nothing new yet. */
  | { kind: 'wait' }
  /** Shown a moment from now on every server; then the authority may look. */
  | { kind: 'shown' }
  | { kind: 'given'; chain: string }

export interface StepsOptions {
  client: Acme
  /** The new key of this order; the same one until it is given. */
  key(): Promise<string>
  /** What is shown already, by name and token. */
  shown: ReadonlySet<string>
  show(name: string, token: string, answer: string): Promise<void>
}

export const shownKey = (name: string, token: string) => `${name} ${token}`
const nameOf = (authz: Authorization) => (authz.wildcard ? '*.' : '') + authz.identifier.value

const refused = (authz: Authorization): string => {
  // The type of acme-client leaves the error out of some challenges.
  const errors = authz.challenges.map((it) => (it as { error?: { detail?: string } }).error?.detail)
  return `${nameOf(authz)}: ${errors.find(Boolean) ?? `the authority says it is ${authz.status}`}`
}
const never = (message: string) => new AuthorityRefusal(message, 'order', false)

async function answerAll(
  kind: ChallengeKind,
  authorizations: Authorization[],
  options: StepsOptions,
): Promise<Next> {
  const { client, shown, show } = options
  let fresh = false
  const pending: (() => Promise<unknown>)[] = []
  for (const authz of authorizations) {
    if (authz.status === 'valid') continue
    if (authz.status !== 'pending') throw never(refused(authz))
    const challenge = authz.challenges.find((it) => it.type === kind)
    if (!challenge) throw never(`the authority does not offer ${kind} for ${nameOf(authz)}`)
    const name = authz.identifier.value
    if (!shown.has(shownKey(name, challenge.token))) {
      await show(name, challenge.token, await client.getChallengeKeyAuthorization(challenge))
      fresh = true
    } else if (challenge.status === 'pending') pending.push(() => client.completeChallenge(challenge))
  }
  if (fresh) return { kind: 'shown' }
  for (const complete of pending) await complete()
  return { kind: 'wait' }
}

/** Does the step of this row. Throws AuthorityRefusal when the authority says no. */
export async function takeStep(row: CertificateRow, options: StepsOptions): Promise<Next> {
  const { client } = options
  if (row.step === 'order' || row.step === null || row.order_url === null) {
    const order = await client.createOrder({
      identifiers: row.names.map((value) => ({ type: 'dns', value })),
    })
    return { kind: 'go', step: 'challenge', orderUrl: order.url }
  }
  const known = await client.getOrder({ url: row.order_url } as Parameters<Acme['getOrder']>[0])
  const order = { ...known, url: row.order_url }
  const go = (step: Step): Next => ({ kind: 'go', step, orderUrl: order.url })
  switch (order.status) {
    case 'pending':
      return answerAll(row.challenge ?? 'http-01', await client.getAuthorizations(order), options)
    case 'ready': {
      if (row.step !== 'finalize') return go('finalize')
      const [, csr] = await acmeCrypto.createCsr({ altNames: row.names }, await options.key())
      await client.finalizeOrder(order, csr)
      return go('download')
    }
    case 'processing':
      return { kind: 'wait' }
    case 'valid':
      return { kind: 'given', chain: await client.getCertificate(order) }
    default: {
      const all = await client.getAuthorizations(order)
      const problems = all.filter((it) => it.status === 'invalid').map(refused)
      throw never(problems.join('; ') || 'the authority called the order invalid')
    }
  }
}
