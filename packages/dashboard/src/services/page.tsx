/** One service from all sides: how it is, what can be done, and a tab for each further question. */
import type { Permission } from '@kalnet/contracts/permission'
import type { Service } from '@kalnet/contracts/service'
import { useQuery } from '@tanstack/react-query'
import { type ComponentType, useEffect, useRef } from 'react'
import { Link, useParams } from 'wouter'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { useTitle } from '../shell/use-title.ts'
import { later } from '../ui/later.tsx'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import { Acts } from './acts.tsx'
import { ServiceIcon } from './icon.tsx'
import { Overview } from './overview.tsx'
import css from './page.module.css'
import { serviceQuery } from './queries.ts'
import { ServiceBadge } from './words.tsx'

interface Part {
  label: string
  permission: Permission
  /** Of which kinds of services there is something to see. */
  kinds: readonly Service['kind'][]
  Part: ComponentType<{ service: Service }>
}
const ALL = ['managed', 'outside', 'platform'] as const
const PART_COMES = <Skeleton height="260px" />
const PARTS: Record<string, Part> = {
  '': { label: m.serviceOverview, permission: 'service.read', kinds: ALL, Part: Overview },
  addresses: {
    label: m.serviceAddresses,
    permission: 'route.read',
    kinds: ALL,
    Part: later(() => import('./addresses.tsx'), PART_COMES),
  },
  releases: {
    label: m.serviceReleases,
    permission: 'service.operate',
    kinds: ['managed'],
    Part: later(() => import('./releases.tsx'), PART_COMES),
  },
  logs: {
    label: m.serviceLogs,
    permission: 'service.operate',
    kinds: ['managed'],
    Part: later(() => import('./logs.tsx'), PART_COMES),
  },
  settings: {
    label: m.serviceSettings,
    permission: 'service.manage',
    kinds: ['managed', 'outside'],
    Part: later(() => import('./settings.tsx'), PART_COMES),
  },
}

function Tabs({ service, here }: { service: Service; here: string }) {
  const me = useMe()
  const tabs = useRef<HTMLElement>(null)
  // On a phone the tabs are wider than the page: the one that is shown stands in sight.
  useEffect(() => {
    tabs.current?.querySelector('[aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' })
  }, [])
  const parts = Object.entries(PARTS).filter(
    ([, { permission, kinds }]) => may(me, permission) && kinds.includes(service.kind),
  )
  if (parts.length < 2) return null
  return (
    <nav ref={tabs} aria-label={m.serviceParts} className={css.tabs}>
      {parts.map(([part, { label }]) => (
        <Link
          key={part}
          href={`/services/${service.id}${part && `/${part}`}`}
          aria-current={part === here ? 'page' : undefined}
        >
          {label}
        </Link>
      ))}
    </nav>
  )
}

export default function ServicePage() {
  const { id = '', part = '' } = useParams()
  const { data: service, error, refetch } = useQuery(serviceQuery(id))
  useTitle(service?.title ?? m.services)
  if (!service) {
    return error ? (
      <div className={css.page}>
        <h1>{m.serviceGone}</h1>
        <ErrorBox problem={error} retry={() => void refetch()} />
      </div>
    ) : (
      <div className={css.page} aria-busy="true">
        <Skeleton width="50%" height="56px" />
        <Skeleton height="44px" />
        <Skeleton height="260px" />
      </div>
    )
  }
  const here = PARTS[part] ? part : ''
  const Part = PARTS[here]?.Part ?? Overview
  return (
    <div className={css.page}>
      <header className={css.head}>
        <ServiceIcon service={service} size={56} />
        <div className={css.title}>
          <h1>{service.title}</h1>
          <ServiceBadge state={service.state} />
        </div>
        <Acts service={service} />
      </header>
      <Tabs service={service} here={here} />
      <Part service={service} />
    </div>
  )
}
