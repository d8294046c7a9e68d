import { systemClock } from '@kalnet/io/clock'
import { expect, it } from 'vitest'
import { createTurns } from './turns.ts'

it('[CTL-5.starting] who places something does so after whoever came before, also after one that failed', async () => {
  const inTurn = createTurns(systemClock)
  const heard: string[] = []
  const each = (name: string, fails = false) =>
    inTurn(async () => {
      heard.push(`${name} begins`)
      await systemClock.sleep(5)
      heard.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    })
  expect((await Promise.allSettled([each('a'), each('b', true), each('c')])).map((it) => it.status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
  expect(heard).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

it('[CTL-5.starting] whoever has waited for long goes on without', async () => {
  const inTurn = createTurns(systemClock, 10)
  const stuck = Promise.withResolvers<string>()
  const first = inTurn(() => stuck.promise)
  expect(await inTurn(async () => 'second')).toBe('second')
  stuck.resolve('first')
  expect(await first).toBe('first')
})
