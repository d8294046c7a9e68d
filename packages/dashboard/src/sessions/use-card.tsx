/** What a session uses, on its page: while it runs, and not before or after. */
import type { Session } from '@kalnet/contracts/session'
import { useQuery } from '@tanstack/react-query'
import { sessionUseQuery } from '../instances/queries.ts'
import css from '../instances/use.module.css'
import { UseNow } from '../instances/use.tsx'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { Card } from '../ui/parts.tsx'

const RUNS: ReadonlySet<Session['state']> = new Set(['running', 'hibernating', 'stopping'])

export function UseCard({ session }: { session: Session }) {
  const runs = RUNS.has(session.state)
  const { data, error } = useQuery({ ...sessionUseQuery(session.id), enabled: runs })
  if (!runs) return null
  const began = session.stages.created
  return (
    <Card label={m.useTitle}>
      <div className={css.head}>
        <h2>{m.useTitle}</h2>
        {began && (
          <p className={css.quiet}>
            {m.useBegan} <Ago at={began} />
          </p>
        )}
      </div>
      <UseNow use={data} failed={error !== null} />
    </Card>
  )
}
