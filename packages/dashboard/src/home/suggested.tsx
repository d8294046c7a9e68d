/** A few quick starts: what was used last, then what is proved. */
import { useQuery } from '@tanstack/react-query'
import * as m from '../messages/index.ts'
import { endedSessionsQuery, liveSessionsQuery, templatesQuery } from '../queries.ts'
import { useLaunch } from '../sessions/actions.ts'
import { iconOf } from '../sessions/card.tsx'
import css from './home.module.css'

const SHOWN = 6

export function Suggested() {
  const { data } = useQuery(templatesQuery)
  const live = useQuery(liveSessionsQuery).data?.items ?? []
  const ended = useQuery(endedSessionsQuery).data?.items ?? []
  const launch = useLaunch()
  if (!data || data.items.length === 0) return null
  const used = [...live, ...ended].map((session) => session.templateId)
  const rank = (id: string, proved: boolean) =>
    used.includes(id) ? used.indexOf(id) : proved ? 1_000 : 2_000
  const shown = [...data.items]
    // A question without an answer of its own needs the Launch page.
    .filter(
      (it) =>
        it.kind === 'session' &&
        !it.deprecated &&
        it.inputs.every((input) => !input.required || input.default !== undefined),
    )
    .sort((one, other) => rank(one.id, one.proved) - rank(other.id, other.proved))
    .slice(0, SHOWN)
  return (
    <section className={css.part}>
      <h2>{m.startSomething}</h2>
      <div className={css.quick}>
        {shown.map((template) => (
          <button
            key={template.id}
            type="button"
            className={css.tile}
            disabled={launch.isPending}
            data-busy={(launch.isPending && launch.variables.templateId === template.id) || undefined}
            onClick={() => launch.mutate({ templateId: template.id })}
            aria-label={m.startNamed(template.name)}
          >
            <img src={iconOf(template.id)} alt="" width="36" height="36" />
            <span>{template.name}</span>
          </button>
        ))}
      </div>
    </section>
  )
}
