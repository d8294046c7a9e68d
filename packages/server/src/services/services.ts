/** Services: install, start, stop, update, remove, and following what their instances do. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor, Permission } from '@kalnet/contracts/permission'
import type { BodyOf, QueryOf } from '@kalnet/contracts/route'
import type { Service, serviceRoutes } from '@kalnet/contracts/service'
import type { ServiceTemplate } from '@kalnet/contracts/template'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { resolveService, type WholeTemplate } from '../catalog/resolve-service.ts'
import type { Controllers } from '../controllers/controllers.ts'
import type { Events } from '../core/events.ts'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { secretMark } from '../instances/fill.ts'
import type { Instances } from '../instances/instances.ts'
import type { ServiceAddress } from './address.ts'
import { circleIn } from './circle.ts'
import { createFollowing } from './follow.ts'
import { createLinks } from './links.ts'
import { createLoad } from './load.ts'
import { statements as members } from './members.store.ts'
import { createMoves } from './moves.ts'
import { nameFor } from './names.ts'
import { type After, createSettle } from './settle.ts'
import { isWhole, releasesOf, shapeHealth, shapeRelease, templateOf, type Whole } from './shape.ts'
import { createSpecs, portsOf } from './specs.ts'
import { type ReleaseContent, statements } from './store.ts'
import { createVault } from './vault.ts'

/** An app at our OpenID Connect door, made with the service. */
export interface OpenedApp {
  appId: string
  issuer: string
  client: string
  secret: string
}
/** What the lead's composition gives doors to: routes of the gateway. */
export interface DoorsFor {
  service: Pick<Service, 'id' | 'name' | 'title'>
  template: ServiceTemplate
  actor: Actor
}
export interface ServicesOptions {
  store: Store
  events: Events
  clock: Clock
  log: Log
  catalog: Catalog
  controllers: Controllers
  instances: Instances
  secrets: Secrets
  addressOf(name: string): ServiceAddress
  /** Tell the controller; called after the commit. */
  push(controllerId: string, instanceId: string): void
  forget(controllerId: string, instanceId: string, generation: number): void
  /** What a volume held is deleted on its machine; called after the commit. */
  forgetVolume(controllerId: string, volumeId: string): void
  /** In the transaction of the install or update. */
  addDoors(tx: Tx, about: DoorsFor): Promise<void>
  /** In the transaction of the removal, before anything else goes. */
  removeDoors(tx: Tx, serviceId: string): Promise<void>
  /** Throws when this installation signs nobody in (no public address). */
  openApp?(tx: Tx, about: DoorsFor & { callback: string }): Promise<OpenedApp>
  closeApp?(tx: Tx, appId: string): Promise<void>
  readLogs(controllerId: string, instanceId: string, lines: number, signal: AbortSignal): Promise<string[]>
}

type Install = BodyOf<typeof serviceRoutes.install>
type ListQuery = QueryOf<typeof serviceRoutes.list>

const unknown = () => fail('thing.unknown', { kind: 'service' })

