/** Which certificate each name is served with. */
import { useQuery } from '@tanstack/react-query'
import * as m from '../messages/index.ts'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './certificates.module.css'
import { hostsQuery } from './queries.ts'
import { day } from './words.tsx'

export function Hosts() {
  const { data, error, isPending, refetch } = useQuery(hostsQuery)
  return (
    <section className={css.section} aria-label={m.hostsTitle}>
      <h2>{m.hostsTitle}</h2>
      {isPending && <Skeleton height="110px" />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && <p className={css.quiet}>{m.hostsNone}</p>}
      {data && data.items.length > 0 && (
        <ul className={css.card}>
          {data.items.map((it) => (
            <li key={it.host} className={css.host}>
              <strong>{it.host}</strong>
              <span className={css.quiet}>
                {m.hostSources[it.source]}
                {it.source === 'local' ? (
                  <> · {m.hostRenews}</>
                ) : (
                  it.notAfter && <> · {m.hostUntil(day(it.notAfter))}</>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
