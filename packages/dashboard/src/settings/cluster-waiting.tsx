/** What was told to start in a cluster and has not begun: since when, and why. */
import type { ClusterView } from '@kalnet/contracts/cluster'
import { Link } from 'wouter'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { Card } from '../ui/parts.tsx'
import css from './cluster.module.css'

type Waiting = ClusterView['waiting'][number]

function Row({ it }: { it: Waiting }) {
  return (
    <li className={css.waiting}>
      <div className={css.sectionHead}>
        {it.of ? (
          <Link href={`/${it.of.kind}s/${it.of.id}`}>{it.of.name}</Link>
        ) : (
          <span>{m.clusterWaitingOther}</span>
        )}
        <span className={css.quiet}>
          {m.clusterWaitingSince} <Ago at={it.since} />
        </span>
      </div>
      <p>{it.text}</p>
    </li>
  )
}

export function ClusterWaiting({ cluster: { waiting, waitingCount } }: { cluster: ClusterView }) {
  const left = waitingCount - waiting.length
  return (
    <Card label={m.clusterWaiting}>
      <div className={css.section}>
        <h2>{m.clusterWaiting}</h2>
        {waitingCount === 0 ? (
          <p className={css.quiet}>{m.clusterWaitingNone}</p>
        ) : (
          <ul className={css.rows}>
            {waiting.map((it) => (
              <Row key={it.instanceId} it={it} />
            ))}
          </ul>
        )}
        {left > 0 && <p className={css.quiet}>{m.clusterWaitingMore(left)}</p>}
      </div>
    </Card>
  )
}
