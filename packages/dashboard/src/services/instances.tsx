/** What runs of a service: each with its state, health, machine, and when it is started again. */
import type { Service, ServiceInstance } from '@kalnet/contracts/service'
import type { InstanceUse } from '@kalnet/contracts/use'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { PLATFORM_WORDS } from '../catalog/words.ts'
import { serviceUseQuery } from '../instances/queries.ts'
import { UseNow } from '../instances/use.tsx'
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

/** Of these somebody can tell what they use. */
const RUNS: ReadonlySet<ServiceInstance['state']> = new Set([
  ...(['running', 'finishing', 'stopping', 'unreachable'] as const),
])

interface InstanceProps {
  instance: ServiceInstance
  keeps: boolean
  use: InstanceUse | undefined
  /** Nobody answered what it uses. */
  useFailed: boolean
}
function Instance({ instance, keeps, use, useFailed }: InstanceProps) {
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
      {RUNS.has(instance.state) && (
        <div className={css.use}>
          <UseNow use={use} failed={useFailed} />
        </div>
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
  const runs = service.instances.some((it) => RUNS.has(it.state))
  const uses = useQuery({ ...serviceUseQuery(service.id), enabled: runs })
  return (
    <section className={css.section}>
      <h2>{m.serviceRunning}</h2>
      {inOrder.length === 0 ? (
        <p className={css.quiet}>{m.serviceNothingRuns}</p>
      ) : (
        <ul className={css.instances}>
          {inOrder.map((it) => (
            <Instance
              key={it.id}
              instance={it}
              keeps={keeps}
              use={uses.data?.items.find((one) => one.instanceId === it.id)}
              useFailed={uses.error !== null}
            />
          ))}
        </ul>
      )}
      <Finishing service={service} />
    </section>
  )
}
