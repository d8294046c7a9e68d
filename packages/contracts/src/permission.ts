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
const grownUps: Grant = { owner: 'organisation', admin: 'organisation', member: 'organisation' }
const sessionKeepers: Grant = { ...all('own'), owner: 'organisation', admin: 'organisation' }

export const PERMISSIONS = {
  /** Anybody, signed in or not: the route itself checks a token. */
  public: 'public',
  /** Only the CLI on this machine, through the control socket. */
  local: 'local',
  'me.read': all('own'),
  'me.change': all('own'),
  /** Password, second factors, devices: a person at a screen, never a service key. */
  'me.secure': all('own'),
  /** Personal service keys. */
  'key.own': { owner: 'own', admin: 'own', member: 'own' },
  /** Service accounts and their keys. */
  'key.manage': stewards,
  'organisation.manage': { owner: 'organisation' },
  'person.read': { ...all('own'), ...grownUps },
  'person.manage': stewards,
  'group.read': grownUps,
  'group.manage': stewards,
  'invitation.manage': stewards,
  /** What each role's sign-in must prove, and how long it lasts. */
  'policy.manage': stewards,
  /** Identity providers people may sign in with. */
  'provider.manage': stewards,
  /** Apps that sign people in through us, and who may pass to them. */
  'app.manage': stewards,
  'app.use': all('own'),
  'audit.read': stewards,
  /** What oneself did. */
  'activity.own': all('own'),
  /** Keeping users and groups from outside, by SCIM. */
  'scim.use': stewards,
  'catalog.read': all('organisation'),
  'session.read': sessionKeepers,
  'session.launch': { ...all('own'), guest: undefined },
  'session.stop': sessionKeepers,
  /** Looking at and typing into a screen: only one's own, an owner's too. */
  'stream.open': all('own'),
  /** Who may see that a service is there; who may open it is its route's `allowed`. */
  'service.read': all('organisation'),
  /** Start, stop, restart, read its log. */
  'service.operate': stewards,
  'service.manage': stewards,
  /** Programs that say where they are. */
  'service.register': stewards,
  'route.read': stewards,
  'route.manage': stewards,
  /** Names and certificates of this network. */
  'network.read': stewards,
  'network.manage': stewards,
  /** A gateway of its own reads what it serves. */
  'gateway.serve': stewards,
  'controller.read': stewards,
  'controller.manage': stewards,
  'event.read': all('own'),
} satisfies Record<string, Grant | 'public' | 'local'>
export type Permission = keyof typeof PERMISSIONS

/** Who asks: a signed-in person, the local CLI acting as the owner, or a service key acting for whom it belongs to. */
export interface Actor {
  kind: 'user' | 'local-cli' | 'service-key'
  userId: string
  organisationId: string
  role: Role
  /** null: all that the role may. A list: no more than these, as a key's scopes or a sign-in that has yet to prove more say. */
  scopes: readonly Permission[] | null
}
/** What it is about. `userId` null: it belongs to the organisation as a whole. */
export interface Owned {
  organisationId: string
  userId: string | null
}

/** What guards a person's own door may not be handed on, and nobody hands on what asks for no permission. */
const NEVER_A_SCOPE = [
  'public',
  'local',
  'me.change',
  'me.secure',
  'key.own',
  'key.manage',
  'organisation.manage',
] as const satisfies Permission[]
/** What a service key may be given. Each has its words in `key.ts`. */
export type KeyScope = Exclude<Permission, (typeof NEVER_A_SCOPE)[number]>
export const SCOPES = (Object.keys(PERMISSIONS) as Permission[]).filter(
  (it): it is KeyScope => !(NEVER_A_SCOPE as readonly Permission[]).includes(it),
)
/** What a sign-in may that has not yet proved what its role's policy demands: set up a second factor, or leave. */
export const UNPROVED: readonly Permission[] = ['me.read', 'me.secure']

/** Deny by default. Without an object: may the actor do this to anything at all? */
export function can(actor: Actor | null, permission: Permission, object?: Owned): boolean {
  const grant: Grant | 'public' | 'local' = PERMISSIONS[permission]
  if (grant === 'public') return true
  if (!actor) return false
  if (grant === 'local') return actor.kind === 'local-cli'
  const reach = grant[actor.role]
  if (!reach) return false
  if (actor.scopes && !actor.scopes.includes(permission)) return false
  if (!object) return true
  if (object.organisationId !== actor.organisationId) return false
  return reach === 'organisation' || object.userId === actor.userId
}
