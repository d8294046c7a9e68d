/** A person as apps see them: who may come in, under which name, and which claims they get. */
import type { Allowed } from '@kalnet/contracts/app'
import type { AccountClaims } from 'oidc-provider'
import { aside, type Store } from '../core/store.ts'
import { type PersonRow, statements } from './store.ts'

type Rules = { allowed_roles: string[]; allowed_groups: string[]; organisation_id: string }
export const allowedOf = (row: Rules): Allowed => ({
  roles: row.allowed_roles as Allowed['roles'],
  groups: row.allowed_groups,
})

/** Of the same organisation, and everybody or by role or by group. */
export function admits(
  rules: Rules,
  person: Pick<PersonRow, 'organisation_id' | 'role' | 'group_ids'>,
): boolean {
  if (rules.organisation_id !== person.organisation_id) return false
  if (rules.allowed_roles.length === 0 && rules.allowed_groups.length === 0) return true
  return (
    rules.allowed_roles.includes(person.role) ||
    person.group_ids.some((id) => rules.allowed_groups.includes(id))
  )
}

/** `Ada.Lovelace+x@…` → `ada.lovelace`: what the user parts of Matrix, Git and Unix all take. */
export function usernameFrom(person: { email: string | null; name: string }): string {
  const source = person.email?.split('@')[0]?.split('+')[0] || person.name
  const plain = source
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, '')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 30)
  return plain || 'person'
}

export interface AppPeople {
  /** Null: gone, switched off, or a program. Gives a user name at the first time. */
  find(userId: string): Promise<(PersonRow & { username: string }) | null>
  claims(person: PersonRow & { username: string }): AccountClaims
}

export function createAppPeople({ store }: { store: Store }): AppPeople {
  async function nameFor(person: PersonRow): Promise<string> {
    if (person.username) return person.username
    const base = usernameFrom(person)
    const giveName = () =>
      store.system.transaction(async (tx) => {
        for (let count = 1; count < 1000; count++) {
          const username = count === 1 ? base : `${base}${count}`
          const place = { organisationId: person.organisation_id, userId: person.id, username }
          const mine = (await statements.takeUsername(place).execute(tx)).rows[0]
          if (mine) return mine.username
          // Taken by another, or given to this person by a request of the same moment.
          const given = (await statements.usernameOf({ userId: person.id }).execute(tx)).rows[0]
          if (given) return given.username
        }
        throw new Error('no user name is left')
      })
    // Seen for the first time: that is not what the call is about.
    return aside(giveName)
  }
  return {
    async find(userId) {
      const person = (await store.system.read((tx) => statements.findPerson({ id: userId }).execute(tx)))
        .rows[0]
      return person ? { ...person, username: await nameFor(person) } : null
    },
    claims: (person) => ({
      sub: person.id,
      name: person.name,
      preferred_username: person.username,
      email: person.email ?? undefined,
      // We let people write down any address: nobody has shown yet that it is theirs.
      email_verified: false,
      groups: person.group_names,
      role: person.role,
      roles: [person.role],
    }),
  }
}
