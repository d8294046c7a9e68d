/** What the parts of a service run: template, answers and facts resolved, with volumes that outlive instances. */
import { fail } from '@kalnet/contracts/errors'
import type { InstanceSpec } from '@kalnet/contracts/instance'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { resolveService, type ServiceFacts } from '../catalog/resolve-service.ts'
import type { Tx } from '../core/store.ts'
import { secretMark } from '../instances/fill.ts'
import type { ServiceAddress } from './address.ts'
import { isWhole, templateOf, type Whole } from './shape.ts'
import { type ReleaseRow, statements } from './store.ts'

/** Stands where only the shape of a spec is looked at. */
const NO_FOLDER = '00000000-0000-7000-8000-000000000000'

export interface SpecParts {
  clock: Clock
  addressOf(name: string): ServiceAddress
  load(tx: Tx, id: string): Promise<Whole | null>
}

/** Port name → number of what others may link to: the first part's. */
export function portsOf(whole: Whole): Record<string, number> {
  const live = whole.releases.find((it) => it.number === whole.row.release_number) ?? null
  const ports = templateOf(live)?.parts[0]?.ports ?? []
  return Object.fromEntries(ports.flatMap(({ name, at }) => ('tcp' in at ? [[name, at.tcp]] : [])))
}

/** Secret → its mark, of what it hands to others that use it. */
function sharedOf(whole: Whole): Record<string, string> {
  const live = whole.releases.find((it) => it.number === whole.row.release_number) ?? null
  const secrets = templateOf(live)?.secrets.filter((it) => it.shared) ?? []
  return Object.fromEntries(secrets.map(({ name }) => [name, secretMark(whole.row.name, name)]))
}

export function createSpecs({ clock, addressOf, load }: SpecParts) {
  /** A folder is where its first instance was; replicas share it. */
  async function volumesOf(
    tx: Tx,
    whole: Whole,
    release: ReleaseRow,
    part: string,
    controllerId: string | null,
  ) {
    const { row } = whole
    const ids = new Map<string, string>()
    for (const it of (await statements.volumes({ id: row.id }).execute(tx)).rows)
      ids.set(`${it.part}/${it.name}`, it.id)
    for (const it of templateOf(release)?.parts.find((one) => one.name === part)?.volumes ?? []) {
      const key = `${part}/${it.name}`
      if (ids.has(key) || controllerId === null) continue
      const id = newId()
      await statements
        .addVolume({
          id,
          organisationId: row.organisation_id,
          serviceId: row.id,
          serviceName: row.name,
          part,
          name: it.name,
          class: it.class,
          controllerId,
          now: clock.now(),
        })
        .execute(tx)
      ids.set(key, id)
    }
    return ids
  }

  async function factsOf(tx: Tx, whole: Whole, volumes: ReadonlyMap<string, string>): Promise<ServiceFacts> {
    const { row } = whole
    const dependencies: Record<string, Record<string, number>> = {}
    const shared: Record<string, Record<string, string>> = {}
    for (const it of (await statements.dependencies({ ids: [row.id] }).execute(tx)).rows) {
      const other = await load(tx, it.needs_id)
      if (!other) continue
      dependencies[it.name] = portsOf(other)
      shared[it.name] = sharedOf(other)
    }
    return {
      service: { id: row.id, name: row.name, ...addressOf(row.name) },
      openid: row.openid,
      secretMark: (name, isQuoted) => secretMark(row.name, name, isQuoted),
      volumeId: (part, name) => volumes.get(`${part}/${name}`) ?? NO_FOLDER,
      dependencies,
      shared,
    }
  }

  async function specOf(
    tx: Tx,
    whole: Whole,
    release: ReleaseRow,
    part: string,
    controllerId: string | null,
  ): Promise<InstanceSpec> {
    const { content } = release
    if (!isWhole(content)) throw fail('thing.unknown', { kind: 'release' })
    const volumes = await volumesOf(tx, whole, release, part, controllerId)
    const all = resolveService(content, content.answers, await factsOf(tx, whole, volumes))
    const found = all.find((it) => it.part === part)
    if (!found) throw fail('template.invalid', { id: content.template.id, problem: `it has no part ${part}` })
    return found.spec
  }

  return { specOf, factsOf }
}
export type Specs = ReturnType<typeof createSpecs>
