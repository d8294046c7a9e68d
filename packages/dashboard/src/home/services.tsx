/** Services as tiles: a press opens one in a tab of its own. What is not well says so. */
import { useQuery } from '@tanstack/react-query'
import * as m from '../messages/index.ts'
import { needsLook, opensAt } from '../services/facts.ts'
import { ServiceIcon } from '../services/icon.tsx'
import { servicesQuery } from '../services/queries.ts'
import { ServiceBadge } from '../services/words.tsx'
import css from './home.module.css'

/** More are on their own page. */
const SHOWN = 12

export default function Services() {
  const { data } = useQuery(servicesQuery)
  const shown = (data?.items ?? []).filter((it) => it.kind !== 'platform' && opensAt(it) !== null)
  if (shown.length === 0) return null
  return (
    <section className={css.part}>
      <h2>{m.servicesHome}</h2>
      <ul className={css.quick}>
        {shown.slice(0, SHOWN).map((service) => (
          <li key={service.id} className={css.place}>
            <a
              href={service.url ?? undefined}
              target="_blank"
              rel="noreferrer noopener"
              className={css.tile}
              title={m.serviceOpenNamed(service.title)}
            >
              <ServiceIcon service={service} size={36} />
              <span>{service.title}</span>
              {(service.state !== 'running' || needsLook(service)) && (
                <ServiceBadge state={service.state === 'running' ? 'unhealthy' : service.state} />
              )}
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}
