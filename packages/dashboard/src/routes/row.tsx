/** One address: where it leads, who may pass, how it goes, what can be done with it. */
import type { Allowed } from '@kalnet/contracts/app'
import type { GatewayRoute } from '@kalnet/contracts/gateway'
import { Ellipsis, Globe, SlidersHorizontal, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useWhoWords } from '../apps/who.tsx'
import * as m from '../messages/index.ts'
import { Badge } from '../ui/badge.tsx'
import { IconButton } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Menu } from '../ui/menu.tsx'
import { Figures, type RouteNumbers } from './figures.tsx'
import css from './routes.module.css'
import { addressOf, rulesOf } from './words.ts'

const Edit = later(() => import('./edit.tsx'))
const Remove = later(() => import('./remove.tsx'))

const isEverybody = ({ roles, groups }: Allowed) => roles.length + groups.length === 0

interface RowProps {
  route: GatewayRoute
  numbers: RouteNumbers | null
  manages: boolean
  /** The page is not about this one service. */
  named: boolean
}
export function RouteRow({ route, numbers, manages, named }: RowProps) {
  const [open, setOpen] = useState<'edit' | 'remove' | null>(null)
  const who = useWhoWords()
  const close = () => setOpen(null)
  const address = addressOf(route)
  const rules = rulesOf(route.policy)
  const { breaker } = numbers ?? {}
  const passes =
    route.match.kind !== 'http'
      ? m.routeAnybody
      : route.access === 'public'
        ? m.routePublic
        : isEverybody(route.allowed)
          ? m.routeSignedIn
          : who(route.allowed)
  const outside = route.exposure === 'external'
  const troubled = breaker === 'open' || breaker === 'half-open'
  const more = [
    outside ? null : m.routeInternalShort,
    route.appPasswords ? m.routePasswords : null,
    route.upstreamTls === 'mutual' ? m.routeMutual : null,
    route.byTemplate ? m.routeTemplate : null,
  ].filter((it) => it !== null)
  return (
    <li className={css.row}>
      <div className={css.words}>
        <strong className={css.address}>
          {route.url ? (
            <a href={route.url} target="_blank" rel="noreferrer noopener">
              {address}
            </a>
          ) : (
            address
          )}
        </strong>
        {named && <span className={css.quiet}>{m.routeLeads(route.serviceName, route.port)}</span>}
        <span className={css.quiet}>{[passes, ...more].join(' · ')}</span>
        {(outside || troubled) && (
          <span className={css.badges}>
            {outside && (
              <Badge tone="info" icon={<Globe aria-hidden />}>
                {m.routeExternal}
              </Badge>
            )}
            {troubled && <Badge tone="warn">{breaker === 'open' ? m.figureBreaker : m.figureTrying}</Badge>}
          </span>
        )}
        {rules.length > 0 && <span className={css.quiet}>{rules.join(' ')}</span>}
      </div>
      <Figures numbers={numbers} />
      {manages && (
        <Menu
          label={m.routeActions(address)}
          trigger={
            <IconButton label={m.routeActions(address)}>
              <Ellipsis aria-hidden />
            </IconButton>
          }
          actions={[
            {
              id: 'edit',
              label: m.routeChange,
              icon: <SlidersHorizontal aria-hidden />,
              onAction: () => setOpen('edit'),
            },
            {
              id: 'remove',
              label: m.routeRemove,
              icon: <Trash2 aria-hidden />,
              danger: true,
              onAction: () => setOpen('remove'),
            },
          ]}
        />
      )}
      {open === 'edit' && <Edit route={route} onClose={close} />}
      {open === 'remove' && <Remove route={route} onClose={close} />}
    </li>
  )
}
