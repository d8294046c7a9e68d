/** Reads services whole and tells everybody what they are now. */
import { isDeepStrictEqual } from 'node:util'
import { fail } from '@kalnet/contracts/errors'
import type { Service } from '@kalnet/contracts/service'
import type { Catalog } from '../catalog/catalog.ts'
import type { Events } from '../core/events.ts'
import type { Tx } from '../core/store.ts'
import type { ServiceAddress } from './address.ts'
import { statements as members } from './members.store.ts'
import { memberOf, shapeService, type Whole } from './shape.ts'
import { type ServiceRow, statements } from './store.ts'

export interface LoadParts {
  events: Events
  catalog: Pick<Catalog, 'newest'>
  addressOf(name: string): ServiceAddress
}

export function createLoad({ events, catalog, addressOf }: LoadParts) {
  async function loadAll(tx: Tx, rows: readonly ServiceRow[]): Promise<Whole[]> {
    const ids = rows.map((it) => it.id)
    if (ids.length === 0) return []
    const instances = (await members.of({ ids }).execute(tx)).rows
    const releases = (await statements.current({ ids }).execute(tx)).rows
    const needs = (await statements.dependencies({ ids }).execute(tx)).rows
    const registered = (await statements.registered({ ids }).execute(tx)).rows
    return rows.map((row) => ({
      row,
      releases: releases.filter((it) => it.service_id === row.id),
      members: instances.filter((it) => it.service_id === row.id).map(memberOf),
      dependencies: needs.filter((it) => it.service_id === row.id).map((it) => it.needs_name),
      registered: registered.find((it) => it.service_id === row.id)?.count ?? 0,
    }))
  }
  const load = async (tx: Tx, id: string): Promise<Whole | null> =>
    (await loadAll(tx, (await statements.read({ id }).execute(tx)).rows))[0] ?? null
  const told = async (whole: Whole): Promise<Service> =>
    shapeService(
      whole,
      whole.row.template_id === null ? null : await catalog.newest(whole.row.template_id),
      addressOf(whole.row.name).url,
    )

  const look = async (tx: Tx, id: string) => {
    const whole = await load(tx, id)
    if (!whole) throw fail('thing.unknown', { kind: 'service' })
    return { service: await told(whole), organisationId: whole.row.organisation_id }
  }

  return {
    load,
    loadAll,
    told,
    look,
    /** Throws thing.unknown. `unless`: what everybody knows already; the same again is not said. */
    async tell(tx: Tx, id: string, unless: Service | null = null): Promise<Service> {
      const { service, organisationId } = await look(tx, id)
      if (!isDeepStrictEqual(service, unless))
        await events.publish(tx, 'service.changed', { organisationId, userId: null }, service)
      return service
    },
  }
}
