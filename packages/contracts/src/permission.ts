/** The permission table: which role may do what, and on whose things. */
import { z } from 'zod'

export const role = z.enum(['owner', 'admin', 'member', 'child', 'guest'])
export type Role = z.infer<typeof role>

/** `own`: only what belongs to the actor; `organisation`: everything in it. */
type Reach = 'own' | 'organisation'
type Grant = Partial<Record<Role, Reach>>

const all = (reach: Reach): Grant => ({
  owner: reach,
  admin: reach,
  member: reach,
  child: reach,
  guest: reach,
})
const stewards: Grant = { owner: 'organisation', admin: 'organisation' }
const sessionKeepers: Grant = { ...all('own'), owner: 'organisation', admin: 'organisation' }

export const PERMISSIONS = {
  /** Anybody, signed in or not: the route itself checks a token. */
  public: 'public',
  /** Only the CLI on this machine, through the control socket. */
  local: 'local',
  'me.read': all('own'),
  'me.change': all('own'),
  'catalog.read': all('organisation'),
  'session.read': sessionKeepers,
  'session.launch': { ...all('own'), guest: undefined },
  'session.stop': sessionKeepers,
  /** Looking at and typing into a screen: only one's own, an owner's too. */
  'stream.open': all('own'),
  'controller.read': stewards,
  'controller.manage': stewards,
  'event.read': all('own'),
} satisfies Record<string, Grant | 'public' | 'local'>
export type Permission = keyof typeof PERMISSIONS

/** Who asks: a signed-in person, or the local CLI acting as the owner. */
export interface Actor {
  kind: 'user' | 'local-cli'
  userId: string
  organisationId: string
  role: Role
}
/** What it is about. `userId` null: it belongs to the organisation as a whole. */
export interface Owned {
  organisationId: string
  userId: string | null
}

/** Deny by default. Without an object: may the actor do this to anything at all? */
export function can(actor: Actor | null, permission: Permission, object?: Owned): boolean {
  const grant: Grant | 'public' | 'local' = PERMISSIONS[permission]
  if (grant === 'public') return true
  if (!actor) return false
  if (grant === 'local') return actor.kind === 'local-cli'
  const reach = grant[actor.role]
  if (!reach) return false
  if (!object) return true
  if (object.organisationId !== actor.organisationId) return false
  return reach === 'organisation' || object.userId === actor.userId
}
