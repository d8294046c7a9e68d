/** Writes a live event into what the screens already know. Pure over the cache's contents. */
import type { Controller } from '@kalnet/contracts/controller'
import type { EventType } from '@kalnet/contracts/event'
import type { Me } from '@kalnet/contracts/identity'
import type { Organisation } from '@kalnet/contracts/invitation'
import type { Service } from '@kalnet/contracts/service'
import type { Session } from '@kalnet/contracts/session'
import type { SessionPage } from './queries.ts'

const ENDED = new Set<Session['state']>(['stopped', 'failed'])
export const hasEnded = (session: Session) => ENDED.has(session.state)

const newestFirst = (one: Session, other: Session) =>
  (other.endedAt ?? other.createdAt).localeCompare(one.endedAt ?? one.createdAt)

/** A list with this session in its place, or out of it when it belongs to the other list. */
export function placeSession(page: SessionPage, session: Session, belongs: boolean): SessionPage {
  const known = page.items.findIndex((item) => item.id === session.id)
  if (!belongs) return known < 0 ? page : { ...page, items: page.items.filter((_, at) => at !== known) }
  if (known >= 0) return { ...page, items: page.items.map((item, at) => (at === known ? session : item)) }
  return { ...page, items: [session, ...page.items].sort(newestFirst) }
}

/** Replaces the controller, or adds it in the order of names. */
export function placeController<T extends { items: Controller[] }>(page: T, controller: Controller): T {
  const others = page.items.filter((item) => item.id !== controller.id)
  return {
    ...page,
    items: [...others, controller].sort((one, other) => one.name.localeCompare(other.name)),
  }
}

/** Where people open it depends on who asks, so that is kept as this person was told. A new one is asked for, with its address. */
export function placeService<T extends { items: Service[] }>(page: T, service: Service): T {
  return {
    ...page,
    items: page.items.map((it) =>
      it.id === service.id ? { ...service, url: it.url, mayOpen: it.mayOpen } : it,
    ),
  }
}

/** Why it is where it is only its own page asks for; events go to people who may not see machines. */
export const keepPlaced = (session: Session, known: Session | undefined): Session =>
  known?.placed && known.generation === session.generation ? { ...session, placed: known.placed } : session

/** The part of a query client that events need. */
export interface Cache {
  setQueryData(key: readonly unknown[], change: (known: never) => unknown): unknown
  removeQueries(filter: { queryKey: readonly unknown[] }): void
  /** Asks again for what is on screen, and later for the rest. */
  invalidateQueries(filter: { queryKey: readonly unknown[] }): unknown
}

/** Unknown kinds of events are newer than this page and mean nothing to it. */
export function applyEvent(cache: Cache, type: string, data: unknown): void {
  switch (type as EventType) {
    case 'session.changed': {
      const session = data as Session
      const change = (belongs: boolean) => (page: SessionPage | undefined) =>
        page && placeSession(page, session, belongs)
      cache.setQueryData(['sessions', 'live'], change(!hasEnded(session)))
      cache.setQueryData(['sessions', 'ended'], change(hasEnded(session)))
      cache.setQueryData(['session', session.id], (known: Session | undefined) => keepPlaced(session, known))
      cache.invalidateQueries({ queryKey: ['homes'] })
      return
    }
    case 'session.removed': {
      const { id } = data as { id: string }
      const without = (page: SessionPage | undefined) =>
        page && { ...page, items: page.items.filter((item) => item.id !== id) }
      cache.setQueryData(['sessions', 'live'], without)
      cache.setQueryData(['sessions', 'ended'], without)
      cache.removeQueries({ queryKey: ['session', id] })
      cache.invalidateQueries({ queryKey: ['homes'] })
      return
    }
    case 'service.changed': {
      const service = data as Service
      let known = false
      cache.setQueryData(['services'], (page: { items: Service[] } | undefined) => {
        known = page?.items.some((it) => it.id === service.id) ?? false
        return page && placeService(page, service)
      })
      cache.setQueryData(
        ['service', service.id],
        (it: Service | undefined) => it && { ...service, url: it.url, mayOpen: it.mayOpen },
      )
      if (!known) cache.invalidateQueries({ queryKey: ['services'] })
      cache.invalidateQueries({ queryKey: ['service-more', service.id] })
      return
    }
    case 'service.removed': {
      const { id } = data as { id: string }
      const without = (page: { items: Service[] } | undefined) =>
        page && { ...page, items: page.items.filter((item) => item.id !== id) }
      cache.setQueryData(['services'], without)
      cache.removeQueries({ queryKey: ['service', id] })
      return
    }
    // An address that comes or goes changes where its service is opened.
    case 'route.changed':
    case 'route.removed':
      cache.invalidateQueries({ queryKey: ['routes'] })
      cache.invalidateQueries({ queryKey: ['services'] })
      cache.invalidateQueries({ queryKey: ['service'] })
      return
    case 'controller.changed': {
      const change = (page: { items: Controller[] } | undefined) =>
        page && placeController(page, data as Controller)
      cache.setQueryData(['controllers'], change)
      return
    }
    case 'controller.removed': {
      const { id } = data as { id: string }
      cache.setQueryData(
        ['controllers'],
        (page: { items: Controller[] } | undefined) =>
          page && { ...page, items: page.items.filter((item) => item.id !== id) },
      )
      return
    }
    case 'cluster.changed':
      cache.invalidateQueries({ queryKey: ['cluster', (data as { id: string }).id] })
      return
    case 'user.changed': {
      const change = (me: Me | null | undefined) =>
        me && me.id === (data as Me).id ? { ...me, ...(data as Me) } : me
      cache.setQueryData(['me'], change)
      return
    }
    case 'organisation.changed': {
      const { name } = data as Organisation
      cache.setQueryData(['organisation'], () => data)
      cache.setQueryData(['me'], (me: Me | null | undefined) => me && { ...me, organisationName: name })
      return
    }
    // Lists by name, searched and in pages: where a changed one belongs, the server knows.
    case 'person.changed':
    case 'person.removed': {
      const { id } = data as { id: string }
      cache.invalidateQueries({ queryKey: ['people'] })
      cache.invalidateQueries({ queryKey: ['person', id] })
      return
    }
    case 'group.changed':
    case 'group.removed':
      cache.invalidateQueries({ queryKey: ['groups'] })
      return
    case 'invitation.changed':
      cache.invalidateQueries({ queryKey: ['invitations'] })
      return
    case 'audit.sealed':
      cache.setQueryData(['audit', 'sealed'], () => (data as { position: string }).position)
      return
    default:
      return
  }
}
