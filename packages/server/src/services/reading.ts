/** What can be looked at of services: the list, one of them, its log, how its health changed, its releases. */
import { fail } from '@kalnet/contracts/errors'
import { type Actor, can, type Permission } from '@kalnet/contracts/permission'
import type { QueryOf } from '@kalnet/contracts/route'
import type { Service, serviceRoutes } from '@kalnet/contracts/service'
import type { Store, Tx } from '../core/store.ts'
import { assertManaged } from './acting.ts'
import { statements as members } from './members.store.ts'
import type { ServicesOptions } from './options.ts'
import { shapeHealth, shapeRelease, type Whole } from './shape.ts'
import { type ServiceRow, statements } from './store.ts'

type ListQuery = QueryOf<typeof serviceRoutes.list>

export interface ReadingParts extends Pick<ServicesOptions, 'openTo' | 'instances'> {
  store: Store
  loadAll(tx: Tx, rows: readonly ServiceRow[]): Promise<Whole[]>
  told(whole: Whole): Promise<Service>
  /** Throws thing.unknown, permission.denied. */
  allowed(tx: Tx, actor: Actor, permission: Permission, id: string): Promise<Whole>
  readLogs(controllerId: string, instanceId: string, lines: number, signal: AbortSignal): Promise<string[]>
}

export function createReading({ store, instances, loadAll, told, allowed, readLogs, openTo }: ReadingParts) {
  /** With what is open to this person. */
  async function forPerson(actor: Actor, services: readonly Service[]): Promise<Service[]> {
    const urls = services.flatMap(({ url }) => url ?? [])
    const open = await openTo?.(actor, urls)
    return services.map((it) => {
      const mayOpen = it.url === null ? undefined : open?.get(it.url)
      return mayOpen === undefined ? it : { ...it, mayOpen }
    })
  }
  return {
    async list(actor: Actor, { after, limit, search, tag }: ListQuery) {
      const page = await store.as(actor.organisationId).read(async (tx) => {
        const wanted = { after: after ?? null, search: search ?? null, tag: tag ?? null, limit: limit + 1 }
        const { rows } = await statements.list(wanted).execute(tx)
        const items = await Promise.all((await loadAll(tx, rows.slice(0, limit))).map(told))
        return { items, next: rows.length > limit ? (items.at(-1)?.name ?? null) : null }
      })
      return { ...page, items: await forPerson(actor, page.items) }
    },
    async read(actor: Actor, id: string, permission: Permission = 'service.read'): Promise<Service> {
      const service = await store.as(actor.organisationId).read(async (tx) => {
        const service = await told(await allowed(tx, actor, permission, id))
        if (!can(actor, 'controller.read')) return service
        const placed = await instances.placed(
          tx,
          service.instances.map((it) => it.id),
        )
        return {
          ...service,
          instances: service.instances.map((it) => ({ ...it, placed: placed.get(it.id) })),
        }
      })
      return (await forPerson(actor, [service]))[0] ?? service
    },

    async logs(actor: Actor, id: string, query: QueryOf<typeof serviceRoutes.logs>, signal: AbortSignal) {
      const whole = await store
        .as(actor.organisationId)
        .read((tx) => allowed(tx, actor, 'service.operate', id))
      assertManaged(whole)
      const chosen = whole.members.filter((it) => query.instance === undefined || it.id === query.instance)
      if (query.instance !== undefined && chosen.length === 0)
        throw fail('thing.unknown', { kind: 'instance' })
      const [first, ...others] = chosen
      if (first && others.length === 0) return readLogs(first.controllerId, first.id, query.lines, signal)
      const all = await Promise.all(
        chosen.map(async (it) => {
          const name = `${it.part}-${it.number}`
          const lines = await readLogs(it.controllerId, it.id, query.lines, signal).catch(() => [
            '(its machine is not connected)',
          ])
          return lines.map((line) => `${name}: ${line}`)
        }),
      )
      return all.flat().slice(-query.lines)
    },
    history: (actor: Actor, id: string, { after, limit }: { after?: string; limit: number }) =>
      store.as(actor.organisationId).read(async (tx) => {
        await allowed(tx, actor, 'service.read', id)
        const { rows } = await members
          .listHealth({ serviceId: id, after: after ?? null, limit: limit + 1 })
          .execute(tx)
        const shown = rows.slice(0, limit)
        return {
          items: shown.map(shapeHealth),
          next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
        }
      }),
    /** `id` null: of all services. */
    releases: (actor: Actor, id: string | null, { after, limit }: { after?: string; limit: number }) =>
      store.as(actor.organisationId).read(async (tx) => {
        if (id !== null) await allowed(tx, actor, 'service.read', id)
        const { rows } = await statements
          .listReleases({ serviceId: id, after: after ?? null, limit: limit + 1 })
          .execute(tx)
        const shown = rows.slice(0, limit)
        return {
          items: shown.map(shapeRelease),
          next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
        }
      }),
  }
}
