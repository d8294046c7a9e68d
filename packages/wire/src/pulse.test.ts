import type { Clock } from '@kalnet/io/clock'
import { describe, expect, it } from 'vitest'
import { createPulse } from './pulse.ts'
import { createManualClock } from './testing.ts'

function start() {
  const manual = createManualClock()
  let sleeps = 0
  const clock: Clock = {
    now: manual.now,
    sleep(ms, signal) {
      sleeps += 1
      return manual.sleep(ms, signal)
    },
  }
  return { pulse: createPulse(20_000, clock), pass: manual.pass, sleeps: () => sleeps }
}

describe('pulse', () => {
  it('[STR-7.idle] a thousand idle streams share one timer, none has none', async () => {
    const { pulse, pass, sleeps } = start()
    expect(sleeps()).toBe(0)
    let beats = 0
    const beat = () => {
      beats += 1
    }
    const leaves = Array.from({ length: 1_000 }, () => pulse.join(beat))
    await pass(40_000)
    expect(beats).toBe(2_000)
    // One sleep for each period and the one that is under way.
    expect(sleeps()).toBe(3)
    for (const leave of leaves) leave()
    await pass(60_000)
    expect(beats).toBe(2_000)
    expect(sleeps()).toBe(3)
  })

  it('[STR-7.idle] one that leaves during a beat is not called any more, and one that comes later is', async () => {
    const { pulse, pass } = start()
    const called: string[] = []
    const leaveSecond: (() => void)[] = []
    pulse.join(() => {
      called.push('first')
      leaveSecond.pop()?.()
    })
    leaveSecond.push(pulse.join(() => void called.push('second')))
    await pass(20_000)
    expect(called).toEqual(['first'])
    const leave = pulse.join(() => void called.push('third'))
    await pass(20_000)
    expect(called).toEqual(['first', 'first', 'third'])
    leave()
  })
})
