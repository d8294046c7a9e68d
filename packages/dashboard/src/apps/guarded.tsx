/** The guarded addresses: where, who passes, what can be done with each. */
import type { ForwardRoute } from '@kalnet/contracts/forward'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Ellipsis, Plus, ShieldCheck, Trash2, Users } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Badge } from '../ui/badge.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { later } from '../ui/later.tsx'
import { Menu } from '../ui/menu.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './apps.module.css'
import { guardedQuery } from './queries.ts'
import { Tile } from './tile.tsx'
import { useWhoWords } from './who.tsx'

const Guard = later(() => import('./guard.tsx'))

function Row({ route }: { route: ForwardRoute }) {
  const [open, setOpen] = useState<'who' | 'remove' | null>(null)
  const who = useWhoWords()
  const close = () => setOpen(null)
  const remove = useMutation({
    mutationFn: () => call(ROUTES.forwards.remove, { params: { id: route.id } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['forward-routes'] }),
    onError: tellProblem,
  })
  return (
    <li className={css.row}>
      <Tile name={route.name} small />
      <div className={css.rowWords}>
        <strong>{route.name}</strong>
        <span className={css.quiet}>
          {route.host}
          {route.pathPrefix === '/' ? '' : route.pathPrefix} ·{' '}
          {route.who === 'public' ? m.forwardPublic : who(route.allowed)}
        </span>
        {route.appPasswords && (
          <span className={css.badges}>
            <Badge tone="quiet">{m.forwardPasswordsShort}</Badge>
          </span>
        )}
      </div>
      <Menu
        label={m.appActions(route.name)}
        trigger={
          <IconButton label={m.appActions(route.name)}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
        actions={[
          { id: 'who', label: m.appChange, icon: <Users aria-hidden />, onAction: () => setOpen('who') },
          {
            id: 'remove',
            label: m.forwardRemove,
            icon: <Trash2 aria-hidden />,
            danger: true,
            onAction: () => setOpen('remove'),
          },
        ]}
      />
      {open === 'who' && <Guard route={route} onClose={close} />}
      {open === 'remove' && (
        <Confirm
          title={m.forwardRemoveTitle(route.name)}
          text={m.forwardRemoveText}
          action={m.forwardRemoveAction}
          pending={remove.isPending}
          onConfirm={() => remove.mutate(undefined, { onSuccess: close })}
          onClose={close}
        />
      )}
    </li>
  )
}

export function Guarded() {
  const { data, error, isPending, refetch } = useQuery(guardedQuery)
  const [adding, setAdding] = useState(false)
  const add = (
    <Button icon={<Plus aria-hidden />} onPress={() => setAdding(true)}>
      {m.forwardAdd}
    </Button>
  )
  return (
    <section className={css.section} aria-label={m.forwardTitle}>
      <div className={css.sectionHead}>
        <div>
          <h2>{m.forwardTitle}</h2>
          <p className={css.quiet}>{m.forwardText}</p>
        </div>
        {data && data.items.length > 0 && add}
      </div>
      {isPending && (
        <div aria-busy="true">
          <Skeleton height="68px" />
        </div>
      )}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && (
        <Empty
          icon={<ShieldCheck aria-hidden />}
          title={m.forwardEmpty}
          text={m.forwardEmptyText}
          next={add}
        />
      )}
      {data && data.items.length > 0 && (
        <ul className={css.card}>
          {data.items.map((route) => (
            <Row key={route.id} route={route} />
          ))}
        </ul>
      )}
      {adding && <Guard onClose={() => setAdding(false)} />}
    </section>
  )
}
