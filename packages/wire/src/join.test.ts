import { duplexPair } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { joinStreams } from './join.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('join', () => {
  it('[CTL-8.close] a side that stays after the other has ended is cut after a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const [left, near] = duplexPair()
    const [right, far] = duplexPair()
    const got: string[] = []
    far.on('data', (chunk) => got.push(String(chunk)))
    const joined = joinStreams(left, right)
    near.end('the last words')
    await vi.waitFor(() => expect(got).toEqual(['the last words']))
    expect(right.destroyed).toBe(false)
    await vi.advanceTimersByTimeAsync(5_000)
    await joined
    expect([left.destroyed, right.destroyed]).toEqual([true, true])
  })

  it('[CTL-8.close] a side that breaks ends the other at once', async () => {
    const [left] = duplexPair()
    const [right] = duplexPair()
    const joined = joinStreams(left, right)
    left.destroy(new Error('broken'))
    await joined
    expect(right.destroyed).toBe(true)
  })
})
