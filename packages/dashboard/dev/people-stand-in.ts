/** The stand-in's people, groups and invitations: kept in memory, with the answers the screens need. */
import type { Invitation, Organisation } from '@kalnet/contracts/invitation'
import type { Group, Person } from '@kalnet/contracts/people'
import { ME, uuid, type World } from './fixtures.ts'

const DAY = 86_400
const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
const KIDS = { id: uuid(301), name: 'Kids' }
const LATE = { id: uuid(302), name: 'Stays up late' }

const somebody = (
  number: number,
  name: string,
  role: Person['role'],
  more: Partial<Person> = {},
): Person => ({
  id: uuid(number),
  kind: 'person',
  name,
  email: `${name
    .split(' ')[0]
    ?.toLowerCase()
    .normalize('NFD')
    .replace(/[^a-z]/g, '')}@example.org`,
  role,
  state: 'active',
  groups: [],
  createdAt: at(-40 * DAY),
  ...more,
})
const OWNER = somebody(1, ME.name, 'owner', { id: ME.id, email: ME.email })
const FAMILY: Person[] = [
  OWNER,
  somebody(204, 'Edsger Birch', 'admin', { groups: [LATE] }),
  somebody(3, 'Grace Larch', 'member', { groups: [LATE] }),
  somebody(205, 'Linus Larch', 'child', { groups: [KIDS] }),
  somebody(206, 'Margaret Larch', 'child', { groups: [KIDS, LATE] }),
  somebody(207, 'Old neighbour', 'guest', { state: 'off' }),
  somebody(208, 'Night backups', 'member', { kind: 'service', email: null }),
]
const invited = (number: number, email: string, more: Partial<Invitation> = {}): Invitation => ({
  id: uuid(number),
  email,
  role: 'member',
  groups: [],
  state: 'open',
  invitedBy: ME.name,
  createdAt: at(-DAY),
  expiresAt: at(6 * DAY),
  acceptedAt: null,
  ...more,
})

/** A picture that looks like one; no camera reads it. */
const drawn = (size = 33) => ({
  size,
  rows: Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (__, x) => {
      const corner = (cx: number, cy: number) => Math.max(Math.abs(x - cx), Math.abs(y - cy))
      const near = Math.min(corner(3, 3), corner(size - 4, 3), corner(3, size - 4))
      if (near <= 4) return near === 4 || near === 2 ? '0' : '1'
      return (x * 7 + y * 13 + ((x * y) % 5)) % 3 === 0 ? '1' : '0'
    }).join(''),
  ),
})
const link = (page: string) => ({
  url: `https://larch.local:7443/${page}#Rw3kPq8xTzYb1LmN0vHs6JdCfGaEuIoK2XyV9BcD4eF`,
  expiresAt: at(6 * DAY),
  qr: drawn(),
})
const refused = (status: number, code: string, message: string, next: string) => ({
  status,
  code,
  message,
  next,
})
const page = (items: unknown[]) => ({ items, next: null })

