/** Controllers over HTTP. */
import { id } from '@kalnet/contracts/basics'
import type { ClusterChoice } from '@kalnet/contracts/cluster'
import { controllerRoutes } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import type { HomesThere } from '@kalnet/contracts/kept'
import type { Actor } from '@kalnet/contracts/permission'
import { type Handler, handle } from '../core/http.ts'
import { parseInput } from '../core/parse.ts'
import type { Controllers } from './controllers.ts'

/** From the choice and who joins what; the same for the same. */
export type WriteManifest = (
  choice: ClusterChoice,
  joining: { name: string; url: string; fingerprint: string | null; token: string },
) => string | Promise<string>

export interface ControllerRoutesOptions {
  controllers: Controllers
  /** Takes its rows away and cuts its live link. */
  revoke(actor: Actor, controllerId: string): Promise<void>
  /** Closes it and asks all sessions there to stop; answers how many. */
  drain(actor: Actor, controllerId: string): Promise<number>
  /** Resolves when its new key is the only valid one. */
  rotate(controllerId: string): Promise<void>
  /** What is kept there of sessions that do not run. */
  homes(actor: Actor): Promise<HomesThere[]>
  /** What makes a controller of a cluster, YAML; absent: this server cannot write it. */
  manifest?: WriteManifest | undefined
  /** The address controllers are told, and for HTTPS by our own authority its fingerprint. */
  address(): { url: string; fingerprint: string | null }
}

export const routesOfControllers = ({
  controllers,
  revoke,
  drain,
  rotate,
  homes,
  manifest,
  address,
}: ControllerRoutesOptions): Handler[] => [
  handle(controllerRoutes.list, ({ actor, query }) =>
    controllers.list(
      actor.organisationId,
      parseInput(id.optional(), query.after, 'query') ?? null,
      query.limit,
    ),
  ),
  handle(controllerRoutes.token, async ({ actor, body }) => {
    const { name, cluster } = body
    const { url, fingerprint } = address()
    const where = { name, url: cluster?.url ?? url, fingerprint }
    if (cluster && !manifest) throw fail('request.invalid', { problem: 'this server writes no manifests' })
    // What cannot be written is refused before there is a token.
    if (cluster) await manifest?.(cluster, { ...where, token: '' })
    const made = await controllers.makeToken(actor.organisationId, name)
    const written = cluster && (await manifest?.(cluster, { ...where, token: made.token }))
    const trust = fingerprint ? ` --ca-fingerprint ${fingerprint}` : ''
    const only = cluster ? ' --platforms kubernetes' : ''
    const command = `./kalnet controller --join ${where.url} --token ${made.token}${trust}${only}`
    return { ...made, command, ...(written !== undefined && { manifest: written }) }
  }),
  handle(controllerRoutes.cluster, ({ actor, params }) =>
    controllers.cluster(actor.organisationId, params.id),
  ),
  handle(controllerRoutes.homes, async ({ actor }) => ({ items: await homes(actor) })),
  handle(controllerRoutes.enrol, async ({ body, audit }) => {
    const controllerId = await controllers.enrol(body)
    audit({ name: body.name }, controllerId)
    return { controllerId }
  }),
  handle(controllerRoutes.change, async ({ actor, params, body, audit }) => {
    const { name, cordoned, labels } = body
    const changed = {
      ...(name !== undefined && { name }),
      ...(cordoned !== undefined && { cordoned }),
      ...(labels !== undefined && {
        labels: Object.entries(labels)
          .map((pair) => pair.join('='))
          .join(' '),
      }),
    }
    audit(changed, params.id)
    return controllers.change(actor, params.id, body)
  }),
  handle(controllerRoutes.drain, async ({ actor, params, audit }) => {
    audit({}, params.id)
    const stopping = await drain(actor, params.id)
    audit({ stopping })
    return { stopping }
  }),
  handle(controllerRoutes.rotate, async ({ actor, params }) => {
    await controllers.managed(actor, params.id)
    await rotate(params.id)
    return {}
  }),
  handle(controllerRoutes.revoke, async ({ actor, params, audit }) => {
    audit({}, params.id)
    await revoke(actor, params.id)
    return {}
  }),
]
