/** What is asked of a cluster where nothing happens, and when something is refused. Time passes as the test says. */
import type { Fingerprint } from '@kalnet/contracts/controller'
import { createLog } from '@kalnet/io/log'
import { expect, test } from 'vitest'
import { createAnnouncer } from '../announce.ts'
import type { Api } from './api.ts'
import { createNews } from './news.ts'
import { RIGHTS } from './rights.ts'
import { kubernetesSettings } from './settings.ts'

const MINUTE = 60_000

function start() {
  const asked: string[] = []
  let [isAllowed, at, registryLooks] = [true, 0, 0]
  const sleepers: { until: number; wake: () => void }[] = []
  const clock = {
    now: () => new Date(at),
    sleep: (ms: number) => new Promise<void>((wake) => sleepers.push({ until: at + ms, wake })),
  }
  const api = {
    async get(path: string) {
      asked.push(path)
      return { gitVersion: 'v1.34.4' }
    },
    async post() {
      asked.push('rights')
      const rules = RIGHTS.map((it) => ({ verbs: it.verbs, apiGroups: [it.group], resources: [it.resource] }))
      return { status: { resourceRules: isAllowed ? rules : [], incomplete: false } }
    },
  } as unknown as Api
  const presence = createAnnouncer<boolean>()
  const stop = new AbortController()
  const news = createNews({
    api,
    store: {
      run: () => new Promise(() => undefined),
      all: () => [],
      presence: presence.listen,
    } as never,
    overview: {
      machines: () => [],
      run: async () => undefined,
      look: async () => void asked.push('overview'),
      lookAtRegistry: async () => {
        registryLooks += 1
      },
    } as never,
    settings: kubernetesSettings.parse({ kubeconfig: '/nowhere' }),
    clock,
    log: createLog('test', 'silent'),
  })
  const told: Fingerprint[] = []
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  const running = (async () => {
    for await (const it of news.fingerprint(stop.signal)) told.push(it)
  })()
  return {
    news,
    told,
    asked,
    registryLooks: () => registryLooks,
    deny: () => {
      isAllowed = false
    },
    allow: () => {
      isAllowed = true
    },
    /** Everybody who slept wakes up when his time has come. */
    async pass(ms: number) {
      const end = at + ms
      for (;;) {
        await settle()
        const next = sleepers.toSorted((one, other) => one.until - other.until)[0]
        if (!next || next.until > end) break
        sleepers.splice(sleepers.indexOf(next), 1)
        at = next.until
        next.wake()
      }
      at = end
      await settle()
    },
    async end() {
      stop.abort()
      for (const it of sleepers) it.wake()
      presence.say(false)
      await running
    },
  }
}

test('[K8S-1.quiet] where all is well a day costs a few questions, and nothing is said twice', async () => {
  const it = start()
  await it.pass(0)
  expect(it.asked).toEqual(['/version', 'rights', 'overview'])
  await it.pass(24 * 60 * MINUTE)
  expect(it.asked.length).toBeLessThanOrEqual(3 * 25)
  expect(it.told).toHaveLength(1)
  expect(it.registryLooks()).toBeGreaterThan(200)
  await it.end()
})

test('[K8S-1.quiet] what is refused is looked at at once, but not by each that is refused, and is asked again until it is right', async () => {
  const it = start()
  await it.pass(MINUTE)
  it.deny()
  for (let n = 0; n < 100; n += 1) it.news.doubt()
  await it.pass(0)
  expect(it.asked.filter((one) => one === 'rights')).toHaveLength(2)
  expect(it.told.map((one) => one.usable)).toEqual([true, false])
  it.allow()
  await it.pass(6 * MINUTE)
  expect(it.told.map((one) => one.usable)).toEqual([true, false, true])
  await it.end()
})
