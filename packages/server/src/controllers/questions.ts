/** What a controller is asked and answers by a message of its own: each question has an id, a limit, and one answer. */
import type { FromController, ToController } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import { v7 as newId } from 'uuid'

export type Answer = Extract<FromController, { type: 'logs' | 'screen' | 'use' | 'key.new' }>
interface Asked {
  controllerId: string
  answer(message: Answer): void
  gone(): void
}

const ANSWER_MS = 10_000

/** `send`: false when it is not connected. */
export function createQuestions(send: (controllerId: string, message: ToController) => boolean) {
  const waiting = new Map<string, Asked>()
  return {
    /** Throws controller.offline: also when it is silent for too long, or goes meanwhile. */
    async ask<T extends Answer['type']>(
      controllerId: string,
      build: (requestId: string) => ToController,
      expected: T,
      signal?: AbortSignal,
    ): Promise<Extract<Answer, { type: T }>> {
      const requestId = newId()
      const late = AbortSignal.timeout(ANSWER_MS)
      const limit = signal ? AbortSignal.any([signal, late]) : late
      try {
        return await new Promise((resolve, reject) => {
          const gone = () => reject(fail('controller.offline'))
          if (limit.aborted) return gone()
          limit.addEventListener('abort', gone, { once: true })
          const answer = (message: Answer) => {
            if (message.type === expected) resolve(message as Extract<Answer, { type: T }>)
          }
          waiting.set(requestId, { controllerId, answer, gone })
          if (!send(controllerId, build(requestId))) gone()
        })
      } finally {
        waiting.delete(requestId)
      }
    },
    /** Only whom it was asked may answer. */
    answered(controllerId: string, message: Answer): void {
      const asked = waiting.get(message.requestId)
      if (asked?.controllerId === controllerId) asked.answer(message)
    },
    gone(controllerId: string): void {
      for (const asked of waiting.values()) if (asked.controllerId === controllerId) asked.gone()
    },
  }
}
