/** How much room a cluster has in all, and where its things are. */
import type { ClusterView } from '@kalnet/contracts/cluster'
import { number, size } from '../format.ts'
import * as m from '../messages/index.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import { Card } from '../ui/parts.tsx'
import { Meter } from '../ui/progress.tsx'
import css from './cluster.module.css'
import { type Share, shareOf, sumOf } from './cluster-sums.ts'

const cpus = (value: number) => number(value, 1)
export const shareText = ({ ours, others, all }: Share, words: (it: number) => string) =>
  others === null
    ? m.clusterOurs(words(ours), words(all))
    : m.clusterBoth(words(ours), words(others), words(all))

export function ClusterRoom({ cluster }: { cluster: ClusterView }) {
  const sum = cluster.machines && sumOf(cluster.machines)
  return (
    <Card label={m.clusterRoom}>
      <div className={css.section}>
        <h2>{m.clusterRoom}</h2>
        {sum ? (
          <>
            <Meter label={m.clusterMemory} share={shareOf(sum.memory)} text={shareText(sum.memory, size)} />
            <Meter label={m.clusterCpu} share={shareOf(sum.cpus)} text={shareText(sum.cpus, cpus)} />
            <p className={css.quiet}>
              {sum.memory.others === null ? m.clusterAsked : m.clusterAskedBoth}{' '}
              {sum.mostFree > 0 ? m.clusterMost(size(sum.mostFree)) : m.clusterMostNone}{' '}
              {sum.memory.others === null && m.clusterOthersUnknown}
            </p>
          </>
        ) : (
          <p className={css.quiet}>{m.clusterRoomUnknown}</p>
        )}
      </div>
    </Card>
  )
}

const REGISTRY: Record<ClusterView['registry']['state'], Tone> = {
  none: 'quiet',
  answers: 'good',
  refuses: 'bad',
  away: 'warn',
}

function Storage({ storageClasses }: Pick<ClusterView, 'storageClasses'>) {
  if (!storageClasses) return m.clusterStorageUnknown
  if (storageClasses.length === 0) return m.clusterStorageNone
  return (
    <ul className={css.plain}>
      {storageClasses.map(({ name, usual, chosen }) => (
        <li key={name}>
          {name}
          {(chosen || usual) && (
            <span className={css.quiet}> · {chosen ? m.clusterStorageOurs : m.clusterStorageUsual}</span>
          )}
        </li>
      ))}
    </ul>
  )
}

export function ClusterFacts({ cluster }: { cluster: ClusterView }) {
  const { namespaces, registry } = cluster
  return (
    <Card>
      <dl className={css.facts}>
        <dt>{m.clusterNamespaces(namespaces.length)}</dt>
        <dd>{namespaces.join(', ')}</dd>
        <dt>{m.clusterRegistry}</dt>
        <dd>
          {registry.address && <p>{registry.address}</p>}
          <Badge tone={REGISTRY[registry.state]}>{m.clusterRegistryStates[registry.state]}</Badge>
          {registry.detail && <p className={css.quiet}>{registry.detail}</p>}
        </dd>
        <dt>{m.clusterStorage}</dt>
        <dd>
          <Storage storageClasses={cluster.storageClasses} />
        </dd>
      </dl>
    </Card>
  )
}
