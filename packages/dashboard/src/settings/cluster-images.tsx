/** Images that are brought to the machines of a cluster ahead: how far that is. */
import type { ClusterView } from '@kalnet/contracts/cluster'
import * as m from '../messages/index.ts'
import { Card } from '../ui/parts.tsx'
import css from './cluster.module.css'

export function ClusterImages({ images }: Pick<ClusterView, 'images'>) {
  if (!images?.length) return null
  return (
    <Card label={m.clusterImages}>
      <div className={css.section}>
        <h2>{m.clusterImages}</h2>
        <p className={css.quiet}>{m.clusterImagesText}</p>
        <ul className={css.rows}>
          {images.map(({ name, there, machines, problem }) => (
            <li key={name} className={css.waiting}>
              <div className={css.sectionHead}>
                <span>{name}</span>
                <span className={css.quiet}>{m.clusterImagesOn(there, machines)}</span>
              </div>
              {problem && <p>{problem}</p>}
            </li>
          ))}
        </ul>
      </div>
    </Card>
  )
}
