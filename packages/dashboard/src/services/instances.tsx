/** What runs of a service: each with its state, health, machine, and when it is started again. */
import type { Service, ServiceInstance } from '@kalnet/contracts/service'
import { useEffect, useState } from 'react'
import { PLATFORM_WORDS } from '../catalog/words.ts'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { Ago } from '../ui/ago.tsx'
import { Button } from '../ui/button.tsx'
import { useFinish } from './actions.ts'
import css from './page.module.css'
import { HealthBadge, InstanceBadge, instanceName } from './words.tsx'

/** Counts down while it is looked at. */
function NextStart({ at }: { at: string }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.ceil((Date.parse(at) - now) / 1_000)
  return <strong>{seconds > 0 ? m.serviceNextStart(seconds) : m.serviceNextStartNow}</strong>
}

function Instance({ instance, keeps }: { instance: ServiceInstance; keeps: boolean }) {
  const { health } = instance
  const name = instanceName(instance)
  return (
    <li className={css.instance}>
      <div className={css.instanceHead}>
        <strong>{name}</strong>
        <InstanceBadge state={instance.state} />
        {health && instance.state === 'running' && <HealthBadge state={health.state} />}
      </div>
      {instance.reason && <p>{instance.reason}</p>}
      {health?.detail && keeps && <p className={css.quiet}>{health.detail}</p>}
      <p className={css.quiet}>
        {instance.controllerName
          ? m.servicePlace(instance.controllerName, PLATFORM_WORDS[instance.platform])
          : m.serviceNoMachine}
        {instance.startedAt && (
          <>
            {' · '}
            {m.serviceStarted} <Ago at={instance.startedAt} />
          </>
        )}
        {' · '}
        {m.releaseNumber(instance.release)}
      </p>
      {(instance.restarts > 0 || instance.nextStartAt) && (
        <p className={css.quiet}>
          {m.serviceRestarts(instance.restarts)}
          {instance.nextStartAt && (
            <>
              {' · '}
              <NextStart at={instance.nextStartAt} />
            </>
          )}
        </p>
      )}
    </li>
  )
}

/** Somebody may be in a call or a game there: they end by themselves, or when a person says so. */
function Finishing({ service }: { service: Service }) {
  const me = useMe()
  const finish = useFinish()
  if (!service.instances.some((it) => it.state === 'finishing')) return null
  return (
    <div className={css.acts}>
      <p className={css.quiet}>{m.serviceFinishingText}</p>
      {may(me, 'service.operate') && (
        <Button isPending={finish.isPending} onPress={() => finish.mutate(service)}>
          {m.serviceFinish}
        </Button>
      )}
    </div>
  )
}

export function Instances({ service, keeps }: { service: Service; keeps: boolean }) {
  const inOrder = service.instances.toSorted(
    (one, other) =>
      one.part.localeCompare(other.part) || one.number - other.number || one.release - other.release,
  )
  return (
    <section className={css.section}>
      <h2>{m.serviceRunning}</h2>
      {inOrder.length === 0 ? (
        <p className={css.quiet}>{m.serviceNothingRuns}</p>
      ) : (
        <ul className={css.instances}>
          {inOrder.map((it) => (
            <Instance key={it.id} instance={it} keeps={keeps} />
          ))}
        </ul>
      )}
      <Finishing service={service} />
    </section>
  )
}
