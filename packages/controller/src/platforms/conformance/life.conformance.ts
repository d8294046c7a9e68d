/** What every platform must do, I: begin once, end whole, tell how it ended, and be found again. */
import { readdir, readFile } from 'node:fs/promises'
import { v7 as newId } from 'uuid'
import { expect, test } from 'vitest'
import { commandLines, type Fixture, LONG_MS, never, ORGANISATION, poll, wait } from './fixture.ts'

export function describeLife(fixture: Fixture): void {
  const { ensure, spec, end, inside, onReal, asleep } = fixture

  test('[CTL-3.ensure-twice] the same id and generation twice is the same handle and one runtime', async () => {
    const instanceId = newId()
    const [first, second] = await Promise.all([ensure(asleep, instanceId), ensure(asleep, instanceId)])
    const third = await ensure(asleep, instanceId)
    expect(second).toEqual(first)
    expect(third).toEqual(first)
    expect((await fixture.platform.list()).filter((it) => it.instanceId === instanceId)).toEqual([first])
    expect(await fixture.platform.observe(first)).toMatchObject({ state: 'running' })
    await fixture.platform.remove(first)
  })

  test('[CTL-3.platform-fencing] a lower generation is refused and a higher one replaces', async () => {
    const instanceId = newId()
    const second = await ensure(asleep, instanceId, 2)
    await expect(ensure(asleep, instanceId, 1)).rejects.toThrow(/generation 2/)
    const third = await ensure(asleep, instanceId, 3)
    expect((await fixture.platform.list()).filter((it) => it.instanceId === instanceId)).toEqual([third])
    expect(await fixture.platform.observe(second)).toEqual({ state: 'gone' })
    await fixture.platform.stop(second, 0)
    await fixture.platform.remove(second)
    expect(await fixture.platform.observe(third)).toMatchObject({ state: 'running' })
    await fixture.platform.remove(third)
  })

  test('[SES-1.ended-with-code] an end is noticed and told with its code and in words', async () => {
    const stop = new AbortController()
    const noticed: string[] = []
    const listening = (async () => {
      for await (const it of fixture.platform.changes(stop.signal)) noticed.push(it.instanceId)
    })()
    const handle = await ensure(spec(['sh', '-c', 'sleep 0.5; echo over; exit 3']))
    fixture.endByItself?.(handle, 3)
    await poll(() => noticed, wait).toContain(handle.instanceId)
    expect(await end(handle)).toMatchObject({ code: 3, reason: 'Its program ended with code 3' })
    stop.abort()
    await listening
    // It stays told until it is removed.
    expect(await fixture.platform.observe(handle)).toMatchObject({ state: 'ended', code: 3 })
    await fixture.platform.remove(handle)
    expect(await fixture.platform.observe(handle)).toEqual({ state: 'gone' })
  })

  test('[SES-1.stop-twice] stopping and removing twice is the same as once', async () => {
    const handle = await ensure()
    await fixture.platform.stop(handle, 1000)
    await fixture.platform.stop(handle, 1000)
    expect(await fixture.platform.observe(handle)).toMatchObject({ state: 'ended' })
    await fixture.platform.remove(handle)
    await fixture.platform.remove(handle)
    await fixture.platform.stop(handle, 1000)
    expect(await fixture.platform.observe(handle)).toEqual({ state: 'gone' })
    expect((await fixture.platform.list()).some((it) => it.instanceId === handle.instanceId)).toBe(false)
  })

  test('[CTL-4.platform-adopt] after a restart of ours everything is found again and can be stopped', async () => {
    const handle = await ensure()
    const next = await fixture.subject.again()
    expect((await next.list()).find((it) => it.instanceId === handle.instanceId)).toEqual(handle)
    expect(await next.observe(handle)).toMatchObject({ state: 'running' })
    const request = {
      instanceId: handle.instanceId,
      generation: 1,
      organisationId: ORGANISATION,
      spec: asleep,
    }
    expect(await next.ensure(request, never, () => undefined)).toEqual(handle)
    await next.stop(handle, 500)
    await next.remove(handle)
    expect(await fixture.platform.observe(handle)).toEqual({ state: 'gone' })
  })

  onReal('[SES-1.stop-gracefully] programs are asked to end first', async () => {
    const script = 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.1; done'
    const handle = await ensure(spec(['bash', '-c', script]))
    await poll(() => fixture.platform.logs(handle, 5), wait).toContain('up')
    await fixture.platform.stop(handle, LONG_MS)
    expect(await fixture.platform.logs(handle, 5)).toContain('bye')
    await fixture.platform.remove(handle)
  })

  onReal('[SES-1.whole-tree] what refuses to end is killed, with children that left the tree', async () => {
    const mark = `31${Math.floor(Math.random() * 1e9)}`
    const script = `trap "" TERM; (setsid bash -c 'trap "" TERM; sleep ${mark} & wait' &) ; echo up; sleep ${mark}`
    const handle = await ensure(spec(['bash', '-c', script]))
    const living = async () => (await commandLines()).filter((it) => it.startsWith(`sleep\0${mark}`)).length
    await poll(living, wait).toBe(2)
    await fixture.platform.stop(handle, 300)
    expect(await living()).toBe(0)
    await fixture.platform.remove(handle)
  })

  onReal('[SES-1.leftovers] when the program ends, what it left in the background ends too', async () => {
    const mark = `32${Math.floor(Math.random() * 1e9)}`
    const handle = await ensure(spec(['bash', '-c', `(setsid sleep ${mark} &); sleep 0.3; exit 0`]))
    expect(await end(handle)).toMatchObject({ code: 0, reason: 'Its program ended' })
    expect((await commandLines()).some((it) => it.startsWith(`sleep\0${mark}`))).toBe(false)
    await fixture.platform.remove(handle)
  })

  onReal('[CTL-6.logs] the last lines of both outputs are kept', async () => {
    const { lines } = await inside(
      `for i in $(seq 300); do echo line $i; done; ${fixture.subject.oneOutput ? 'sleep 0.5; ' : ''}echo problem >&2`,
    )
    expect(lines).toHaveLength(200)
    expect(lines).toContain('problem')
    expect(lines).toContain('line 300')
  })

  onReal('[SES-1.killed-by-hand] a program killed from outside is told so', async () => {
    const mark = `33${Math.floor(Math.random() * 1e9)}`
    const handle = await ensure(spec(['sleep', mark]))
    const find = async () => {
      const names = (await readdir('/proc')).filter((it) => /^\d+$/.test(it))
      for (const pid of names) {
        const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
        if (line === `sleep\0${mark}\0`) return Number(pid)
      }
      return 0
    }
    await poll(find, wait).toBeGreaterThan(0)
    process.kill(await find(), 'SIGKILL')
    const observation = await end(handle)
    expect(observation.code).toBe(137)
    expect(observation.reason).toBe(fixture.subject.unsureOfKill ?? 'It was killed from outside (signal 9)')
    await fixture.platform.remove(handle)
  })

  onReal(
    '[CTL-6.exec] a program is run inside as its user and within its walls, and ended after the time',
    async (context) => {
      if (!fixture.subject.exec) return context.skip('no programs are run inside on this machine')
      const handle = await ensure(spec(['sleep', '1000'], { environment: { GREETING: 'hello' } }))
      const run = (script: string, timeoutMs = LONG_MS) =>
        fixture.platform.exec?.(handle, ['bash', '-c', script], never, timeoutMs)
      expect(await run('echo first; echo $GREETING $(id -u) $(cat /proc/1/comm | wc -l)')).toEqual({
        code: 0,
        lastLine: 'hello 1000 1',
      })
      const rights = 'grep -cE "^Cap(Prm|Eff|Amb):\\s0+$|^NoNewPrivs:\\s1" /proc/self/status'
      expect(await run(`touch /etc/x 2>/dev/null; ${rights}; exit 7`)).toEqual({ code: 7, lastLine: '4' })
      const mark = `35${Math.floor(Math.random() * 1e9)}`
      expect(await run(`sleep ${mark}`, 300)).toMatchObject({ code: null })
      await poll(async () => (await commandLines()).some((it) => it.startsWith(`sleep\0${mark}`)), wait).toBe(
        false,
      )
      await fixture.platform.remove(handle)
      await expect(run('true')).rejects.toThrow('it is not running')
    },
    30_000,
  )
}
