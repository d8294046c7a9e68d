/** Where the links of instances lead now: to healthy instances of another part or of a dependency, those on the same machine first. */
import type { LinkTarget } from '@kalnet/contracts/controller'
import { SIGN_IN_LINK } from '@kalnet/contracts/template'
import type { Log } from '@kalnet/io/log'
import type { Events } from '../core/events.ts'
import type { Store, Tx } from '../core/store.ts'
import { isGood, isReachable, type Member } from './member.ts'
import { releasesOf, templateOf, type Whole } from './shape.ts'
import { statements } from './store.ts'

export interface InstanceLinks {
  instanceId: string
  links: { name: string; targets: LinkTarget[] }[]
}

/** Of no controller: each asks the control plane, which is what it leads to. */
const SIGN_IN: LinkTarget = {
  instanceId: SIGN_IN_LINK.targetId,
  controllerId: SIGN_IN_LINK.targetId,
  port: 'http',
  address: null,
}

/** Those of a part that can be called, the best first; `from` is who calls. Pure. */
export function targetsOf(
  whole: Whole,
  part: string,
  port: string,
  from: Pick<Member, 'controllerId'>,
  release: number | null,
): LinkTarget[] {
  const template = templateOf(whole.releases.find((it) => it.number === release) ?? null)
  const hasProbe = template?.parts.find((it) => it.name === part)?.probe !== null
  const score = (it: Member) =>
    (isGood(it, hasProbe) ? 0 : 2) + (it.controllerId === from.controllerId ? 0 : 1)
  return whole.members
    .filter(
      (it) =>
        it.part === part && it.release === release && it.observed?.state === 'running' && isReachable(it),
    )
    .sort((a, b) => score(a) - score(b))
    .map((it) => ({
      instanceId: it.id,
      port,
      controllerId: it.controllerId,
      address: it.observed?.addresses?.[port] ?? null,
    }))
}

export interface LinksParts {
  store: Store
  events: Events
  log: Log
  load(tx: Tx, id: string): Promise<Whole | null>
}

export function createLinks({ store, events, log, load }: LinksParts) {
  /** Of all instances of a service that have any; `controllerId` null: wherever they are. */
  async function ofService(
    tx: Tx,
    id: string,
    controllerId: string | null,
  ): Promise<(InstanceLinks & { controllerId: string })[]> {
    const whole = await load(tx, id)
    if (!whole) return []
    const needs = (await statements.dependencies({ ids: [id] }).execute(tx)).rows
    const others = new Map<string, Whole>()
    for (const it of needs) {
      const other = await load(tx, it.needs_id)
      if (other) others.set(it.name, other)
    }
    return whole.members
      .filter((it) => controllerId === null || it.controllerId === controllerId)
      .flatMap((it) => {
        const template = templateOf(whole.releases.find((one) => one.number === it.release) ?? null)
        const links = template?.parts.find((part) => part.name === it.part)?.links ?? []
        if (links.length === 0) return []
        return {
          instanceId: it.id,
          controllerId: it.controllerId,
          links: links.map((link) => {
            if (link.signIn) return { name: link.name, targets: [SIGN_IN] }
            const other = link.dependency === undefined ? null : others.get(link.dependency)
            if (link.dependency === undefined)
              return {
                name: link.name,
                targets: targetsOf(whole, link.part ?? '', link.port, it, it.release),
              }
            const { live } = other ? releasesOf(other) : { live: null }
            const part = templateOf(live)?.parts[0]?.name
            return {
              name: link.name,
              targets: other && live && part ? targetsOf(other, part, link.port, it, live.number) : [],
            }
          }),
        }
      })
  }

  /** Everything for one controller: when it connects, and now and then. */
  const linksFor = (controllerId: string): Promise<InstanceLinks[]> =>
    store.system.read(async (tx) => {
      const all: InstanceLinks[] = []
      for (const { id } of (await statements.on({ controllerId }).execute(tx)).rows)
        for (const { instanceId, links } of await ofService(tx, id, controllerId))
          all.push({ instanceId, links })
      return all
    })

  return {
    linksFor,
    /**
     * Follows the outbox, so that it does not matter which server heard the report: when a service changed, its own links and those of
     * whoever uses it are told. What was said already is not said again.
     */
    async follow(
      send: (controllerId: string, message: InstanceLinks) => void,
      signal: AbortSignal,
    ): Promise<void> {
      const said = new Map<string, string>()
      for await (const heard of events.subscribe({
        types: ['service.changed', 'service.removed'],
        after: null,
        signal,
      })) {
        // After a gap controllers get the whole again with the next round of the desired state.
        if (heard.kind === 'gap') {
          said.clear()
          continue
        }
        // What was said to its instances is of no use to anybody any more; said again to the others, it changes nothing.
        if (heard.event.type === 'service.removed') said.clear()
        const { id } = heard.event.data as { id: string }
        try {
          await store.system.read(async (tx) => {
            const using = (await statements.dependants({ id }).execute(tx)).rows.map((it) => it.id)
            for (const one of [id, ...using])
              for (const { controllerId, ...message } of await ofService(tx, one, null)) {
                const text = JSON.stringify(message)
                if (said.get(message.instanceId) === text) continue
                said.set(message.instanceId, text)
                send(controllerId, message)
              }
          })
        } catch (error) {
          log.warn({ problem: error instanceof Error ? error.message : '' }, 'links are told later')
        }
      }
    },
  }
}
