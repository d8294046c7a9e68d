/** A calm word where the way in itself has trouble: a port that somebody else holds, names that are not answered. */
import { useQuery } from '@tanstack/react-query'
import { Info } from 'lucide-react'
import * as m from '../messages/index.ts'
import { figuresQuery } from './queries.ts'
import css from './routes.module.css'
import { shownProblems } from './words.ts'

export function WayInNotice({ routeIds }: { routeIds: ReadonlySet<string> | null }) {
  const { data } = useQuery(figuresQuery)
  const shown = shownProblems(data?.problems ?? [], routeIds)
  if (shown.length === 0) return null
  return (
    <div className={css.notice} role="status">
      <Info aria-hidden />
      <div>
        <strong>{m.wayInTitle(shown.every(({ part }) => part === 'names'))}</strong>
        <ul>
          {shown.map((it) => (
            <li key={`${it.part} ${it.gateway} ${it.routeId} ${it.problem}`}>{m.wayInProblem(it)}</li>
          ))}
        </ul>
      </div>
    </div>
  )
}
