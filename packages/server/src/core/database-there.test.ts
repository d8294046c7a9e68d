/** A database that is not there yet is waited for; one that refuses us is not. */
import { createLog } from '@kalnet/io/log'
import { describe, expect, it } from 'vitest'
import { isNotThereYet, untilDatabase } from './database-there.ts'

const problem = (message: string, code?: string) => Object.assign(new Error(message), code && { code })
const log = createLog('server', 'silent')

/** A clock that only runs while it is slept by. */
function clockOfOnes() {
  let at = 0
  return {
    now: () => new Date(at),
    async sleep(ms: number) {
      at += ms
    },
  }
}

describe('the first words with the database', () => {
  it.each([
    [problem('connect ECONNREFUSED 10.0.0.1:5432', 'ECONNREFUSED'), true],
    [problem('getaddrinfo EAI_AGAIN postgres', 'EAI_AGAIN'), true],
    [problem('getaddrinfo ENOTFOUND postgres', 'ENOTFOUND'), true],
    [problem('the database system is starting up', '57P03'), true],
    [problem('timeout expired'), true],
    [problem('Connection terminated unexpectedly'), true],
    [problem('password authentication failed for user "kalnet"', '28P01'), false],
    [problem('database "kalnet" does not exist', '3D000'), false],
    [problem('something else'), false],
    ['no error at all', false],
  ])('[K8S-2.database-later] %s is waited for: %s', (error, expected) => {
    expect(isNotThereYet(error)).toBe(expected)
  })

  it('[K8S-2.database-later] goes on as soon as it answers', async () => {
    let asked = 0
    const attempt = async () => {
      asked += 1
      if (asked < 4) throw problem('connect ECONNREFUSED', 'ECONNREFUSED')
    }
    await untilDatabase({ url: '', log, clock: clockOfOnes() as never, attempt })
    expect(asked).toBe(4)
  })

  it('[K8S-2.database-later] a refusal is told at once, and a database that never comes when its time is over', async () => {
    let asked = 0
    const refusing = async () => {
      asked += 1
      throw problem('password authentication failed', '28P01')
    }
    const given = { url: '', log, limitMs: 2_000 }
    await expect(
      untilDatabase({ ...given, clock: clockOfOnes() as never, attempt: refusing }),
    ).rejects.toThrow(/password/)
    expect(asked).toBe(1)
    const away = async () => {
      throw problem('connect ECONNREFUSED', 'ECONNREFUSED')
    }
    await expect(untilDatabase({ ...given, clock: clockOfOnes() as never, attempt: away })).rejects.toThrow(
      /ECONNREFUSED/,
    )
  })
})