export function createPeopleStandIn() {
  let organisation: Organisation
  let people: Person[]
  let groups: Omit<Group, 'members'>[]
  let invitations: Invitation[]
  const use = (world: World) => {
    organisation = { id: ME.organisationId, name: ME.organisationName, kind: 'household' }
    people = world === 'empty' ? [OWNER] : FAMILY
    groups = world === 'empty' ? [] : [KIDS, LATE].map((it) => ({ ...it, createdAt: at(-DAY) }))
    invitations =
      world === 'empty'
        ? []
        : [
            invited(402, 'alan@example.org'),
            invited(401, 'barbara@example.org', { role: 'child', state: 'expired', expiresAt: at(-2 * DAY) }),
          ]
    if (world === 'many')
      people = [
        OWNER,
        ...Array.from({ length: 199 }, (_, n) => somebody(1000 + n, `Member ${n + 1}`, 'member')),
      ]
    if (world === 'long') {
      people = FAMILY.map((it) => ({
        ...it,
        name: 'Maximiliane-Friederike von Hohenlohe-Lang',
        email:
          it.email && `maximiliane-friederike.von.hohenlohe-lang-${it.role}@wohngemeinschaft.example.org`,
        groups: [KIDS, LATE].map((group) => ({ ...group, name: 'Hausaufgabenbetreuungsnachmittag' })),
      }))
      groups = groups.map((it) => ({ ...it, name: 'Hausaufgabenbetreuungsnachmittagsgruppe 1' }))
    }
  }
  use('usual')
  const counted = (it: Omit<Group, 'members'>): Group => ({
    ...it,
    members: people.filter((one) => one.groups.some(({ id }) => id === it.id)).length,
  })

  /** Answers what is ours; undefined: somebody else's. `publish` tells the live socket. */
  function answer(
    method: string,
    url: URL,
    body: Record<string, unknown>,
    publish: (event: string, data: unknown) => void,
  ): unknown {
    const [, , area, id = '', verb = ''] = url.pathname.split('/')
    const change = (to: (it: Person) => Person) => {
      people = people.map((it) => (it.id === id ? to(it) : it))
      const changed = people.find((it) => it.id === id)
      if (changed) publish('person.changed', changed)
      return changed
    }
    const refs = (ids: unknown) =>
      groups.filter((it) => (ids as string[]).includes(it.id)).map(({ id, name }) => ({ id, name }))
    if (area === 'organisation') {
      if (method === 'PATCH') organisation = { ...organisation, ...body }
      return organisation
    }
    if (area === 'people') {
      const search = (url.searchParams.get('search') ?? '').toLowerCase()
      const group = url.searchParams.get('group')
      if (!id)
        return page(
          people
            .filter((it) => `${it.name} ${it.email}`.toLowerCase().includes(search))
            .filter((it) => !group || it.groups.some((one) => one.id === group)),
        )
      const person = people.find((it) => it.id === id)
      if (!person)
        return refused(
          404,
          'thing.unknown',
          'There is no person with this id.',
          'It may have been removed; look at the list again.',
        )
      if (method === 'GET') return { ...person, devices: 2, lastSeenAt: at(-900), sessions: 1 }
      if (method === 'DELETE') {
        people = people.filter((it) => it.id !== id)
        publish('person.removed', { id })
        return {}
      }
      if (method === 'PATCH')
        return change((it) => ({
          ...it,
          name: String(body.name ?? it.name),
          groups: body.groups ? refs(body.groups) : it.groups,
        }))
      if (verb === 'role') return change((it) => ({ ...it, role: body.role as Person['role'] }))
      if (verb === 'off' || verb === 'on')
        return change((it) => ({ ...it, state: verb === 'off' ? 'off' : 'active' }))
      if (verb === 'sign-out') return { ended: 2 }
      if (verb === 'reset') return { link: link('reset') }
    }
    if (area === 'groups') {
      if (method === 'GET') return page(groups.map(counted))
      if (method === 'DELETE') groups = groups.filter((it) => it.id !== id)
      else if (!id)
        groups = [...groups, { id: uuid(390 + groups.length), name: String(body.name), createdAt: at(0) }]
      else {
        groups = groups.map((it) => (it.id === id ? { ...it, name: String(body.name ?? it.name) } : it))
        const inside = (one: Person) =>
          ((body.add as string[]) ?? []).includes(one.id) ||
          (one.groups.some((it) => it.id === id) && !((body.remove as string[]) ?? []).includes(one.id))
        people = people.map((one) => ({
          ...one,
          groups: [...one.groups.filter((it) => it.id !== id), ...(inside(one) ? refs([id]) : [])],
        }))
      }
      publish('group.changed', {})
      const kept = groups.find((it) => it.id === id) ?? groups.at(-1)
      return method === 'DELETE' || !kept ? {} : counted(kept)
    }
    if (area === 'invitations') {
      if (method === 'GET') return page(invitations)
      if (method === 'DELETE') {
        invitations = invitations.filter((it) => it.id !== id)
        publish('invitation.changed', {})
        return {}
      }
      const known = invitations.find((it) => it.id === id)
      const invitation = known ?? invited(500, String(body.email), { role: body.role as Person['role'] })
      if (!known) invitations = [invitation, ...invitations]
      return { invitation, link: link('join'), mailed: false }
    }
    return undefined
  }

  return {
    use,
    answer,
    /** For somebody who is not signed in: `#used` is a link that was used. */
    look(token: unknown): unknown {
      if (token === 'used')
        return refused(
          403,
          'invitation.unknown',
          'This invitation is not valid any more, or was used already.',
          'Ask whoever invited you for a new one.',
        )
      return {
        organisation: { name: organisation.name, kind: organisation.kind },
        invitedBy: ME.name,
        role: 'member',
        email: 'grace@example.org',
        expiresAt: at(6 * DAY),
      }
    },
  }
}
