/** The releases of a service, newest first, and the way back to one that was replaced. */
import type { Release, Service } from '@kalnet/contracts/service'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Undo2 } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { Ago } from '../ui/ago.tsx'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './page.module.css'
import { releasesQuery } from './queries.ts'
import { ReleaseBadge } from './words.tsx'

const Back = later(() => import('./back.tsx'))

function Row({ release, onBack }: { release: Release; onBack: (() => void) | null }) {
  return (
    <li className={css.release}>
      <div className={css.releaseWords}>
        <strong>
          {m.releaseNumber(release.number)} · {release.version}
        </strong>
        <span className={css.quiet}>
          <Ago at={release.createdAt} />
          {release.byName && <> {m.releaseBy(release.byName)}</>}
        </span>
        {release.reason && <span>{release.reason}</span>}
      </div>
      <ReleaseBadge state={release.state} />
      {onBack && (
        <Button icon={<Undo2 aria-hidden />} aria-label={m.releaseBackNamed(release.number)} onPress={onBack}>
          {m.releaseBack}
        </Button>
      )}
    </li>
  )
}

export default function Releases({ service }: { service: Service }) {
  const me = useMe()
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useInfiniteQuery(releasesQuery(service.id))
  const [chosen, setChosen] = useState<Release | null>(null)
  const items = data?.pages.flatMap((page) => page.items) ?? []
  const manages = may(me, 'service.manage')
  return (
    <section className={css.section} aria-label={m.serviceReleases}>
      <h2>{m.serviceReleases}</h2>
      {isPending && <Skeleton height="160px" />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data && items.length === 0 && <p className={css.quiet}>{m.releasesNone}</p>}
      {items.length > 0 && (
        <ol className={css.releases}>
          {items.map((it) => (
            <Row
              key={it.id}
              release={it}
              onBack={manages && it.state === 'replaced' ? () => setChosen(it) : null}
            />
          ))}
        </ol>
      )}
      {hasNextPage && (
        <Button isPending={isFetchingNextPage} onPress={() => void fetchNextPage()}>
          {m.showMore}
        </Button>
      )}
      {chosen && <Back service={service} release={chosen} onClose={() => setChosen(null)} />}
    </section>
  )
}
