/** Installing: from a template to rows, instances and an event, in one transaction. */
import { fail, type KalnetError } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { BodyOf } from '@kalnet/contracts/route'
import type { Service, serviceRoutes } from '@kalnet/contracts/service'
import { v7 as newId } from 'uuid'
import type { WholeTemplate } from '../catalog/resolve-service.ts'
import type { Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { checkNeeds, checkReplicas, type Making } from './making.ts'
import { nameFor } from './names.ts'
import type { ServicesOptions } from './options.ts'
import type { After } from './settle.ts'
import type { Whole } from './shape.ts'
import { statements } from './store.ts'

type Install = BodyOf<typeof serviceRoutes.install>
export interface InstallParts extends ServicesOptions {
  making: Making
  load(tx: Tx, id: string): Promise<Whole | null>
  settle(tx: Tx, id: string, refused: (problem: KalnetError) => void): Promise<After>
  tell(tx: Tx, id: string): Promise<Service>
}
/** Two that take the same free name at one moment: the later one takes the next. */
const NAME_TRIES = 5

export function createInstall(options: InstallParts) {
  const { store, clock, making, settle, tell } = options
  const fresh = async (tx: Tx, id: string): Promise<Whole> => {
    const whole = await options.load(tx, id)
    if (!whole) throw fail('thing.unknown', { kind: 'service' })
    return whole
  }

  const once = (actor: Actor, body: Install, whole: WholeTemplate) =>
    store.as(actor.organisationId).transaction(async (tx) => {
      const { organisationId } = actor
      const { template } = whole
      const id = newId()
      const { rows } = await statements.names({ organisationId }).execute(tx)
      const name = nameFor(body.name ?? null, template.id, new Set(rows.map((it) => it.name)))
      const owner = { organisation_id: organisationId, name }
      const answers = await making.seal(tx, owner, template, body.answers)
      await statements
        .add({
          id,
          organisationId,
          name,
          title: body.title ?? template.name,
          templateId: template.id,
          templateName: template.name,
          answers,
          replicas: body.replicas,
          placement: { platform: body.platform ?? null, labels: body.labels },
          metadata: {
            version: template.version,
            tags: [],
            capabilities: [...new Set(template.doors.map((door) => door.kind))],
          },
          now: clock.now(),
        })
        .execute(tx)
      await statements.adoptVolumes({ id, organisationId, name }).execute(tx)
      await making.addDependencies(tx, await fresh(tx, id), template, body.dependencies)
      await making.release(tx, actor, await fresh(tx, id), { ...whole, answers })
      await making.open(tx, actor, await fresh(tx, id), template, false)
      const problems: KalnetError[] = []
      const after = await settle(tx, id, (problem) => problems.push(problem))
      // Nothing could be placed at all: said now, to whoever asked, and nothing of it stays.
      if ((await fresh(tx, id)).members.length === 0)
        throw problems[0] ?? fail('placement.none', { problem: 'none of its parts can start' })
      return { service: await tell(tx, id), after }
    })

  return async function install(actor: Actor, body: Install): Promise<Service> {
    const whole = await options.catalog.service(body.templateId)
    const { template } = whole
    checkReplicas(template, body.replicas)
    checkNeeds(template)
    if (body.platform && !template.platforms.includes(body.platform))
      throw fail('placement.none', { problem: `${template.name} does not run on ${body.platform}` })
    for (let attempt = 1; ; attempt++) {
      try {
        const { service, after } = await options.controllers.inTurn(() => once(actor, body, whole))
        after()
        return service
      } catch (error) {
        if (!isDuplicate(error, 'services_organisation_id_name_key')) throw error
        if (body.name !== undefined || attempt === NAME_TRIES)
          throw fail('service.name-taken', { name: body.name ?? template.id })
      }
    }
  }
}
