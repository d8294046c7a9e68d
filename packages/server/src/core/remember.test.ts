import { createManualClock } from '@kalnet/wire/testing'
import { describe, expect, it } from 'vitest'
import { createRemember } from './remember.ts'

function subject(forMs = 1000, most = 3) {
  const clock = createManualClock()
  const remember = createRemember<number>(clock, { forMs, most })
  let asked = 0
  const find = async () => ++asked
  return { clock, remember, find, asked: () => asked }
}

describe('a short memory', () => {
  it('asks once for several at once, and again when the time is over', async () => {
    const { clock, remember, find, asked } = subject()
    expect(await Promise.all([remember.get('a', find), remember.get('a', find)])).toEqual([1, 1])
    await clock.pass(999)
    expect(await remember.get('a', find)).toBe(1)
    await clock.pass(1)
    expect(await remember.get('a', find)).toBe(2)
    expect(asked()).toBe(2)
  })
  it('what it was told to forget is asked anew, also what was under way', async () => {
    const { remember, find } = subject()
    const early = remember.get('a', find)
    remember.forget()
    expect(await remember.get('a', find)).toBe(2)
    expect(await early).toBe(1)
    expect(await remember.get('a', find)).toBe(2)
  })
  it('a failure is not kept', async () => {
    const { remember, find } = subject()
    await expect(remember.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
    expect(await remember.get('a', find)).toBe(1)
  })
  it('keeps nothing where nothing is to be kept, and never more than it may', async () => {
    const none = subject(0)
    await none.remember.get('a', none.find)
    expect(await none.remember.get('a', none.find)).toBe(2)
    const few = subject(1000, 2)
    for (const key of ['a', 'b', 'c']) await few.remember.get(key, few.find)
    expect(await few.remember.get('a', few.find)).toBe(4)
  })
})
