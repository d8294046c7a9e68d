/** What every platform must do, V: tell what instances use, and say so where nobody measures. */
import { expect, test } from 'vitest'
import { type Fixture, LONG_MS, never, poll } from './fixture.ts'

const HELD_BYTES = 60_000_000
const BUSY = `held=$(head -c ${HELD_BYTES} /dev/zero | tr "\\0" x); echo held; while :; do :; done`

export function describeUse(fixture: Fixture): void {
  const { ensure, spec, asleep, onReal } = fixture

  test('[CTL-4.use] of one that is not there nothing is told', async () => {
    const handle = await ensure()
    await fixture.platform.remove(handle)
    const used = await fixture.platform.use?.([handle], never)
    expect(used?.known === false ? used.why : used?.instances).toEqual(
      used?.known === false ? expect.stringMatching(/\w/) : [],
    )
  })

  onReal(
    '[CTL-4.use] one that computes and holds memory is told apart from one that sleeps',
    async () => {
      const [busy, idle] = await Promise.all([ensure(spec(['bash', '-c', BUSY])), ensure(asleep)])
      const use = () => fixture.platform.use?.([busy, idle], never)
      const first = await use()
      if (first?.known === false) {
        expect(first.why).not.toBe('')
        for (const handle of [busy, idle]) await fixture.platform.remove(handle)
        return
      }
      const figures = async () => {
        const used = await use()
        if (!used?.known) throw new Error('it was known a moment ago')
        const of = (id: string) => used.instances.find((it) => it.instanceId === id)
        const [one, other] = [of(busy.instanceId), of(idle.instanceId)]
        return {
          holds: (one?.memoryBytes ?? 0) > HELD_BYTES,
          // However little time a busy machine gives it.
          computes: (one?.cpus ?? 0) > 0.02,
          sleeps: other !== undefined && other.cpus < (one?.cpus ?? 0) && other.memoryBytes < HELD_BYTES,
        }
      }
      await poll(figures, { timeout: 4 * LONG_MS, interval: 1_000 }).toEqual({
        holds: true,
        computes: true,
        sleeps: true,
      })
      for (const handle of [busy, idle]) await fixture.platform.remove(handle)
    },
    6 * LONG_MS,
  )
}