export function createServices(options: ServicesOptions) {
  const { store, events, clock, instances } = options
  const { load, loadAll, tell, told } = createLoad(options)
  const specOf = createSpecs({ clock, addressOf: options.addressOf, load })
  const settle = createSettle({ ...options, load, specOf })
  const vault = createVault(options)

  /** The service, if the actor may do this with it; a foreign one looks like none. */
  async function allowed(
    tx: Tx,
    actor: Actor,
    permission: Permission,
    id: string,
    lock = false,
  ): Promise<Whole> {
    if (lock) await statements.lock({ id }).execute(tx)
    const whole = await load(tx, id)
    if (!whole) throw unknown()
    demand(actor, permission, { organisationId: whole.row.organisation_id, userId: null }, 'service')
    return whole
  }
  const managed = ({ row }: Whole) => {
    if (row.kind !== 'managed') throw fail('service.not-managed', { name: row.name })
  }

  /** One change of one service: rows, what follows from them, and the event in one transaction; then controllers hear. */
  async function change(
    actor: Actor,
    permission: Permission,
    id: string,
    work: (tx: Tx, whole: Whole) => Promise<void>,
  ): Promise<Service> {
    const { service, after } = await store.as(actor.organisationId).transaction(async (tx) => {
      await work(tx, await allowed(tx, actor, permission, id, true))
      const after = await settle(tx, id)
      return { service: await tell(tx, id), after }
    })
    after()
    return service
  }

  function checkReplicas(template: ServiceTemplate, replicas: number) {
    const { most } = template.replicas
    if (replicas > most) throw fail('service.replicas', { name: template.name, most })
  }

  function checkNeeds(template: ServiceTemplate) {
    const invalid = (problem: string) => fail('template.invalid', { id: template.id, problem })
    const needs = new Map(template.parts.map((part) => [part.name, part.needs]))
    for (const [part, names] of needs)
      for (const name of names)
        if (!needs.has(name)) throw invalid(`${part} needs ${name}, which is no part of it`)
    const circle = circleIn(needs)
    if (circle) throw invalid(`its parts need each other in a circle: ${circle.join(' → ')}`)
  }

  async function addDependencies(
    tx: Tx,
    whole: Whole,
    template: ServiceTemplate,
    given: Record<string, string>,
  ) {
    const { row } = whole
    const wrong = (problem: string) => fail('service.dependency', { problem })
    const known = new Map(template.dependencies.map((it) => [it.name, it]))
    const stranger = Object.keys(given).find((name) => !known.has(name))
    if (stranger) throw wrong(`${template.name} does not ask for ${stranger}`)
    const needs = new Map<string, string[]>()
    for (const it of (await statements.needs({ organisationId: row.organisation_id }).execute(tx)).rows)
      needs.set(it.name, [...(needs.get(it.name) ?? []), it.needs])
    for (const { name, label, required } of known.values()) {
      const needsId = given[name]
      if (needsId === undefined) {
        if (required) throw wrong(`${label} is not chosen`)
        continue
      }
      const other = await load(tx, needsId)
      if (!other || other.row.organisation_id !== row.organisation_id)
        throw wrong(`there is no service for ${label}`)
      needs.set(row.name, [...(needs.get(row.name) ?? []), other.row.name])
      const circle = circleIn(needs)
      if (circle) throw wrong(`they would need each other in a circle: ${circle.join(' → ')}`)
      await statements
        .addDependency({ organisationId: row.organisation_id, serviceId: row.id, name, needsId })
        .execute(tx)
    }
  }

  /** Refused here with words for whoever asks, and not later by a machine: answers and placeholders. */
  async function tryOut(tx: Tx, whole: Whole, content: ReleaseContent) {
    const dependencies: Record<string, Record<string, number>> = {}
    for (const it of (await statements.dependencies({ ids: [whole.row.id] }).execute(tx)).rows) {
      const other = await load(tx, it.needs_id)
      if (other) dependencies[it.name] = portsOf(other)
    }
    resolveService(content, content.answers, {
      service: { id: whole.row.id, name: whole.row.name, ...options.addressOf(whole.row.name) },
      openid: whole.row.openid ?? { issuer: '', client: '' },
      secretMark: (name) => secretMark(whole.row.name, name),
      volumeId: () => newId(),
      dependencies,
    })
  }

  async function release(tx: Tx, actor: Actor, whole: Whole, content: ReleaseContent): Promise<number> {
    const { row } = whole
    await tryOut(tx, whole, content)
    const highest = (await statements.highest({ id: row.id }).execute(tx)).rows[0]?.number ?? 0
    await statements
      .addRelease({
        id: newId(),
        organisationId: row.organisation_id,
        serviceId: row.id,
        number: highest + 1,
        version: content.template.version,
        content,
        userId: actor.userId,
        now: clock.now(),
      })
      .execute(tx)
    return highest + 1
  }

  async function open(tx: Tx, actor: Actor, whole: Whole, template: ServiceTemplate) {
    const { id, name, title, openid } = whole.row
    const about: DoorsFor = { service: { id, name, title }, template, actor }
    await options.addDoors(tx, about)
    await vault.make(tx, whole.row, template)
    const callback = template.signIn?.openid.callback
    if (callback === undefined || openid || !options.openApp) return
    const { secret, ...app } = await options.openApp(tx, { ...about, callback })
    await statements.setOpenId({ id, openid: app }).execute(tx)
    await vault.keep(tx, whole.row, 'openid', secret)
  }

  const fresh = async (tx: Tx, id: string): Promise<Whole> => {
    const whole = await load(tx, id)
    if (!whole) throw unknown()
    return whole
  }

  async function install(actor: Actor, body: Install): Promise<Service> {
    const whole: WholeTemplate = await options.catalog.service(body.templateId)
    const { template } = whole
    checkReplicas(template, body.replicas)
    checkNeeds(template)
    if (body.platform && !template.platforms.includes(body.platform))
      throw fail('placement.none', { problem: `${template.name} does not run on ${body.platform}` })
    const id = newId()
    const { organisationId } = actor
    try {
      const { service, after } = await store.as(organisationId).transaction(async (tx) => {
        const taken = new Set(
          (await statements.names({ organisationId }).execute(tx)).rows.map((it) => it.name),
        )
        const name = nameFor(body.name ?? null, template.id, taken)
        await statements
          .add({
            id,
            organisationId,
            name,
            title: body.title ?? template.name,
            templateId: template.id,
            templateName: template.name,
            answers: body.answers,
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
        await addDependencies(tx, await fresh(tx, id), template, body.dependencies)
        await release(tx, actor, await fresh(tx, id), { ...whole, answers: body.answers })
        await open(tx, actor, await fresh(tx, id), template)
        const after = await settle(tx, id)
        const placed = await fresh(tx, id)
        // Nothing could be placed at all: said now, to whoever asked, and nothing of it stays.
        if (placed.members.length === 0) throw fail('placement.none', { problem: placed.row.reason ?? '' })
        return { service: await tell(tx, id), after }
      })
      after()
      return service
    } catch (error) {
      if (isDuplicate(error, 'services_organisation_id_name_key'))
        throw fail('service.name-taken', { name: body.name ?? template.id })
      throw error
    }
  }

  return {
    install,
    load,
    /** Says to everybody what a service is now; for whoever changes rows of it (outsiders that register). */
    tell,
    settle,
    ...createFollowing({ ...options, settle, tell }),
    ...createMoves({ ...options, load, settle, tell }),
    links: createLinks({ ...options, load }),
    /** Volumes there that nobody wants any more. */
    volumesLeaving: (controllerId: string): Promise<string[]> =>
      store.system.read(async (tx) =>
        (await statements.leavingOn({ controllerId }).execute(tx)).rows.map((it) => it.id),
      ),
    volumeGone: (controllerId: string, id: string): Promise<void> =>
      store.system.transaction(
        async (tx) => void (await statements.dropVolume({ id, controllerId }).execute(tx)),
      ),

    async list(actor: Actor, { after, limit, search, tag }: ListQuery) {
      return store.as(actor.organisationId).read(async (tx) => {
        const wanted = { after: after ?? null, search: search ?? null, tag: tag ?? null, limit: limit + 1 }
        const { rows } = await statements.list(wanted).execute(tx)
        const items = await Promise.all((await loadAll(tx, rows.slice(0, limit))).map(told))
        return { items, next: rows.length > limit ? (items.at(-1)?.name ?? null) : null }
      })
    },
    read: (actor: Actor, id: string, permission: Permission = 'service.read'): Promise<Service> =>
      store.as(actor.organisationId).read(async (tx) => told(await allowed(tx, actor, permission, id))),

    change: (actor: Actor, id: string, body: BodyOf<typeof serviceRoutes.change>): Promise<Service> =>
      change(actor, 'service.manage', id, async (tx, whole) => {
        if (body.replicas !== undefined) {
          managed(whole)
          const template = templateOf(releasesOf(whole).live)
          if (template) checkReplicas(template, body.replicas)
        }
        const { title = null, metadata = null, replicas = null } = body
        await statements
          .change({ id, title, metadata, replicas, answers: null, now: clock.now() })
          .execute(tx)
      }),
    /** Idempotent, as stopping is. */
    start: (actor: Actor, id: string): Promise<Service> =>
      change(actor, 'service.operate', id, async (tx, whole) => {
        managed(whole)
        if (whole.row.desired === 'running') return
        await statements.want({ id, desired: 'running', reason: null, now: clock.now() }).execute(tx)
        await members.forgetRestarts({ serviceId: id }).execute(tx)
      }),
    stop: (actor: Actor, id: string): Promise<Service> =>
      change(actor, 'service.operate', id, async (tx, whole) => {
        managed(whole)
        if (whole.row.desired === 'stopped') return
        await statements.want({ id, desired: 'stopped', reason: null, now: clock.now() }).execute(tx)
      }),
    /** Every instance gets a new generation; what is stopped is started. */
    async restart(actor: Actor, id: string): Promise<Service> {
      const told: After[] = []
      const service = await change(actor, 'service.operate', id, async (tx, whole) => {
        managed(whole)
        const { live, next } = releasesOf(whole)
        await statements.want({ id, desired: 'running', reason: null, now: clock.now() }).execute(tx)
        await members.forgetRestarts({ serviceId: id }).execute(tx)
        for (const it of whole.members) {
          const of = [next, live].find((one) => one?.number === it.release)
          if (it.desired !== 'running' || !of) continue
          await instances.renew(tx, it.id, await specOf(tx, whole, of, it.part, it.controllerId))
          await members.begun({ id: it.id, restarts: 0 }).execute(tx)
          told.push(() => options.push(it.controllerId, it.id))
        }
      })
      for (const push of told) push()
      return service
    },
    /** Answers the number of the new release, too. */
    async update(actor: Actor, id: string, body: BodyOf<typeof serviceRoutes.update>) {
      if (body.answers && body.release)
        throw fail('request.invalid', { problem: 'an older release brings its own answers' })
      let number = 0
      const now = await this.read(actor, id, 'service.manage')
      if (now.kind !== 'managed' || !now.templateId) throw fail('service.not-managed', { name: now.name })
      const newest = body.release ? null : await options.catalog.service(now.templateId)
      const service = await change(actor, 'service.manage', id, async (tx, whole) => {
        managed(whole)
        const { next } = releasesOf(whole)
        if (next && next.number !== whole.row.release_number)
          throw fail('service.state', { state: 'updating' })
        const content = newest
          ? { ...newest, answers: body.answers ?? whole.row.answers }
          : await older(tx, id, body.release ?? 0)
        checkNeeds(content.template)
        checkReplicas(content.template, whole.row.replicas)
        // The first one never became healthy: the new one takes its place as the one that is brought up.
        number = await release(tx, actor, whole, content)
        await open(tx, actor, whole, content.template)
        if (next)
          await statements
            .setRelease({
              serviceId: id,
              number: next.number,
              state: 'failed',
              reason: 'It was replaced before it was healthy.',
              liveAt: null,
            })
            .execute(tx)
      })
      return { service, release: number }
    },
    async remove(actor: Actor, id: string, data: 'keep' | 'remove'): Promise<Service> {
      const gone: After[] = []
      const removed = await store.as(actor.organisationId).transaction(async (tx) => {
        const whole = await allowed(tx, actor, 'service.manage', id, true)
        const { row } = whole
        const by = (await statements.dependants({ id }).execute(tx)).rows.map((it) => it.name)
        if (by.length > 0) throw fail('service.needed', { name: row.name, by: by.join(', ') })
        const service = await told(whole)
        await options.removeDoors(tx, id)
        if (row.openid) await options.closeApp?.(tx, row.openid.appId)
        for (const it of whole.members) {
          await instances.remove(tx, it.id)
          gone.push(() => options.forget(it.controllerId, it.id, it.generation))
        }
        const { rows: volumes } = await statements.volumes({ id }).execute(tx)
        const keeps = data === 'keep' && volumes.length > 0
        if (!keeps) await vault.empty(tx, whole)
        if (data === 'remove') {
          await statements.leaveVolumes({ id }).execute(tx)
          for (const it of volumes) gone.push(() => options.forgetVolume(it.controller_id, it.id))
        }
        await statements.remove({ id }).execute(tx)
        const owner = { organisationId: row.organisation_id, userId: null }
        await events.publish(tx, 'service.removed', owner, { id })
        return service
      })
      for (const forget of gone) forget()
      return removed
    },

    async logs(actor: Actor, id: string, query: QueryOf<typeof serviceRoutes.logs>, signal: AbortSignal) {
      const whole = await store
        .as(actor.organisationId)
        .read((tx) => allowed(tx, actor, 'service.operate', id))
      managed(whole)
      const chosen = whole.members.filter((it) => query.instance === undefined || it.id === query.instance)
      if (query.instance !== undefined && chosen.length === 0)
        throw fail('thing.unknown', { kind: 'instance' })
      const [first, ...others] = chosen
      if (first && others.length === 0)
        return options.readLogs(first.controllerId, first.id, query.lines, signal)
      const all = await Promise.all(
        chosen.map(async (it) => {
          const name = `${it.part}-${it.number}`
          const lines = await options
            .readLogs(it.controllerId, it.id, query.lines, signal)
            .catch(() => ['(its machine is not connected)'])
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

  async function older(tx: Tx, id: string, number: number): Promise<ReleaseContent> {
    const row = (await statements.release({ id, number }).execute(tx)).rows[0]
    if (!row || !isWhole(row.content)) throw fail('thing.unknown', { kind: 'release' })
    return row.content
  }
}
export type Services = ReturnType<typeof createServices>
