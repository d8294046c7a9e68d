/** One's own keys: coming, failing, none, some. */
import { useQuery } from '@tanstack/react-query'
import { KeyRound } from 'lucide-react'
import type { ReactNode } from 'react'
import * as m from '../messages/index.ts'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './keys.module.css'
import { myKeysQuery } from './queries.ts'
import { KeyRow } from './row.tsx'

/** The shape of a list that is on its way. */
export const ListComing = () => (
  <div className={css.card} aria-busy="true">
    {[0, 1].map((at) => (
      <div key={at} className={css.row}>
        <Skeleton width="40px" height="40px" />
        <Skeleton width="min(260px, 70%)" height="40px" />
      </div>
    ))}
  </div>
)

export function MyKeys({ make }: { make: ReactNode }) {
  const { data, error, isPending, refetch } = useQuery(myKeysQuery)
  if (isPending) return <ListComing />
  if (error && !data) return <ErrorBox problem={error} retry={() => void refetch()} />
  if (data.items.length === 0)
    return <Empty icon={<KeyRound aria-hidden />} title={m.keysEmpty} text={m.keysEmptyText} next={make} />
  return (
    <ul className={css.card} aria-label={m.keysMine}>
      {data.items.map((key) => (
        <li key={key.id}>
          <KeyRow of={key} />
        </li>
      ))}
    </ul>
  )
}
