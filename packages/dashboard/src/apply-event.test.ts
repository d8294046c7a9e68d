/** Live events change what is known, and only that. */
import type { Controller } from '@kalnet/contracts/controller'
import type { Session } from '@kalnet/contracts/session'
import { describe, expect, test } from 'vitest'
import { CONTROLLERS, ENDED, LIVE } from '../dev/fixtures.ts'
import { SERVICES } from '../dev/services-fixtures.ts'
import { applyEvent, placeController, placeSession } from './apply-event.ts'

const page = (items: Session[]) => ({ items, next: null })
const [first, second] = LIVE as [Session, Session]

/** A cache as small as the applying needs. */
function cacheOf(start: Record<string, unknown>) {
  const data = new Map(Object.entries(start))
  const invalidated: string[] = []
  return {
    data,
    setQueryData: (key: readonly unknown[], change: (known: never) => unknown) =>
      data.set(key.join('/'), change(data.get(key.join('/')) as never)),
    invalidated,
    invalidateQueries: ({ queryKey }: { queryKey: readonly unknown[] }) =>
      invalidated.push(queryKey.join('/')),
    removeQueries: ({ queryKey }: { queryKey: readonly unknown[] }) => data.delete(queryKey.join('/')),
  }
}
const ids = (known: unknown) => (known as { items: { id: string }[] }).items.map((it) => it.id)

describe('[UI-2.live] a session finds its place', () => {
  test.each([
    {
      what: 'a known one is replaced where it stands',
      items: [first, second],
      belongs: true,
      expected: [first.id, second.id],
    },
    { what: 'a new one stands by its age', items: [second], belongs: true, expected: [first.id, second.id] },
    {
      what: 'one that no longer belongs leaves',
      items: [first, second],
      belongs: false,
      expected: [second.id],
    },
    {
      what: 'one that never belonged changes nothing',
      items: [second],
      belongs: false,
      expected: [second.id],
    },
  ])('$what', ({ items, belongs, expected }) => {
    expect(ids(placeSession(page(items), first, belongs))).toEqual(expected)
  })

  test('the same event twice is once', () => {
    const once = placeSession(page([second]), first, true)
    expect(placeSession(once, first, true)).toEqual(once)
  })
})

test('[UI-2.live] a session that ends moves from the live list to the ended one', () => {
  const cache = cacheOf({ 'sessions/live': page(LIVE), 'sessions/ended': page(ENDED) })
  const ended: Session = {
    ...first,
    state: 'failed',
    endedAt: new Date().toISOString(),
    reason: 'out of memory',
  }
  applyEvent(cache, 'session.changed', ended)
  expect(ids(cache.data.get('sessions/live'))).not.toContain(first.id)
  expect(ids(cache.data.get('sessions/ended'))[0]).toBe(first.id)
  expect(cache.data.get(`session/${first.id}`)).toEqual(ended)
})

test('[UI-2.live] [CTL-5.why] why it is where it is stays with it until it is made anew', () => {
  const placed = { placing: 'spread' as const, considered: [], others: 0 }
  const cache = cacheOf({ [`session/${first.id}`]: { ...first, placed } })
  applyEvent(cache, 'session.changed', first)
  expect(cache.data.get(`session/${first.id}`)).toEqual({ ...first, placed })
  const anew = { ...first, generation: first.generation + 1 }
  applyEvent(cache, 'session.changed', anew)
  expect(cache.data.get(`session/${first.id}`)).toEqual(anew)
})

test('[UI-2.live] lists that nobody has asked for are not invented', () => {
  const cache = cacheOf({})
  applyEvent(cache, 'session.changed', first)
  applyEvent(cache, 'controller.changed', CONTROLLERS[0])
  expect(cache.data.get('sessions/live')).toBeUndefined()
  expect(cache.data.get('controllers')).toBeUndefined()
})

test('[UI-2.live] what was removed is gone everywhere', () => {
  const cache = cacheOf({ 'sessions/live': page(LIVE), [`session/${first.id}`]: first })
  applyEvent(cache, 'session.removed', { id: first.id })
  expect(ids(cache.data.get('sessions/live'))).not.toContain(first.id)
  expect(cache.data.has(`session/${first.id}`)).toBe(false)
})

test('[UI-2.live] an event of a later version means nothing and breaks nothing', () => {
  const cache = cacheOf({ 'sessions/live': page(LIVE) })
  applyEvent(cache, 'service.deployed', { id: 'x' })
  expect(ids(cache.data.get('sessions/live'))).toEqual(LIVE.map((it) => it.id))
})

test('a controller is replaced, in the order of names', () => {
  const [one] = CONTROLLERS as [Controller]
  const renamed = placeController({ items: CONTROLLERS }, { ...one, name: 'Zebra' })
  expect(renamed.items.map((it) => it.name)).toEqual(['Attic box', 'Living room', 'Zebra'])
})

test.each([
  ['person.changed', { id: '1' }, ['people', 'person/1']],
  ['person.removed', { id: '1' }, ['people', 'person/1']],
  ['group.changed', { id: '2' }, ['groups']],
  ['invitation.changed', { id: '3' }, ['invitations']],
])('[UI-2.live] %s asks again for the lists it may stand in', (type, data, expected) => {
  const cache = cacheOf({})
  applyEvent(cache, type, data)
  expect(cache.invalidated).toEqual(expected)
})

test('[UI-2.live] the new name of the organisation reaches everybody in it', () => {
  const cache = cacheOf({ me: { id: '1', organisationName: 'Old' } })
  applyEvent(cache, 'organisation.changed', { id: '2', name: 'New', kind: 'team' })
  expect(cache.data.get('me')).toMatchObject({ organisationName: 'New' })
})

describe('[DSH-1.services] [UI-2.live] a service that changed', () => {
  const [notes, calendar] = SERVICES as [(typeof SERVICES)[0], (typeof SERVICES)[0]]
  test('a known one changes where it stands, and opens where this person was told', () => {
    const mine = { ...notes, url: null, mayOpen: false }
    const cache = cacheOf({ services: { items: [mine, calendar] }, [`service/${notes.id}`]: mine })
    applyEvent(cache, 'service.changed', { ...notes, state: 'stopped' })
    expect(cache.data.get('services')).toEqual({ items: [{ ...mine, state: 'stopped' }, calendar] })
    expect(cache.data.get(`service/${notes.id}`)).toEqual({ ...mine, state: 'stopped' })
    expect(cache.invalidated).toEqual([`service-more/${notes.id}`])
  })
  test('a new one is asked for', () => {
    const cache = cacheOf({ services: { items: [calendar] } })
    applyEvent(cache, 'service.changed', notes)
    expect(cache.invalidated).toContain('services')
  })
  test('a removed one is gone', () => {
    const cache = cacheOf({ services: { items: [notes, calendar] }, [`service/${notes.id}`]: notes })
    applyEvent(cache, 'service.removed', { id: notes.id })
    expect(cache.data.get('services')).toEqual({ items: [calendar] })
    expect(cache.data.has(`service/${notes.id}`)).toBe(false)
  })
  test('an address that changed asks again where its service opens', () => {
    const cache = cacheOf({})
    applyEvent(cache, 'route.changed', {})
    expect(cache.invalidated).toEqual(['routes', 'services', 'service'])
  })
})
