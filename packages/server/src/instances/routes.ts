/** What runs of sessions and services, over HTTP: who may see the one may see what it uses. */
import type { Actor } from '@kalnet/contracts/permission'
import type { Service } from '@kalnet/contracts/service'
import type { Session } from '@kalnet/contracts/session'
import { useRoutes } from '@kalnet/contracts/use'
import { type Handler, handle } from '../core/http.ts'
import type { Uses } from './uses.ts'

export interface InstanceRoutesOptions {
  uses: Uses
  /** Throw thing.unknown, permission.denied. */
  session(actor: Actor, id: string): Promise<Session>
  service(actor: Actor, id: string): Promise<Service>
}

/** Of the others nobody need be asked. */
const RUNNING_SESSION: ReadonlySet<Session['state']> = new Set(['running', 'hibernating', 'stopping'])
const RUNNING_PART: ReadonlySet<Service['instances'][number]['state']> = new Set([
  ...(['starting', 'running', 'finishing', 'stopping', 'unreachable'] as const),
])

export const routesOfInstances = ({ uses, session, service }: InstanceRoutesOptions): Handler[] => [
  handle(useRoutes.session, async ({ actor, params }) => {
    const { instanceId, generation, controllerId, state } = await session(actor, params.id)
    const isRunning = RUNNING_SESSION.has(state)
    const [use] = await uses(actor.organisationId, [{ instanceId, generation, controllerId, isRunning }])
    if (!use) throw new Error('a use was asked for and not answered')
    return use
  }),
  handle(useRoutes.service, async ({ actor, params }) => {
    const { instances } = await service(actor, params.id)
    const items = await uses(
      actor.organisationId,
      instances.map(({ id: instanceId, generation, controllerId, state }) => ({
        ...{ instanceId, generation, controllerId },
        isRunning: RUNNING_PART.has(state),
      })),
    )
    return { items }
  }),
]
