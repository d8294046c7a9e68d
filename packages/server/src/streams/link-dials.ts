/**
 * Calls of one instance to another that runs on another controller. Each controller may reach only what the links of its own
 * instances lead to, as it was last told; the far end first, then a token for one connection at the dial door.
 */
import type { FromController, LinkTarget, ToController } from '@kalnet/contracts/controller'
import { KalnetError } from '@kalnet/contracts/errors'
import type { Log } from '@kalnet/io/log'
import { joinStreams, LONG_HALF_MS } from '@kalnet/wire/join'
import type { Tunnels } from './tunnels.ts'

type LinkDial = Extract<FromController, { type: 'link.dial' }>
type Told = Omit<Extract<ToController, { type: 'links' }>, 'type'>

export interface LinkDialsOptions {
  tunnels: Pick<Tunnels, 'dial' | 'expect'>
  send(controllerId: string, message: Extract<ToController, { type: 'link.dialled' }>): boolean
  log: Log
}
export interface LinkDials {
  /** Where the links of one of its instances lead now; whoever tells the controller says it here too. */
  told(controllerId: string, links: Told): void
  /** All of them: what is not among them leads nowhere any more. */
  toldAll(controllerId: string, links: readonly Told[]): void
  /** It is gone for good. */
  forget(controllerId: string): void
  asked(controllerId: string, message: LinkDial): void
  /** Joined now, and those under way. */
  count(): number
  close(): void
}

/** By one controller at a time; each is two connections of ours. */
const MOST = 2_000

export function createLinkDials({ tunnels, send, log }: LinkDialsOptions): LinkDials {
  const known = new Map<string, Map<string, Told['links']>>()
  const open = new Map<string, number>()
  const stop = new AbortController()

  const targetOf = (controllerId: string, { instanceId, link, targetId }: LinkDial): LinkTarget | null => {
    const links = known.get(controllerId)?.get(instanceId) ?? []
    const targets = links.find((it) => it.name === link)?.targets ?? []
    return targets.find((it) => it.instanceId === targetId) ?? null
  }

  async function join(controllerId: string, message: LinkDial): Promise<void> {
    const { requestId } = message
    const refuse = (problem: string) =>
      void send(controllerId, { type: 'link.dialled', requestId, token: null, problem })
    const target = targetOf(controllerId, message)
    if (!target) return refuse('this link does not lead there')
    const now = open.get(controllerId) ?? 0
    if (now >= MOST) return refuse('too many calls are open at once')
    open.set(controllerId, now + 1)
    try {
      const far = await tunnels.dial(target, stop.signal)
      // Ends the wait for the near end, should the far one break meanwhile; joining listens itself.
      far.on('error', () => far.destroy())
      const { token, raw } = tunnels.expect(stop.signal)
      const arrival = raw.catch((error: unknown) => {
        far.destroy()
        throw error
      })
      send(controllerId, { type: 'link.dialled', requestId, token, problem: null })
      await joinStreams(await arrival, far, stop.signal, LONG_HALF_MS)
    } catch (error) {
      const problem = error instanceof KalnetError ? String(error.details.problem ?? '') : ''
      log.info({ controllerId, ...message, problem }, 'a call by a link did not get through')
      // Late for who has its token already; it finds the connection ended.
      refuse(problem || 'it could not be reached')
    } finally {
      const left = (open.get(controllerId) ?? 1) - 1
      if (left > 0) open.set(controllerId, left)
      else open.delete(controllerId)
    }
  }

  return {
    told(controllerId, { instanceId, links }) {
      const its = known.get(controllerId) ?? new Map<string, Told['links']>()
      known.set(controllerId, its.set(instanceId, links))
    },
    toldAll: (controllerId, all) =>
      void known.set(controllerId, new Map(all.map((it) => [it.instanceId, it.links]))),
    forget: (controllerId) => void known.delete(controllerId),
    asked: (controllerId, message) =>
      void join(controllerId, message).catch((error: unknown) =>
        log.error({ error, controllerId }, 'a call by a link could not be answered'),
      ),
    count: () => [...open.values()].reduce((sum, it) => sum + it, 0),
    close: () => stop.abort(new Error('the control plane is stopping')),
  }
}
