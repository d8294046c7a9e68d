/** Who may do what to whom, as data: what the permission table cannot say because it is about two people. */
import type { ErrorCode } from '@kalnet/contracts/errors'
import { fail } from '@kalnet/contracts/errors'
import type { Actor, Role } from '@kalnet/contracts/permission'

export type Act = 'change' | 'role' | 'off' | 'on' | 'sign-out' | 'reset' | 'remove' | 'leave' | 'invite'
export interface Asked {
  act: Act
  actor: Pick<Actor, 'userId' | 'role'>
  /** Whom it is done to; null: somebody who is yet to come. */
  target: { id: string; role: Role } | null
  /** The role that shall be held afterwards. */
  to?: Role
  /** Active owners besides the target. */
  otherOwners: number
}

const HEIGHT: Record<Role, number> = { guest: 0, child: 1, member: 2, admin: 3, owner: 4 }
export const isLower = (role: Role, than: Role) => HEIGHT[role] < HEIGHT[than]

interface Rule {
  code: ErrorCode
  acts: readonly Act[]
  /** True: refused. */
  breaks(asked: Asked): boolean
}
/** Looked at in this order; the first that is broken is told. */
export const RULES: readonly Rule[] = [
  {
    code: 'person.self',
    acts: ['role', 'off', 'remove'],
    breaks: ({ actor, target }) => actor.userId === target?.id,
  },
  {
    code: 'person.owner',
    acts: ['change', 'role', 'off', 'on', 'sign-out', 'reset', 'remove'],
    breaks: ({ actor, target }) => target?.role === 'owner' && actor.role !== 'owner',
  },
  {
    code: 'person.above',
    acts: ['role', 'invite'],
    breaks: ({ actor, to }) => to !== undefined && isLower(actor.role, to),
  },
  {
    code: 'person.last-owner',
    acts: ['role', 'off', 'remove', 'leave'],
    breaks: ({ target, to, otherOwners }) => target?.role === 'owner' && to !== 'owner' && otherOwners === 0,
  },
]

export function judge(asked: Asked): void {
  const broken = RULES.find((rule) => rule.acts.includes(asked.act) && rule.breaks(asked))
  if (broken) throw fail(broken.code)
}
