/** What the authority asks us to show: by http from memory, by DNS through whoever answers DNS here. Every server shows all of it. */
import { resolveCname } from 'node:dns/promises'
import type { Store } from '../../core/store.ts'
import { type ChallengeRow, statements } from '../store.ts'

/** Shows these values as TXT of this name; an empty list takes the name away. */
export interface DnsChallenge {
  setChallenge(name: string, values: string[]): void | Promise<void>
}

export interface ChallengesOptions {
  store: Store
  /** Where a name leads that was delegated to us; tests have their own. */
  resolveCname?(name: string): Promise<string[]>
}

export const challengeName = (name: string) => `_acme-challenge.${name.replace(/^\*\./, '')}`

export function createChallenges({ store, resolveCname: resolve = resolveCname }: ChallengesOptions) {
  let dns: DnsChallenge | null = null
  let answers = new Map<string, string>()
  /** What is shown by DNS now. */
  let shown = new Set<string>()

  const keyOf = (host: string, token: string) => `${host.toLowerCase()} ${token}`

  /** `_acme-challenge.photos.example.org` may be an alias of a name that we answer for: then it is shown there. */
  async function placesOf(name: string): Promise<string[]> {
    const alias = await resolve(name).catch(() => [])
    return [name, ...alias.map((it) => it.toLowerCase().replace(/\.$/, ''))]
  }

  async function show(rows: ChallengeRow[]): Promise<void> {
    const target = dns
    if (!target) return
    const values = new Map<string, string[]>()
    for (const row of rows)
      for (const place of await placesOf(challengeName(row.name)))
        values.set(place, [...(values.get(place) ?? []), row.answer])
    const gone = [...shown].filter((name) => !values.has(name))
    shown = new Set(values.keys())
    for (const name of gone) await target.setChallenge(name, [])
    for (const [name, all] of values) await target.setChallenge(name, all)
  }

  return {
    hasDns: () => dns !== null,
    setDns(hook: DnsChallenge) {
      dns = hook
    },
    /** All that is answered by http, for gateways of their own. */
    answers: () =>
      [...answers].map(([key, answer]) => {
        const [host = '', token = ''] = key.split(' ')
        return { host, token, answer }
      }),
    challenge: (host: string, token: string): string | null => answers.get(keyOf(host, token)) ?? null,
    /** Reads all there is to show, and shows it. */
    async refresh(): Promise<void> {
      const { rows } = await store.system.read((tx) => statements.challenges().execute(tx))
      answers = new Map(
        rows
          .filter((row) => row.kind === 'http-01')
          .map((row) => [keyOf(row.name, row.token), row.answer] as const),
      )
      await show(rows.filter((row) => row.kind === 'dns-01'))
    },
  }
}
export type Challenges = ReturnType<typeof createChallenges>
