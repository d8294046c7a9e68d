/** Gives instances who they are: right after the wish for them, again when half of its time is over, and to every new connection, because nobody keeps a key here. */
import type { DesiredInstance } from '@kalnet/contracts/instance'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { ServerLink } from '@kalnet/wire/server-link'

export interface GivenIdentity {
  certificate: string
  key: string
  authority: string
  /** When the next one is due. */
  renewAt: number
}
export interface GiverOptions {
  clock: Clock
  log: Log
  /** null: it belongs to no service. */
  identityFor(instance: DesiredInstance): Promise<GivenIdentity | null>
}
type Connection = Pick<ServerLink, 'send'>
interface Last {
  generation: number
  renewAt: number
}

export function createIdentityGiver({ clock, log, identityFor }: GiverOptions) {
  const given = new WeakMap<Connection, Map<string, Last>>()

  async function one(link: Connection, mine: Map<string, Last>, instance: DesiredInstance): Promise<void> {
    const { id, generation } = instance
    const last = mine.get(id)
    if (last?.generation === generation && last.renewAt > clock.now().getTime()) return
    const identity = await identityFor(instance)
    if (!identity) return
    const { renewAt, ...files } = identity
    if (link.send({ type: 'identity.given', instanceId: id, ...files })) mine.set(id, { generation, renewAt })
  }

  return async (link: Connection, instances: readonly DesiredInstance[]): Promise<void> => {
    const mine = given.get(link) ?? new Map<string, Last>()
    given.set(link, mine)
    for (const instance of instances) {
      if (!instance.spec.identity || instance.state !== 'running') {
        mine.delete(instance.id)
        continue
      }
      // One that cannot be given must not hold up the others; it is tried at the next wish, half a minute later.
      await one(link, mine, instance).catch((error: unknown) =>
        log.warn({ error, instanceId: instance.id }, 'an identity could not be given'),
      )
    }
  }
}
