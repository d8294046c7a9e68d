/** How the picture was for those who looked: the latest viewings of a session. */
import { useQuery } from '@tanstack/react-query'
import { duration, size } from '../format.ts'
import * as m from '../messages/index.ts'
import { viewingsQuery } from '../queries.ts'
import { Ago } from '../ui/ago.tsx'
import { Card, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './viewings.module.css'

const SHOWN = 5

export function Viewings({ sessionId }: { sessionId: string }) {
  const { data, error, refetch } = useQuery(viewingsQuery(sessionId))
  return (
    <Card label={m.viewings}>
      <h2 className={css.title}>{m.viewings}</h2>
      {error && !data ? (
        <ErrorBox problem={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton height="40px" />
      ) : data.items.length === 0 ? (
        <p className={css.none}>{m.viewingsNone}</p>
      ) : (
        <ul className={css.list}>
          {data.items.slice(0, SHOWN).map((it) => (
            <li key={it.id}>
              <p className={css.who}>
                {it.userName} · <Ago at={it.heardAt} />
              </p>
              <dl className={css.figures}>
                <Figure what={m.viewingLasted} figure={duration(it.elapsedMs)} />
                <Figure
                  what={m.figureLatency}
                  figure={it.keyToPictureMs === null ? m.notMeasured : duration(it.keyToPictureMs)}
                />
                <Figure
                  what={m.figureFrames}
                  figure={String(Math.round((it.frames * 10_000) / it.elapsedMs) / 10)}
                />
                <Figure
                  what={m.figureBandwidth}
                  figure={m.viewingAll(size(it.bytes), m.perSecond(size((it.bytes * 1000) / it.elapsedMs)))}
                />
              </dl>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

const Figure = ({ what, figure }: { what: string; figure: string }) => (
  <div>
    <dt>{what}</dt>
    <dd>{figure}</dd>
  </div>
)
