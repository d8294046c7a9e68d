/** Home: what I use now, what ended and why, and what to start next. */
import type { Session } from '@kalnet/contracts/session'
import { useQuery } from '@tanstack/react-query'
import { MonitorPlay, Plus } from 'lucide-react'
import * as m from '../messages/index.ts'
import { endedSessionsQuery, liveSessionsQuery, useMe } from '../queries.ts'
import { useLeaving } from '../sessions/actions.ts'
import { SessionCard } from '../sessions/card.tsx'
import { useTitle } from '../shell/use-title.ts'
import { LinkButton } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { Ended } from './ended.tsx'
import css from './home.module.css'
import { Suggested } from './suggested.tsx'

/** Not needed for the first picture of the page. */
const Services = later(() => import('./services.tsx'))

const isAwake = (session: Session) => session.state !== 'hibernated'
const sleepersLast = (all: Session[]) => [...all.filter(isAwake), ...all.filter((it) => !isAwake(it))]

const Waiting = () => (
  <div className={css.grid} aria-busy="true">
    {[0, 1, 2].map((at) => (
      <div key={at} className={css.waiting}>
        <Skeleton height="200px" />
        <Skeleton width="60%" height="18px" />
        <Skeleton width="40%" height="14px" />
      </div>
    ))}
  </div>
)

export default function Home() {
  const me = useMe()
  const live = useQuery(liveSessionsQuery)
  const ended = useQuery(endedSessionsQuery)
  useTitle(m.home)
  const leaving = useLeaving()
  const shown = sleepersLast(live.data?.items.filter((session) => !leaving.has(session.id)) ?? [])
  const mine = shown.filter((session) => session.userId === me.id)
  const others = shown.filter((session) => session.userId !== me.id)
  const nothing = live.data && live.data.items.length === 0
  const first = nothing && ended.data?.items.length === 0
  return (
    <div className={css.home}>
      <header className={css.head}>
        <div>
          <h1>{m.greeting(new Date().getHours(), me.name.split(' ')[0] ?? me.name)}</h1>
          <p className={css.sub}>{live.data ? m.homeRunning(mine.filter(isAwake).length) : '\u00a0'}</p>
        </div>
        <LinkButton href="/launch" look="primary" icon={<Plus aria-hidden />}>
          {m.startNew}
        </LinkButton>
      </header>

      {live.isPending && <Waiting />}
      {live.error && !live.data && <ErrorBox problem={live.error} retry={() => void live.refetch()} />}
      {mine.length > 0 && (
        <section>
          <h2 className={css.unseen}>{m.running}</h2>
          <div className={css.grid}>
            {mine.map((session) => (
              <SessionCard key={session.id} session={session} mine />
            ))}
          </div>
        </section>
      )}
      {first && (
        <Empty
          icon={<MonitorPlay aria-hidden />}
          title={m.homeEmptyTitle}
          text={m.homeEmptyText}
          next={
            <LinkButton href="/launch" look="primary">
              {m.homeEmptyAction}
            </LinkButton>
          }
        />
      )}
      <Services />
      <Suggested />
      {others.length > 0 && (
        <section className={css.part}>
          <h2>{m.runningOthers}</h2>
          <div className={css.grid}>
            {others.map((session) => (
              <SessionCard key={session.id} session={session} mine={false} />
            ))}
          </div>
        </section>
      )}
      <Ended page={ended.data} />
    </div>
  )
}
