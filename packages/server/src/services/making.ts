/** What installing and updating share: a release is checked, written, and given its doors, its secrets and its sign-in. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { ServiceDoor, ServiceTemplate } from '@kalnet/contracts/template'
import { v7 as newId } from 'uuid'
import { resolveService } from '../catalog/resolve-service.ts'
import type { Tx } from '../core/store.ts'
import { circleIn } from './circle.ts'
import type { DoorsFor, ServicesOptions } from './options.ts'
import { releasesOf, templateOf, type Whole } from './shape.ts'
import { signOutAddress } from './sign-out.ts'
import type { Specs } from './specs.ts'
import { type ReleaseContent, statements } from './store.ts'
import type { Vault } from './vault.ts'

/** Throws service.replicas. */
export function checkReplicas(template: ServiceTemplate, replicas: number): void {
  const { most } = template.replicas
  if (replicas > most) throw fail('service.replicas', { name: template.name, most })
}

/** Parts that need each other in a circle never start. Throws template.invalid. */
export function checkNeeds(template: ServiceTemplate): void {
  const invalid = (problem: string) => fail('template.invalid', { id: template.id, problem })
  const needs = new Map(template.parts.map((part) => [part.name, part.needs]))
  for (const [part, names] of needs)
    for (const name of names)
      if (!needs.has(name)) throw invalid(`${part} needs ${name}, which is no part of it`)
  const circle = circleIn(needs)
  if (circle) throw invalid(`its parts need each other in a circle: ${circle.join(' → ')}`)
}

const isSameDoor = (a: ServiceDoor, b: ServiceDoor) =>
  a.kind === b.kind && a.port === b.port && a.listen === b.listen

export interface MakingParts extends ServicesOptions {
  load(tx: Tx, id: string): Promise<Whole | null>
  specs: Specs
  vault: Vault
}

export function createMaking(options: MakingParts) {
  const { clock, load, specs, vault } = options
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

  /** Its number. What is wrong with answers or placeholders is said now, to whoever asks, and not later by a machine. */
  async function release(tx: Tx, actor: Actor, whole: Whole, content: ReleaseContent): Promise<number> {
    const { row } = whole
    resolveService(content, content.answers, {
      ...(await specs.factsOf(tx, whole, new Map())),
      // It is registered with the release.
      openid: row.openid ?? { issuer: '', client: '' },
    })
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

  /** `before`: it has the doors of its last release already. */
  async function open(tx: Tx, actor: Actor, whole: Whole, template: ServiceTemplate, before: boolean) {
    const { id, name, title, openid, organisation_id: organisationId } = whole.row
    const last = before ? templateOf(releasesOf(whole).live) : null
    const had = last?.doors ?? []
    const doors = template.doors.filter((it) => !had.some((old) => isSameDoor(old, it)))
    const about: DoorsFor = { service: { id, name, title, organisationId }, template, actor }
    if (doors.length > 0) await options.addDoors(tx, { ...about, template: { ...template, doors } })
    await vault.make(tx, whole.row, template)
    const signIn = template.signIn?.openid
    if (!signIn) return
    const { url } = options.addressOf(name)
    const signOut = signOutAddress(template, url)
    if (openid) {
      // What people changed in the register since stays, unless the template itself changed.
      if (signIn.signOut !== last?.signIn?.openid.signOut)
        await options.changeApp?.(tx, { appId: openid.appId, signOut })
      return
    }
    if (!options.openApp) return
    const callback = new URL(signIn.callback, url).href
    const { secret, ...app } = await options.openApp(tx, { ...about, callback, signOut })
    await statements.setOpenId({ id, openid: app }).execute(tx)
    await vault.keep(tx, whole.row, 'openid', secret)
  }

  return { addDependencies, release, open, seal: vault.seal }
}
export type Making = ReturnType<typeof createMaking>
