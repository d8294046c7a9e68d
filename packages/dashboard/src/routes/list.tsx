/** Addresses: all of them, or those of one service. */
import { useQuery } from '@tanstack/react-query'
import { Plus, Signpost } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { useNumbers } from './figures.tsx'
import { routesQuery } from './queries.ts'
import css from './routes.module.css'
import { RouteRow } from './row.tsx'
import { WayInNotice } from './way-in.tsx'

const Add = later(() => import('./add.tsx'))

export function RouteList({ service }: { service?: string }) {
  const me = useMe()
  const { data, error, isPending, refetch } = useQuery(routesQuery(service))
  const numbers = useNumbers()
  const [adding, setAdding] = useState(false)
  const manages = may(me, 'route.manage')
  const add = manages && (
    <Button icon={<Plus aria-hidden />} onPress={() => setAdding(true)}>
      {m.routeAdd}
    </Button>
  )
  return (
    <section className={css.section} aria-label={m.routesTitle}>
      <div className={css.head}>
        <div>
          <h2>{m.routesTitle}</h2>
          <p className={css.quiet}>{m.routesText}</p>
        </div>
        {data && data.items.length > 0 && add}
      </div>
      <WayInNotice routeIds={service && data ? new Set(data.items.map(({ id }) => id)) : null} />
      {isPending && (
        <div aria-busy="true">
          <Skeleton height="200px" />
        </div>
      )}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && (
        <Empty
          icon={<Signpost aria-hidden />}
          title={service ? m.routesEmptyOf : m.routesEmpty}
          text={service ? m.routesEmptyOfText : m.routesEmptyText}
          next={add}
        />
      )}
      {data && data.items.length > 0 && (
        <ul className={css.card}>
          {data.items.map((route) => (
            <RouteRow
              key={route.id}
              route={route}
              numbers={numbers.get(route.id) ?? null}
              manages={manages}
              named={!service}
            />
          ))}
        </ul>
      )}
      {adding && <Add service={service} onClose={() => setAdding(false)} />}
    </section>
  )
}
