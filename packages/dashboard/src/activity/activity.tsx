/** Activity: one feed of what happened; all of it for stewards, one's own for everybody. */
import type { AuditRow } from '@kalnet/contracts/audit'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { ArrowUp, Activity as Pulse, SearchX } from 'lucide-react'
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import * as m from '../messages/index.ts'
import { may, queryClient, useMe } from '../queries.ts'
import { useTitle } from '../shell/use-title.ts'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './activity.module.css'
import { Entry } from './entry.tsx'
import { type Chosen, EVERYTHING, Filters, filterOf } from './filters.tsx'
import { activityQuery, chainQuery, sealedQuery } from './queries.ts'
import { Record } from './record.tsx'
import { dayOf, whoOf } from './sentence.ts'

const Details = later(() => import('./details.tsx'))
const Export = later(() => import('./export.tsx'), <Skeleton width="110px" height="44px" />)
/** Events come in bursts: asked again at most this often. */
const CALM_MS = 1_500

/** Asks for the newest page when something was sealed; tells when that would throw away pages that were paged to. */
function useNews(paged: boolean): { waiting: boolean; take: () => void } {
  const { data: sealed } = useQuery(sealedQuery)
  const [waiting, setWaiting] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const take = () => {
    setWaiting(false)
    void queryClient.resetQueries({ queryKey: ['activity'] })
  }
  useEffect(() => {
    if (sealed === undefined) return
    if (paged) return setWaiting(true)
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      void queryClient.invalidateQueries({ queryKey: ['activity'] })
      void queryClient.invalidateQueries({ queryKey: chainQuery.queryKey })
    }, CALM_MS)
  }, [sealed, paged])
  useEffect(() => () => clearTimeout(timer.current), [])
  return { waiting, take }
}

export default function ActivityPage() {
  useTitle(m.activity)
  const me = useMe()
  const steward = may(me, 'audit.read')
  const [chosen, setChosen] = useState<Chosen>(EVERYTHING)
  const [opened, setOpened] = useState<AuditRow | null>(null)
  const own = !steward || chosen.own
  const text = useDeferredValue(chosen.text)
  // The time is taken when something was chosen, not at every drawing.
  const filter = useMemo(() => filterOf({ ...chosen, text }, Date.now()), [chosen, text])
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } =
    useInfiniteQuery(activityQuery(own, filter))
  const news = useNews((data?.pages.length ?? 0) > 1)
  const rows = data?.pages.flatMap((page) => page.items) ?? []
  const days = [...Map.groupBy(rows, (row) => dayOf(row.at, new Date()))]
  const narrowed = Object.keys(filter).length > 0

  const only = (row: AuditRow) => {
    const pick = (change: Partial<Chosen>) => () => {
      setChosen({ ...EVERYTHING, ...change })
      setOpened(null)
    }
    const { userId, object } = row
    return {
      onlyActor: steward && userId ? pick({ actor: { id: userId, name: whoOf(row) } }) : undefined,
      onlyThing: object ? pick({ own, thing: { id: object, name: row.objectName ?? object } }) : undefined,
    }
  }

  return (
    <div className={css.page}>
      <header className={css.head}>
        <div>
          <h1>{m.activity}</h1>
          <p className={css.sub}>{steward ? m.activityText(me.organisationName) : m.activityTextMine}</p>
        </div>
        {steward && <Export filter={filter} />}
      </header>
      {steward && <Record />}
      <Filters chosen={chosen} onChange={setChosen} whose={steward} />
      {news.waiting && (
        <div>
          <Button icon={<ArrowUp aria-hidden />} onPress={news.take}>
            {m.activityNewer}
          </Button>
        </div>
      )}
      {isPending && (
        <div className={css.feed} aria-busy="true">
          {[0, 1, 2, 3, 4].map((at) => (
            <div key={at} className={css.entry}>
              <Skeleton width="36px" height="36px" />
              <Skeleton width="min(340px, 70%)" height="20px" />
            </div>
          ))}
        </div>
      )}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data && rows.length === 0 && (
        <Empty
          icon={narrowed ? <SearchX aria-hidden /> : <Pulse aria-hidden />}
          title={narrowed ? m.activityNone : m.activityEmpty}
          text={narrowed ? m.activityNoneText : m.activityEmptyText}
          next={narrowed && <Button onPress={() => setChosen(EVERYTHING)}>{m.activityClear}</Button>}
        />
      )}
      {days.map(([day, entries]) => (
        <section key={day} className={css.day} aria-label={day}>
          <h2>{day}</h2>
          <ul className={css.feed} aria-label={m.activityFeed}>
            {entries.map((row) => (
              <li key={row.id}>
                <Entry row={row} onOpen={() => setOpened(row)} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {hasNextPage && (
        <div>
          <Button isPending={isFetchingNextPage} onPress={() => void fetchNextPage()}>
            {m.showMore}
          </Button>
        </div>
      )}
      {opened && <Details row={opened} onClose={() => setOpened(null)} {...only(opened)} />}
    </div>
  )
}
