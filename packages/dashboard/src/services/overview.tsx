/** A service at a glance: what is wrong or ready, what runs, its health, its facts. */
import type { Service } from '@kalnet/contracts/service'
import { useQuery } from '@tanstack/react-query'
import { ArrowUpCircle } from 'lucide-react'
import { Link } from 'wouter'
import * as m from '../messages/index.ts'
import { may, templatesQuery, useMe } from '../queries.ts'
import { Ago } from '../ui/ago.tsx'
import { Button } from '../ui/button.tsx'
import { Card } from '../ui/parts.tsx'
import { Progress } from '../ui/progress.tsx'
import { useUpdate } from './actions.ts'
import { isBusy, progressOf } from './facts.ts'
import { Health } from './health.tsx'
import { Instances } from './instances.tsx'
import { shortAddress } from './open-link.tsx'
import css from './page.module.css'
import { servicesQuery } from './queries.ts'

function Ready({ service }: { service: Service }) {
  const me = useMe()
  const update = useUpdate()
  if (!service.updateTo || service.kind !== 'managed' || !may(me, 'service.manage')) return null
  return (
    <div className={css.ready}>
      <ArrowUpCircle aria-hidden />
      <div>
        <strong>{m.serviceUpdateTo(service.updateTo)}</strong>
        <p className={css.quiet}>{m.serviceUpdateText}</p>
      </div>
      <Button
        look="primary"
        isPending={update.isPending}
        isDisabled={service.state === 'updating'}
        onPress={() => update.mutate({ service })}
      >
        {m.serviceUpdate}
      </Button>
    </div>
  )
}

function Words({ service }: { service: Service }) {
  const progress = isBusy(service) ? progressOf(service) : null
  if (progress) {
    return (
      <div className={css.progress}>
        <p>{progress.text}</p>
        <Progress label={progress.text} share={progress.share} />
      </div>
    )
  }
  if (!service.reason) return null
  return <p className={service.state === 'failed' ? css.problem : css.note}>{service.reason}</p>
}

function Uses({ service }: { service: Service }) {
  const services = useQuery(servicesQuery).data?.items ?? []
  if (service.dependencies.length === 0) return m.serviceUsesNothing
  return service.dependencies.map((name, at) => {
    const it = services.find((other) => other.name === name)
    return (
      <span key={name}>
        {at > 0 && ', '}
        {it ? <Link href={`/services/${it.id}`}>{it.title}</Link> : name}
      </span>
    )
  })
}

function Facts({ service }: { service: Service }) {
  const { metadata } = service
  return (
    <dl className={css.facts}>
      <div>
        <dt>{m.serviceAddress}</dt>
        <dd>
          {service.mayOpen === false ? (
            m.serviceClosed
          ) : service.url ? (
            <a href={service.url} target="_blank" rel="noreferrer noopener">
              {shortAddress(service.url)}
            </a>
          ) : (
            m.serviceNoAddress
          )}
        </dd>
      </div>
      {(service.version ?? metadata.version) && (
        <div>
          <dt>{m.serviceVersion}</dt>
          <dd>{service.version ?? metadata.version}</dd>
        </div>
      )}
      {service.templateName && (
        <div>
          <dt>{m.serviceTemplate}</dt>
          <dd>{service.templateName}</dd>
        </div>
      )}
      <div>
        <dt>{m.serviceUses}</dt>
        <dd>
          <Uses service={service} />
        </dd>
      </div>
      {metadata.tags.length > 0 && (
        <div>
          <dt>{m.serviceTags}</dt>
          <dd>{metadata.tags.join(', ')}</dd>
        </div>
      )}
      <div>
        <dt>{m.serviceSince}</dt>
        <dd>
          <Ago at={service.createdAt} />
        </dd>
      </div>
    </dl>
  )
}

/** Its template was never seen to work: said wherever one might wonder why it does not. */
function Unproved({ service }: { service: Service }) {
  const { data } = useQuery(templatesQuery)
  const entry = data?.items.find(({ id }) => id === service.templateId)
  if (!entry || entry.proved) return null
  return (
    <p className={css.note}>
      <strong>{m.serviceUnproved}.</strong> {m.serviceUnprovedText}
    </p>
  )
}

export function Overview({ service }: { service: Service }) {
  const me = useMe()
  const keeps = may(me, 'service.operate')
  return (
    <>
      <Words service={service} />
      <Ready service={service} />
      {keeps && <Unproved service={service} />}
      {service.kind !== 'managed' && (
        <p className={css.quiet}>
          {service.kind === 'outside' ? m.serviceOutsideText : m.servicePlatformText}
        </p>
      )}
      <Facts service={service} />
      {(keeps || service.instances.length > 0) && service.kind === 'managed' && (
        <Card label={m.serviceRunning}>
          <Instances service={service} keeps={keeps} />
        </Card>
      )}
      {service.kind !== 'platform' && <Health service={service} />}
    </>
  )
}
