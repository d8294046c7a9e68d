/** The one place where permission on a thing is judged: HTTP, WebSocket, streams and the local CLI all end here. */
import { fail } from '@kalnet/contracts/errors'
import { type Actor, can, type Owned, type Permission } from '@kalnet/contracts/permission'

/**
 * Throws unless the actor may do this to that thing. A thing of another organisation, or one he may not even know of, "is not there":
 * a refusal would tell that it exists. `permission.denied` only for what he can see anyway.
 */
export function demand(actor: Actor, permission: Permission, object: Owned, kind = 'thing'): void {
  if (can(actor, permission, object)) return
  if (object.organisationId !== actor.organisationId) throw fail('thing.unknown', { kind })
  throw fail('permission.denied')
}
