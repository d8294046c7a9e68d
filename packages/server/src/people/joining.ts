/** Accepting an invitation: the account is made, and the person goes through the one gate. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { Store } from '../core/store.ts'
import type { Entered } from '../identity/gate.ts'
import type { Identity } from '../identity/identity.ts'
import type { DeviceOf } from '../identity/sign-ins.ts'
import { statements as groupStatements } from './groups.store.ts'
import type { Invitations } from './invitations.ts'
import type { People } from './people.ts'

export interface Accepting {
  token: string
  name: string
  /** Only for an invitation that names no address. */
  email?: string
  password: string
}

export function createJoining(options: {
  store: Store
  identity: Pick<Identity, 'gate' | 'passwords' | 'userById'>
  people: Pick<People, 'add'>
  invitations: Pick<Invitations, 'look' | 'use'>
}) {
  const { store, identity, people, invitations } = options
  return {
    async accept(it: Accepting, device: DeviceOf, known: (actor: Actor) => void): Promise<Entered> {
      const { email: named, organisation_name: organisation } = await invitations.look(it.token)
      const email = named ?? it.email
      if (!email) throw fail('request.invalid', { problem: 'body: email: is missing' })
      if (named && it.email && it.email !== named)
        throw fail('request.invalid', { problem: 'body: email: this invitation is for another address' })
      const passwordHash = await identity.passwords.hashNew(it.password, [it.name, email, organisation])
      // Nobody is signed in, so no organisation is known before the token is used; and this device may leave another one.
      return store.system.transaction(async (tx) => {
        const invitation = await invitations.use(tx, it.token)
        const organisationId = invitation.organisation_id
        // A group that was removed meanwhile is no reason to turn somebody away.
        const wanted = { organisationId, ids: invitation.group_ids }
        const groupIds = (await groupStatements.whichOf(wanted).execute(tx)).rows.map((row) => row.id)
        const { role } = invitation
        const person = await people.add(tx, {
          organisationId,
          name: it.name,
          email,
          role,
          passwordHash,
          groupIds,
        })
        const user = await identity.userById(tx, person.id)
        return identity.gate.enter(tx, user, { method: 'link', assurance: 1 }, device, known)
      })
    },
  }
}
export type Joining = ReturnType<typeof createJoining>
