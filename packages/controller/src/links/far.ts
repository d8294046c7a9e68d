/** The way to an instance of another controller: the control plane is asked for a token, and dialled with it. */
import type { Duplex } from 'node:stream'
import type { FromController, ToController } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import { dialRaw } from '@kalnet/wire/raw'
import { v7 as newId } from 'uuid'

export interface FarWay {
  dial(call: { instanceId: string; link: string; targetId: string }, signal: AbortSignal): Promise<Duplex>
  answered(message: Extract<ToController, { type: 'link.dialled' }>): void
}

export function createFarWay(options: {
  url: string
  ca?: string
  send(message: FromController): boolean
}): FarWay {
  const { url, ca, send } = options
  const asked = new Map<string, (message: Parameters<FarWay['answered']>[0]) => void>()

  const tokenFor = (call: Parameters<FarWay['dial']>[0], requestId: string, signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const refuse = (problem: string) => reject(fail('stream.unreachable', { problem }))
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      asked.set(requestId, ({ token, problem }) => (token ? resolve(token) : refuse(problem ?? '')))
      if (!send({ type: 'link.dial', requestId, ...call })) refuse('the control plane is away')
    })

  return {
    async dial(call, signal) {
      const requestId = newId()
      try {
        const token = await tokenFor(call, requestId, signal)
        return await dialRaw({ url, tls: { ca }, token, signal })
      } finally {
        asked.delete(requestId)
      }
    },
    answered: (message) => asked.get(message.requestId)?.(message),
  }
}
