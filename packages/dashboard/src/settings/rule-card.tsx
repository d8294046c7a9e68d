/** The rule of one role: read as a sentence, changed by three choices, saved after saying what it means for people now. */
import type { SignInPolicyOf } from '@kalnet/contracts/sign-in'
import { useMutation } from '@tanstack/react-query'
import { Info } from 'lucide-react'
import { useState } from 'react'
import css from '../account/account.module.css'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Button } from '../ui/button.tsx'
import { Choice, Switch } from '../ui/choice.tsx'
import { Card } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { IDLE, inWords, LONGEST, withCurrent } from './rule-times.ts'

interface RuleCardProps {
  policy: SignInPolicyOf
  /** Null: not known yet. */
  people: number | null
  mayChange: boolean
}

/** What becomes different for those who are there now; empty when nothing does. */
function meaning(before: SignInPolicyOf, after: SignInPolicyOf): string[] {
  const words: string[] = []
  if (after.assurance > before.assurance) words.push(m.ruleMeansSecond)
  if (after.assurance < before.assurance) words.push(m.ruleMeansFirst)
  if (after.idleMs < before.idleMs || after.absoluteMs < before.absoluteMs) words.push(m.ruleMeansShorter)
  else if (after.idleMs > before.idleMs || after.absoluteMs > before.absoluteMs) words.push(m.ruleMeansLonger)
  return words
}

const options = (times: number[], current: number) =>
  withCurrent(times, current).map((ms) => ({ value: String(ms), label: inWords(ms) }))

export function RuleCard({ policy, people, mayChange }: RuleCardProps) {
  const { role } = policy
  const name = m.ruleRoles[role]
  const [draft, setDraft] = useState(policy)
  const change = (part: Partial<SignInPolicyOf>) => setDraft({ ...draft, ...part })
  const save = useMutation({
    mutationFn: ({ assurance, idleMs, absoluteMs }: SignInPolicyOf) =>
      call(ROUTES.signIn.setPolicy, { params: { role }, body: { assurance, idleMs, absoluteMs } }),
    onSuccess: (saved) => {
      queryClient.setQueryData(['policies'], (all: SignInPolicyOf[] | undefined) =>
        all?.map((it) => (it.role === role ? saved : it)),
      )
      void queryClient.invalidateQueries({ queryKey: ['factors'] })
      toast({ tone: 'good', text: m.ruleSaved(name) })
    },
    onError: tellProblem,
  })
  const says = m.ruleSays(draft.assurance === 2, inWords(draft.idleMs), inWords(draft.absoluteMs))
  const means = meaning(policy, draft)
  const wrong = draft.idleMs > draft.absoluteMs
  return (
    <Card label={name}>
      <div className={css.rule}>
        <div className={css.head}>
          <div className={css.ruleHead}>
            <h2>{name}</h2>
            {people !== null && <span>{m.rulePeople(people)}</span>}
          </div>
          <p>{says}</p>
        </div>
        {!mayChange && <p className={css.text}>{m.ruleOwnerOnly}</p>}
        {mayChange && (
          <>
            <Switch
              label={m.ruleSecond}
              value={draft.assurance === 2}
              onChange={(two) => change({ assurance: two ? 2 : 1 })}
            />
            <Choice
              label={m.ruleIdle}
              value={String(draft.idleMs)}
              options={options(IDLE, policy.idleMs)}
              onChange={(ms) => change({ idleMs: Number(ms) })}
            />
            <Choice
              label={m.ruleMost}
              value={String(draft.absoluteMs)}
              options={options(LONGEST, policy.absoluteMs)}
              onChange={(ms) => change({ absoluteMs: Number(ms) })}
            />
          </>
        )}
        {(means.length > 0 || wrong) && (
          <>
            <p className={css.plain} role="status">
              <Info aria-hidden />
              {wrong ? m.ruleIdleLonger : means.join(' ')}
            </p>
            <div className={css.tools}>
              <Button
                look="primary"
                isDisabled={wrong}
                isPending={save.isPending}
                onPress={() => save.mutate(draft)}
              >
                {m.save}
              </Button>
              <Button look="plain" onPress={() => setDraft(policy)}>
                {m.cancel}
              </Button>
            </div>
          </>
        )}
      </div>
    </Card>
  )
}
