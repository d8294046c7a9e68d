/** The health of a service over a day, drawn, and the last changes in words. */
import type { Service } from '@kalnet/contracts/service'
import { useQuery } from '@tanstack/react-query'
import { type CSSProperties, useState } from 'react'
import { duration } from '../format.ts'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './page.module.css'
import { healthQuery } from './queries.ts'
import { type Line, lines } from './timeline.ts'
import { HealthBadge, instanceName } from './words.tsx'

const DAY_MS = 86_400_000
const SHOWN = 12
const percent = (share: number) =>
  new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 }).format(share)

function Bar({ line }: { line: Line }) {
  const name = instanceName(line)
  return (
    <div className={css.line}>
      <span className={css.lineName}>{name}</span>
      <div className={css.bar} role="img" aria-label={m.healthBar(name, percent(line.well))}>
        {line.spans.map((span) => (
          <span
            key={span.from}
            data-state={span.state}
            style={
              {
                '--from': `${span.from * 100}%`,
                '--width': `${(span.to - span.from) * 100}%`,
              } as CSSProperties
            }
          />
        ))}
      </div>
      <span className={css.share}>{percent(line.well)}</span>
    </div>
  )
}

export function Health({ service }: { service: Service }) {
  const { data, error, isPending, refetch, dataUpdatedAt } = useQuery(healthQuery(service.id))
  const [all, setAll] = useState(false)
  const known = data ? lines(data.items, dataUpdatedAt - DAY_MS, dataUpdatedAt) : []
  const changes = data?.items ?? []
  return (
    <section className={css.section} aria-label={m.healthTitle}>
      <h2>{m.healthTitle}</h2>
      {isPending && <Skeleton height="80px" />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data && changes.length === 0 && <p className={css.quiet}>{m.healthNone}</p>}
      {known.length > 0 && (
        <div className={css.timeline}>
          <p className={css.quiet}>{m.healthDay}</p>
          {known.map((line) => (
            <Bar key={line.id} line={line} />
          ))}
          <div className={css.scale} aria-hidden>
            <span>{m.healthDayAgo}</span>
            <span>{m.healthNow}</span>
          </div>
        </div>
      )}
      {changes.length > 0 && (
        <>
          <h3>{m.healthChanges}</h3>
          <ol className={css.changes}>
            {changes.slice(0, all ? undefined : SHOWN).map((it) => (
              <li key={`${it.instanceId}-${it.at}`} className={css.change}>
                <HealthBadge state={it.state} />
                <span className={css.said}>
                  {instanceName(it)}
                  {it.detail && <> · {it.detail}</>}
                  {it.tookMs !== null && <> · {m.healthTook(duration(it.tookMs))}</>}
                </span>
                <span className={css.quiet}>
                  <Ago at={it.at} />
                </span>
              </li>
            ))}
          </ol>
          {!all && changes.length > SHOWN && (
            <button type="button" className={css.more} onClick={() => setAll(true)}>
              {m.showMore}
            </button>
          )}
        </>
      )}
    </section>
  )
}
