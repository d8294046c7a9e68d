/** One service as a card: what it is, how it is, where it opens. */
import type { Service } from '@kalnet/contracts/service'
import { Link } from 'wouter'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { Badge } from '../ui/badge.tsx'
import { Progress } from '../ui/progress.tsx'
import { healthOf, isBusy, opensAt, progressOf, restartsOf } from './facts.ts'
import { ServiceIcon } from './icon.tsx'
import { OpenLink, shortAddress } from './open-link.tsx'
import css from './services.module.css'
import { healthWord, ServiceBadge } from './words.tsx'

const KINDS: Record<Service['kind'], string | null> = {
  managed: null,
  outside: m.serviceOutside,
  platform: m.servicePlatform,
}

function Quiet({ service }: { service: Service }) {
  const health = healthOf(service)
  const restarts = restartsOf(service)
  return (
    <p className={css.quiet}>
      {health ? (
        <>
          {healthWord(health.state)} {m.serviceHealthSince} <Ago at={health.changedAt} />
        </>
      ) : (
        m.serviceNotAsked
      )}
      {restarts > 0 && <> · {m.serviceRestarts(restarts)}</>}
    </p>
  )
}

export function ServiceCard({ service }: { service: Service }) {
  const kind = KINDS[service.kind]
  const url = opensAt(service)
  const progress = isBusy(service) ? progressOf(service) : null
  return (
    <article className={css.card} aria-label={service.title}>
      <ServiceIcon service={service} size={48} />
      <div className={css.words}>
        <h2>
          <Link href={`/services/${service.id}`} className={css.whole}>
            {service.title}
          </Link>
        </h2>
        {service.url && service.mayOpen !== false && (
          <p className={css.address}>{shortAddress(service.url)}</p>
        )}
        {service.mayOpen === false && <p className={css.quiet}>{m.serviceClosed}</p>}
      </div>
      <div className={css.state}>
        <ServiceBadge state={service.state} />
        {kind && <Badge tone="quiet">{kind}</Badge>}
        {url && (
          <span className={css.open}>
            <OpenLink url={url} title={service.title} />
          </span>
        )}
      </div>
      {progress ? (
        <div className={css.progress}>
          <p className={css.quiet}>{progress.text}</p>
          <Progress label={progress.text} share={progress.share} />
        </div>
      ) : service.reason ? (
        <p className={css.reason}>{service.reason}</p>
      ) : (
        <Quiet service={service} />
      )}
    </article>
  )
}
