import type { Clock } from '@kalnet/io/clock'
import { describe, expect, it } from 'vitest'
import { createThumbnails } from './thumbnails.ts'

const session = (instanceId: string, state = 'running') => ({
  controllerId: 'here',
  instanceId,
  generation: 1,
  state,
})

function camera(read: (instanceId: string) => Promise<string | null> = async () => 'AAAA') {
  let at = 0
  const asked: string[] = []
  const clock: Clock = { now: () => new Date(at), sleep: () => Promise.resolve() }
  const take = createThumbnails({
    clock,
    read: (_controllerId, instanceId) => {
      asked.push(instanceId)
      return read(instanceId)
    },
  })
  return {
    take,
    asked,
    pass(ms: number) {
      at += ms
    },
  }
}

describe('createThumbnails', () => {
  it('[SES-1.thumbnail] one picture serves all who ask within ten seconds', async () => {
    const { take, asked, pass } = camera()
    const pictures = await Promise.all([take(session('a')), take(session('a'))])
    expect(pictures).toEqual([pictures[0], pictures[0]])
    pass(9_999)
    await take(session('a'))
    expect(asked).toEqual(['a'])
    pass(1)
    await take(session('a'))
    expect(asked).toEqual(['a', 'a'])
  })

  it.each([
    ['does not answer', () => Promise.reject(new Error('away'))],
    ['has no picture', () => Promise.resolve(null)],
    ['sends too much', () => Promise.resolve('A'.repeat(800_000))],
    ['sends no picture but words', () => Promise.resolve('"><script>')],
  ])('[SES-1.thumbnail] a machine that %s: no picture, and no fault', async (_name, read) => {
    const { take, asked } = camera(read)
    expect(await take(session('a'))).toEqual({ png: null, takenAt: null })
    await take(session('a'))
    expect(asked).toEqual(['a'])
  })

  it('[SES-1.thumbnail] only of a running one', async () => {
    const { take, asked } = camera()
    await expect(take(session('a', 'stopped'))).rejects.toMatchObject({ code: 'session.state' })
    expect(asked).toEqual([])
  })

  it('[SES-1.thumbnail] the oldest pictures are forgotten: memory is bounded', async () => {
    const { take, asked } = camera()
    for (let n = 0; n <= 200; n++) await take(session(`i${n}`))
    await take(session('i200'))
    expect(asked).toHaveLength(201)
    await take(session('i0'))
    expect(asked).toHaveLength(202)
  })
})
