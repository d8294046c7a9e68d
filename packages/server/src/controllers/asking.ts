/** What a controller is asked for people who look: its answer is passed on, and kept nowhere. Each throws controller.offline. */
import type { ToController } from '@kalnet/contracts/controller'
import { ANSWERS_USE, type UseOfInstance } from '@kalnet/contracts/use'
import type { createQuestions } from './questions.ts'

export function createAsking(options: {
  ask: ReturnType<typeof createQuestions>['ask']
  /** What it said that it answers, of what later releases ask; null: it is not connected. */
  answersOf(controllerId: string): readonly string[] | null
}) {
  const { ask, answersOf } = options
  type Build = (requestId: string) => ToController
  return {
    async readLogs(
      controllerId: string,
      instanceId: string,
      lines: number,
      signal: AbortSignal,
    ): Promise<string[]> {
      const build: Build = (requestId) => ({ type: 'logs.read', requestId, instanceId, lines })
      return (await ask(controllerId, build, 'logs', signal)).lines.slice(-lines)
    },
    async readScreen(controllerId: string, instanceId: string, maxWidth: number): Promise<string | null> {
      const build: Build = (requestId) => ({
        ...{ type: 'screen.read', requestId, instanceId, port: 'display', maxWidth },
      })
      return (await ask(controllerId, build, 'screen')).png
    },
    /** Null: it is older, and would say nothing. */
    async readUse(controllerId: string, instances: string[]): Promise<UseOfInstance[] | null> {
      if (answersOf(controllerId)?.includes(ANSWERS_USE) === false) return null
      return (await ask(controllerId, (requestId) => ({ type: 'use.read', requestId, instances }), 'use'))
        .instances
    },
  }
}
