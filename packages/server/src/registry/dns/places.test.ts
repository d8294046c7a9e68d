/** Networks come and go under the name server. */
import { createLog } from '@kalnet/io/log'
import { createManualClock } from '@kalnet/wire/testing'
import { expect, test } from 'vitest'
import { createPlaces } from './places.ts'

test('[MSH-2.follows] names are answered on networks that came later, not on those that went, and where a port was free again', async () => {
  let hosts = ['10.0.0.2']
  let taken = ['10.0.0.2']
  const open = new Set<string>()
  const clock = createManualClock()
  const stop = new AbortController()
  const places = createPlaces({
    hosts: () => hosts,
    serverAt: (host) => ({
      async listen() {
        if (taken.includes(host)) throw new Error(`Port 53 on ${host} is taken.`)
        open.add(host)
        return { host, port: 53 }
      },
      async close() {
        open.delete(host)
      },
    }),
    clock,
    log: createLog('test', 'silent'),
  })
  await places.settle()
  expect([[...open], places.problems()]).toEqual([[], ['Port 53 on 10.0.0.2 is taken.']])
  const keeping = places.keep(5_000, stop.signal)
  taken = []
  await clock.pass(5_000)
  await expect.poll(() => places.addresses()).toEqual([{ host: '10.0.0.2', port: 53 }])
  expect(places.problems()).toEqual([])
  // A laptop joins another network.
  hosts = ['192.168.7.9', 'fd00::9']
  await clock.pass(5_000)
  await expect.poll(() => [...open]).toEqual(['192.168.7.9', 'fd00::9'])
  // What went before it could be opened is no problem any more.
  taken = ['10.9.9.9']
  hosts = ['192.168.7.9', '10.9.9.9']
  await clock.pass(5_000)
  await expect.poll(() => places.problems()).toEqual(['Port 53 on 10.9.9.9 is taken.'])
  hosts = ['192.168.7.9']
  await clock.pass(5_000)
  await expect.poll(() => places.problems()).toEqual([])
  stop.abort()
  await keeping
  await places.close()
  expect([...open]).toEqual([])
})
