/** Who calls whom: drawn, and the same as a list beside it for whoever does not see the drawing. */
import type { Call } from '@kalnet/contracts/gateway'
import { useQuery } from '@tanstack/react-query'
import { ArrowRight, Share2, TriangleAlert } from 'lucide-react'
import { Group } from 'react-aria-components/Group'
import * as m from '../messages/index.ts'
import { figuresQuery } from '../routes/queries.ts'
import { servicesQuery } from '../services/queries.ts'
import { Ago } from '../ui/ago.tsx'
import { classes } from '../ui/classes.ts'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { BOX, draw } from './layout.ts'
import css from './topology.module.css'

/** A region that scrolls must be reachable by keyboard (axe: scrollable-region-focusable). */
const REACHABLE = { tabIndex: 0 }
const MARGIN = 4

function Graph({ calls, titleOf }: { calls: Call[]; titleOf: (name: string | null) => string }) {
  const { nodes, edges, width, height } = draw(calls)
  return (
    <Group className={css.scroll} {...REACHABLE} aria-label={m.mapTitle}>
      <div
        className={css.canvas}
        style={{ width: width + 2 * MARGIN, height: height + 2 * MARGIN }}
        role="img"
        aria-label={m.mapDrawing(nodes.filter(({ name }) => name !== null).length, edges.length)}
      >
        <svg
          viewBox={`${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}`}
          aria-hidden
          className={css.lines}
        >
          {edges.map(({ call, path, width: thick, failing }) => (
            <path
              key={`${call.from}>${call.to}`}
              d={path}
              strokeWidth={thick}
              className={classes(css.edge, failing && css.failing)}
            />
          ))}
        </svg>
        {nodes.map(({ name, x, y }) => (
          <span
            key={name ?? ''}
            aria-hidden
            className={classes(css.node, name === null && css.outside)}
            style={{ left: x + MARGIN, top: y + MARGIN, width: BOX.width, height: BOX.height }}
          >
            <span>{titleOf(name)}</span>
          </span>
        ))}
      </div>
    </Group>
  )
}

export function Topology() {
  const { data, error, isPending, refetch } = useQuery(figuresQuery)
  const services = useQuery(servicesQuery).data?.items ?? []
  const titleOf = (name: string | null) =>
    name === null ? m.mapOutside : (services.find((it) => it.name === name)?.title ?? name)
  const calls = data?.calls.toSorted((one, other) => other.calls - one.calls) ?? []
  return (
    <section className={css.section} aria-label={m.mapTitle}>
      <div>
        <h2>{m.mapTitle}</h2>
        <p className={css.quiet}>{m.mapText}</p>
      </div>
      {isPending && <Skeleton height="240px" />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data && calls.length === 0 && (
        <Empty icon={<Share2 aria-hidden />} title={m.mapNone} text={m.mapNoneText} />
      )}
      {calls.length > 0 && (
        <div className={css.both}>
          <Graph calls={calls} titleOf={titleOf} />
          <ul className={css.list} aria-label={m.mapList}>
            {calls.map((it) => (
              <li key={`${it.from}>${it.to}`}>
                <span className={css.pair}>
                  {titleOf(it.from)}
                  <ArrowRight role="img" aria-label={m.mapTo} />
                  {titleOf(it.to)}
                </span>
                <span className={css.quiet}>
                  {m.mapCalls(it.calls)} ·{' '}
                  {it.failures > 0 && <TriangleAlert aria-hidden className={css.warn} />}
                  {m.mapFailures(it.failures)} · <Ago at={it.lastAt} />
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}
