/** The record as a whole: sealed, being sealed, or changed by somebody; checking it, and how long it is kept. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { CircleAlert, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { may, queryClient, useMe } from '../queries.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { toast } from '../ui/toast.ts'
import css from './activity.module.css'
import { chainQuery } from './queries.ts'

const Keep = later(() => import('./keep.tsx'))
const figure = (value: string | number) => new Intl.NumberFormat('en').format(BigInt(value))

export function Record() {
  const me = useMe()
  const { data } = useQuery(chainQuery)
  const [keeping, setKeeping] = useState(false)
  const check = useMutation({
    mutationFn: () => call(ROUTES.audit.verify),
    onSuccess: (found) => {
      if (!found.break) toast({ tone: 'good', text: m.recordChecked(found.rows) })
    },
    onError: (problem) => toast({ tone: 'bad', text: problem.message }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: chainQuery.queryKey }),
  })
  if (!data) return null
  const { last, pending, sealed, retentionDays } = data
  const found = last?.break
  return (
    <>
      {found && (
        <div className={css.broken} role="alert">
          <CircleAlert aria-hidden />
          <div>
            <strong>{m.recordBroken}</strong>
            <p>{found.message}</p>
            <p>{m.recordBrokenNext}</p>
          </div>
        </div>
      )}
      <div className={css.record}>
        {!found && (
          <Badge tone="good" icon={<ShieldCheck aria-hidden />}>
            {last ? m.recordWhole(figure(sealed)) : m.recordSealed(figure(sealed))}
          </Badge>
        )}
        {pending > 0 && <Badge tone="busy">{m.recordPending(pending)}</Badge>}
        <span className={css.kept}>
          {m.recordKept(retentionDays)}
          {may(me, 'organisation.manage') && (
            <Button look="plain" onPress={() => setKeeping(true)}>
              {m.keepChange}
            </Button>
          )}
        </span>
        <Button look="plain" isPending={check.isPending} onPress={() => check.mutate()}>
          {m.recordCheck}
        </Button>
      </div>
      {keeping && <Keep days={retentionDays} onClose={() => setKeeping(false)} />}
    </>
  )
}
