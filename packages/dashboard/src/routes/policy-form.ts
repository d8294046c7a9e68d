/** The fine tuning of an address as the fields people write in, and back. */
import type { Policy } from '@kalnet/contracts/gateway'
import * as m from '../messages/index.ts'

/** Each number as it stands in its field; times in seconds. */
export const NUMBERS = {
  canaryPercent: { from: 0, to: 100, empty: true },
  canaryRelease: { from: 1, to: 1_000_000, empty: true },
  connect: { from: 0.1, to: 60 },
  answer: { from: 0.1, to: 3_600 },
  idle: { from: 0.1, to: 86_400 },
  attempts: { from: 0, to: 5 },
  budget: { from: 0, to: 100 },
  breakerPercent: { from: 1, to: 100 },
  breakerRequests: { from: 1, to: 10_000 },
  breakerSeconds: { from: 0.1, to: 600 },
  ratePerSecond: { from: 0.01, to: 1_000_000 },
  rateBurst: { from: 1, to: 1_000_000 },
} as const satisfies Record<string, { from: number; to: number; empty?: boolean }>
export type NumberName = keyof typeof NUMBERS

export interface PolicyForm extends Record<NumberName, string> {
  balance: Policy['balance']
  sticky: boolean
  breaker: boolean
  rate: boolean
  rateBy: 'client' | 'route'
  safetyHeaders: boolean
}

const seconds = (ms: number) => String(ms / 1000)
const ms = (text: string) => Math.max(1, Math.round(Number(text) * 1000))
const WHOLE = new Set<NumberName>(['canaryRelease', 'attempts', 'breakerRequests', 'rateBurst'])

export function toForm(policy: Policy): PolicyForm {
  const [canary] = policy.canary
  const { breaker, rate } = policy
  return {
    balance: policy.balance,
    sticky: policy.sticky,
    canaryPercent: canary ? String(canary.percent) : '',
    canaryRelease: canary ? String(canary.release) : '',
    connect: seconds(policy.timeouts.connectMs),
    answer: seconds(policy.timeouts.answerMs),
    idle: seconds(policy.timeouts.idleMs),
    attempts: String(policy.retries.attempts),
    budget: String(policy.retries.budgetPercent),
    breaker: breaker !== null,
    breakerPercent: String(breaker?.failurePercent ?? 50),
    breakerRequests: String(breaker?.requests ?? 20),
    breakerSeconds: seconds(breaker?.openMs ?? 5_000),
    rate: rate !== null,
    ratePerSecond: String(rate?.perSecond ?? 10),
    rateBurst: String(rate?.burst ?? 20),
    rateBy: rate?.by ?? 'client',
    safetyHeaders: policy.safetyHeaders,
  }
}

/** Fields of what is switched off are not judged. */
function judged(form: PolicyForm): NumberName[] {
  return (Object.keys(NUMBERS) as NumberName[]).filter(
    (name) => (form.breaker || !name.startsWith('breaker')) && (form.rate || !name.startsWith('rate')),
  )
}
export function problemsOf(form: PolicyForm): Partial<Record<NumberName, string>> {
  const wrong = (name: NumberName) => {
    const { from, to } = NUMBERS[name]
    const text = form[name].trim()
    const both = name.startsWith('canary') && (form.canaryPercent.trim() || form.canaryRelease.trim())
    if (text === '') return name.startsWith('canary') && !both ? undefined : m.routeNumberWrong(from, to)
    const value = Number(text.replace(',', '.'))
    const fits = value >= from && value <= to && (!WHOLE.has(name) || Number.isInteger(value))
    return fits ? undefined : m.routeNumberWrong(from, to)
  }
  return Object.fromEntries(judged(form).flatMap((name) => (wrong(name) ? [[name, wrong(name)]] : [])))
}

/** What no field is for stays as it was. */
export function fromForm(given: PolicyForm, before: Policy): Policy {
  const form = Object.fromEntries(
    Object.entries(given).map(([name, it]) => [
      name,
      name in NUMBERS ? String(it).trim().replace(',', '.') : it,
    ]),
  ) as unknown as PolicyForm
  const rest = before.canary.slice(1)
  return {
    ...before,
    balance: form.balance,
    sticky: form.sticky,
    canary:
      form.canaryPercent === ''
        ? []
        : [{ release: Number(form.canaryRelease), percent: Number(form.canaryPercent) }, ...rest],
    timeouts: { connectMs: ms(form.connect), answerMs: ms(form.answer), idleMs: ms(form.idle) },
    retries: { attempts: Number(form.attempts), budgetPercent: Number(form.budget) },
    breaker: form.breaker
      ? {
          windowMs: before.breaker?.windowMs ?? 10_000,
          onFault: before.breaker?.onFault ?? 'closed',
          failurePercent: Number(form.breakerPercent),
          requests: Number(form.breakerRequests),
          openMs: ms(form.breakerSeconds),
        }
      : null,
    rate: form.rate
      ? { perSecond: Number(form.ratePerSecond), burst: Number(form.rateBurst), by: form.rateBy }
      : null,
    safetyHeaders: form.safetyHeaders,
  }
}
