/**
 * A controller's key is changed while it is connected, and nobody is locked out by it. The order is what counts: a controller that
 * comes back with its old key and is let in forgets the new one, so a new key is never stored after such a proof.
 */
import { type FromController, keyText } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import { checkSignature, LINK_CLOSE, type ServerLink } from '@kalnet/wire/server-link'

export type NewKey = Extract<FromController, { type: 'key.new' }>

export interface RotationOptions {
  linkOf(controllerId: string): ServerLink | undefined
  /** Throws controller.offline. */
  ask(controllerId: string): Promise<NewKey>
  /** False when there is no such controller (any more). */
  store(controllerId: string, publicKey: string): Promise<boolean>
}

export function createRotations({ linkOf, ask, store }: RotationOptions) {
  const storing = new Map<string, Promise<unknown>>()
  /** How many were begun for each controller. */
  const begun = new Map<string, number>()

  const keep = (controllerId: string, publicKey: string): Promise<boolean> => {
    const work = (storing.get(controllerId) ?? Promise.resolve())
      // Somebody else's failure is his.
      .catch(() => undefined)
      .then(() => store(controllerId, publicKey))
    begun.set(controllerId, (begun.get(controllerId) ?? 0) + 1)
    storing.set(controllerId, work)
    const over = () => {
      if (storing.get(controllerId) === work) storing.delete(controllerId)
    }
    work.then(over, over)
    return work
  }

  return {
    /** Judges a proof by the key that is stored when the proof is over. */
    async judge<T>(controllerId: string, prove: () => Promise<T>): Promise<T> {
      for (;;) {
        // Stored or not: then it can be read.
        await storing.get(controllerId)?.catch(() => undefined)
        const before = begun.get(controllerId)
        const answer = await prove()
        if (begun.get(controllerId) === before) return answer
      }
    },

    /** Resolves when the new key is the only valid one. Throws controller.offline, controller.signature or thing.unknown. */
    async rotate(controllerId: string): Promise<void> {
      const link = linkOf(controllerId)
      if (!link) throw fail('controller.offline')
      const { requestId, publicKey, signature } = await ask(controllerId)
      // It came back meanwhile and has settled on the key it came back with.
      if (linkOf(controllerId) !== link) throw fail('controller.offline')
      if (!checkSignature(publicKey, keyText(controllerId, requestId), signature)) {
        link.close(LINK_CLOSE.unproved, 'its new key was not proved')
        throw fail('controller.signature')
      }
      let stored: boolean
      try {
        stored = await keep(controllerId, publicKey)
      } catch (error) {
        // Perhaps it was stored: it comes back, and is let in with the one that counts.
        link.close(LINK_CLOSE.later, 'its new key could not be recorded')
        throw error
      }
      if (!stored) throw fail('thing.unknown', { kind: 'controller' })
      link.send({ type: 'key.accepted', requestId })
    },
  }
}
