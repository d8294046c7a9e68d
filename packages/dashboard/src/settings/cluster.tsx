/** One cluster: how it is, what waits there and why, its machines, and what of it is not known. */
import type { ClusterView } from '@kalnet/contracts/cluster'
import type { Controller } from '@kalnet/contracts/controller'
import { useQuery } from '@tanstack/react-query'
import { Boxes, ChevronLeft, CirclePause, CloudOff } from 'lucide-react'
import { Link, useParams } from 'wouter'
import * as m from '../messages/index.ts'
import { clusterQuery, controllersQuery, may, useMe } from '../queries.ts'
import { useTitle } from '../shell/use-title.ts'
import { Ago } from '../ui/ago.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card, Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './cluster.module.css'
import { ClusterImages } from './cluster-images.tsx'
import { ClusterMachines } from './cluster-machines.tsx'
import { ClusterFacts, ClusterRoom } from './cluster-room.tsx'
import { ClusterWaiting } from './cluster-waiting.tsx'
import { Connection } from './controller-card.tsx'
import { ControllerMenu } from './controller-menu.tsx'

const driven = (it: Controller) => it.fingerprints.find(({ platform }) => platform === 'kubernetes')

/** Nothing that follows is of now. */
function Notice({ controller, toldAt }: { controller: Controller; toldAt: string | null }) {
  const found = driven(controller)
  const isAway = controller.state !== 'online'
  const at = controller.lastSeenAt ?? toldAt
  if (!isAway && (!found || found.usable)) return null
  return (
    <div className={css.notice} role="status">
      <CloudOff aria-hidden />
      <div>
        <strong>{isAway ? m.clusterAway : m.clusterUnusable}</strong>
        <p className={css.quiet}>{isAway ? at && <Ago at={at} /> : found?.detail}</p>
      </div>
    </div>
  )
}

function Missing({ missing }: Pick<ClusterView, 'missing'>) {
  if (missing.length === 0) return null
  return (
    <Card label={m.clusterMissing}>
      <div className={css.section}>
        <h2>{m.clusterMissing}</h2>
        <p className={css.quiet}>{m.clusterMissingText}</p>
        <ul className={css.rows}>
          {missing.map(({ right, why }) => (
            <li key={right} className={css.missing}>
              <code>{right}</code>
              <span className={css.quiet}>{why}</span>
            </li>
          ))}
        </ul>
      </div>
    </Card>
  )
}

function Head({ controller }: { controller: Controller }) {
  const me = useMe()
  const version = driven(controller)?.version
  return (
    <header className={css.head}>
      <div className={css.title}>
        <h1>{controller.name}</h1>
        <div className={css.badges}>
          <Connection state={controller.state} />
          {controller.cordoned && (
            <Badge tone="warn" icon={<CirclePause aria-hidden />}>
              {m.controllerCordoned}
            </Badge>
          )}
          {version && (
            <Badge tone="quiet" icon={<Boxes aria-hidden />}>
              {m.clusterVersion(version)}
            </Badge>
          )}
        </div>
      </div>
      {may(me, 'controller.manage') && !controller.installation && <ControllerMenu controller={controller} />}
    </header>
  )
}

function Shown({ controller }: { controller: Controller }) {
  const { data, error, isPending, refetch } = useQuery(clusterQuery(controller.id))
  useTitle(controller.name)
  const cluster = data?.cluster
  return (
    <>
      <Head controller={controller} />
      {isPending && <Shape />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data && !cluster && (
        <Empty
          icon={<Boxes aria-hidden />}
          title={driven(controller) || controller.state !== 'online' ? m.clusterSilent : m.clusterNone}
          text={driven(controller) || controller.state !== 'online' ? m.clusterSilentText : m.clusterNoneText}
        />
      )}
      {cluster && (
        <>
          <Notice controller={controller} toldAt={data.toldAt} />
          <div className={css.columns}>
            <div className={css.stack}>
              <ClusterWaiting cluster={cluster} />
              <ClusterMachines cluster={cluster} />
              <ClusterImages images={cluster.images} />
              {!cluster.machines && <Missing missing={cluster.missing} />}
            </div>
            <div className={css.stack}>
              <ClusterRoom cluster={cluster} />
              <ClusterFacts cluster={cluster} />
              {cluster.machines && <Missing missing={cluster.missing} />}
            </div>
          </div>
        </>
      )}
    </>
  )
}

const Shape = () => (
  <div className={css.columns} aria-busy="true">
    <div className={css.stack}>
      <Skeleton height="120px" />
      <Skeleton height="320px" />
    </div>
    <Skeleton height="260px" />
  </div>
)

export default function ClusterPage() {
  const { id } = useParams<{ id: string }>()
  const { data, error, isPending, refetch } = useQuery(controllersQuery)
  const controller = data?.items.find((it) => it.id === id)
  useTitle(m.settingsControllers)
  return (
    <div className={css.page}>
      <Link href="/settings/controllers" className={css.back}>
        <ChevronLeft aria-hidden />
        {m.clusterBack}
      </Link>
      {isPending && (
        <>
          <h1 aria-label={m.clusterBack}>
            <Skeleton width="min(320px, 80%)" height="40px" />
          </h1>
          <Shape />
        </>
      )}
      {error && !data && (
        <>
          <h1>{m.settingsControllers}</h1>
          <ErrorBox problem={error} retry={() => void refetch()} />
        </>
      )}
      {data && !controller && (
        <Empty icon={<Boxes aria-hidden />} title={m.clusterGone} text={m.clusterGoneText} page />
      )}
      {controller && <Shown key={controller.id} controller={controller} />}
    </div>
  )
}
