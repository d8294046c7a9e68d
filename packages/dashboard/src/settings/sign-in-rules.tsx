/** Sign-in rules: what each role must prove and for how long it lasts, in words, with what a change means for people now. */
import type { SignInPolicyOf } from '@kalnet/contracts/sign-in'
import { queryOptions, useQuery } from '@tanstack/react-query'
import css from '../account/account.module.css'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { useMe } from '../queries.ts'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import { Frame } from './frame.tsx'
import { RuleCard } from './rule-card.tsx'

const policiesQuery = queryOptions({
  queryKey: ['policies'],
  queryFn: async ({ signal }) => (await call(ROUTES.signIn.policies, { signal })).items,
})
/** How many people have which role. Of a very large team the first pages are enough to say how many it touches. */
const PAGES_AT_MOST = 10
const countsQuery = queryOptions({
  queryKey: ['people', 'roles'],
  queryFn: async ({ signal }) => {
    const counts: Partial<Record<SignInPolicyOf['role'], number>> = {}
    let after: string | undefined
    for (let page = 0; page < PAGES_AT_MOST; page += 1) {
      const { items, next } = await call(ROUTES.people.list, {
        query: { kind: 'person', limit: 200, after },
        signal,
      })
      for (const { role, state } of items) if (state === 'active') counts[role] = (counts[role] ?? 0) + 1
      if (next === null) break
      after = next
    }
    return counts
  },
})

export default function SignInRules() {
  const me = useMe()
  const { data, error, refetch } = useQuery(policiesQuery)
  const { data: counts } = useQuery(countsQuery)
  return (
    <Frame here="rules" title={m.settingsRules} text={m.rulesText}>
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      <div className={css.rules}>
        {!data && !error && [1, 2, 3].map((it) => <Skeleton key={it} height="300px" />)}
        {data?.map((policy) => (
          <RuleCard
            key={policy.role}
            policy={policy}
            people={counts ? (counts[policy.role] ?? 0) : null}
            mayChange={policy.role !== 'owner' || me.role === 'owner'}
          />
        ))}
      </div>
    </Frame>
  )
}
