/** Roles in the words of a household or a team, and the few letters that stand for a name. */
import type { OrganisationKind } from '@kalnet/contracts/invitation'
import type { Role } from '@kalnet/contracts/permission'
import * as m from '../messages/index.ts'

const USUAL: Record<Role, string> = {
  owner: m.roleOwner,
  admin: m.roleAdmin,
  member: m.roleMember,
  child: m.roleChild,
  guest: m.roleGuest,
}
export const ROLE_WORDS: Record<OrganisationKind, Record<Role, string>> = {
  household: { ...USUAL, owner: m.roleParent },
  team: { ...USUAL, child: m.roleLimited },
}
export const ROLE_DOES: Record<Role, string> = {
  owner: m.roleOwnerDoes,
  admin: m.roleAdminDoes,
  member: m.roleMemberDoes,
  child: m.roleChildDoes,
  guest: m.roleGuestDoes,
}
/** Highest first. */
export const ROLES: readonly Role[] = ['owner', 'admin', 'member', 'child', 'guest']
/** The server decides; screens only leave out what it would refuse. */
export const upTo = (role: Role) => ROLES.slice(ROLES.indexOf(role))

/** Ada Larch → AL; the first and the last word of the name. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean)
  const [first, last] = [words[0], words.length > 1 ? words.at(-1) : undefined]
  return (
    [first, last]
      .map((word) => [...(word ?? '')][0] ?? '')
      .join('')
      .toUpperCase() || '?'
  )
}
/** Always the same colour for the same person. */
export const hueOf = (id: string) => [...id].reduce((sum, sign) => (sum * 31 + sign.charCodeAt(0)) % 360, 7)
