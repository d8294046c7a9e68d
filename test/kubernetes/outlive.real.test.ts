/**
 * The API server of a cluster and its kubelet are away for a minute: what is open by the addresses of pods goes on and loses nothing, what
 * leads through the API breaks with its reason, and afterwards everything is as it is wanted. Runs with KALNET_CLUSTER=all.
 */
import type { Duplex } from 'node:stream'
import { instanceSpec } from '@kalnet/contracts/instance'
import { poll } from '@kalnet/controller/platforms/conformance/fixture'
import type { Handle, Platform } from '@kalnet/controller/platforms/platform'
import { systemClock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { afterAll, describe, expect, test } from 'vitest'
import { partOf } from '../support/cluster/part.ts'
import { clusterIsNotAsked } from '../support/parts.ts'
import { startEcho, untilItAnswers } from './direct.conformance.ts'
import { talkOf, viewerOf } from './echo.ts'
import { note } from './results.ts'
import { chain, openShared } from './subject.ts'

const AWAY_MS = 60_000
const PAUSE_MS = 50
const never = new AbortController().signal
const wait = { timeout: 120_000, interval: 200 }

interface Going {
  turns: number
  bytes: number
  longestMs: number
  problem: string | null
  stop(): Promise<void>
}

/** Takes turns until it breaks or is stopped; `turn` answers how many bytes went through. */
function keepGoing(turn: () => Promise<number>): Going {
  let isWanted = true
  const going: Going = {
    turns: 0,
    bytes: 0,
    longestMs: 0,
    problem: null,
    async stop() {
      isWanted = false
      await run
    },
  }
  const run = (async () => {
    while (isWanted && going.problem === null) {
      const began = performance.now()
      try {
        going.bytes += await turn()
        going.turns += 1
        going.longestMs = Math.max(going.longestMs, Math.round(performance.now() - began))
      } catch (error) {
        going.problem = (error as Error).message
      }
      await systemClock.sleep(PAUSE_MS)
    }
  })()
  return going
}

const TALK_BYTES = 20_000
async function talking(platform: Platform, handle: Handle) {
  const stream = await platform.dial(handle, 'web', never)
  const talk = talkOf(stream)
  return { stream, going: keepGoing(async () => talk(TALK_BYTES).then(() => 2 * TALK_BYTES)) }
}
async function viewing(platform: Platform, handle: Handle) {
  const stream = await platform.dial(handle, 'display', never)
  const look = await viewerOf(stream)
  return { stream, going: keepGoing(async () => (await look()).length) }
}
async function throwing(platform: Platform, handle: Handle) {
  const stop = new AbortController()
  const datagrams = await platform.dialDatagrams?.(handle, 'game', stop.signal)
  let heard: (text: string) => void = () => undefined
  datagrams?.onMessage((payload) => heard(payload.toString()))
  let number = 0
  const going = keepGoing(async () => {
    number += 1
    const said = `throw ${number}`
    const back = new Promise<string>((resolve, reject) => {
      heard = resolve
      AbortSignal.timeout(30_000).addEventListener('abort', () => reject(new Error('a packet was lost')))
    })
    datagrams?.send(Buffer.from(said))
    if ((await back) !== `echo ${said}`) throw new Error('another packet came')
    return said.length
  })
  return { going, end: () => stop.abort() }
}
const end = (...streams: Duplex[]) => {
  for (const it of streams) it.on('error', () => undefined).destroy()
}
const reason = (work: Promise<Duplex>) =>
  work.then(
    (stream) => {
      end(stream)
      return 'open'
    },
    (error: Error) => error.message,
  )

if (await clusterIsNotAsked('streams of pods live on while the API server of the cluster is away')) {
  test.skip('streams of pods while the API server of a cluster is away: runs with KALNET_CLUSTER=all')
} else {
  const shared = await openShared()
  afterAll(() => shared.close())
  const stop = new AbortController()
  afterAll(() => stop.abort())
  const api = await partOf(shared.cluster, 'kube-apiserver')
  const kubelet = await partOf(shared.cluster, 'kubelet')

  /** As a controller has it: it hears what changes. */
  function listening(changes: object, installation: string): Platform {
    const platform = shared.platform(changes, installation)
    void (async () => {
      for await (const _ of platform.changes(stop.signal));
    })()
    return platform
  }
  const direct = listening({ direct: { controllers: [`${shared.cluster.here}/32`] } }, 'direct')
  const forwarded = listening({}, 'forwarded')
  const ways = {
    frozen: {
      leave: () => Promise.all([api.freeze(), kubelet.freeze()]),
      return: () => Promise.all([api.thaw(), kubelet.thaw()]),
    },
    killed: {
      leave: () => Promise.all([api.kill(), kubelet.kill()]),
      async return() {
        await api.begin()
        await poll(() => shared.cluster.call('GET', '/readyz').catch(() => 'away'), wait).toBe('ok')
        await kubelet.begin()
      },
    },
  }

  describe.each(Object.entries(ways))('with the API server and the kubelet %s for a minute', (name, way) => {
    test('[K8S-1.outlive] streams by address lose nothing, those through the API break with their reason, and all is as it is wanted afterwards', async () => {
      const [near, far] = await Promise.all([startEcho(direct), startEcho(forwarded)])
      await Promise.all([untilItAnswers(direct, near), untilItAnswers(forwarded, far)])
      const ending = await direct.ensure(
        {
          instanceId: newId(),
          generation: 1,
          organisationId: '01890000-0000-7000-8000-00000000a000',
          spec: instanceSpec.parse({
            image: { recipe: chain },
            command: ['sh', '-c', 'sleep 30; exit 4'],
          }),
        },
        never,
        () => undefined,
      )
      const by = {
        tcp: await talking(direct, near),
        screen: await viewing(direct, near),
        udp: await throwing(direct, near),
      }
      const through = { tcp: await talking(forwarded, far), screen: await viewing(forwarded, far) }
      await systemClock.sleep(2_000)
      const all = () => Object.values(by).map((it) => it.going)
      const before = all().map((it) => it.turns)
      expect(Math.min(...before, through.tcp.going.turns, through.screen.going.turns)).toBeGreaterThan(0)

      const left = Date.now()
      await way.leave()
      await systemClock.sleep(AWAY_MS / 2)
      // Who comes now, comes in; through the API nobody does, and is told why.
      expect(await reason(direct.dial(near, 'web', never))).toBe('open')
      expect(await reason(direct.dial(near, 'display', never))).toBe('open')
      const refused = await reason(forwarded.dial(far, 'web', AbortSignal.timeout(60_000)))
      expect(refused).toBe('the API of the cluster does not answer, and the way leads through it')
      await systemClock.sleep(Math.max(0, AWAY_MS - (Date.now() - left)))
      const after = all().map((it) => it.turns)
      const awayMs = Date.now() - left
      await way.return()

      expect(all().map((it) => it.problem)).toEqual([null, null, null])
      for (const [index, turns] of after.entries()) expect(turns).toBeGreaterThan((before[index] ?? 0) + 100)
      const broke = { tcp: through.tcp.going.problem, screen: through.screen.going.problem }
      if (name === 'killed') expect(broke.tcp).toBe('the API of the cluster broke it off')

      const back = Date.now()
      await poll(() => reason(forwarded.dial(far, 'display', never)), wait).toBe('open')
      await poll(() => direct.observe(ending).catch(() => null), wait).toMatchObject({
        state: 'ended',
        code: 4,
      })
      const next = await startEcho(direct)
      await untilItAnswers(direct, next)
      const convergedMs = Date.now() - back
      for (const it of Object.values(by)) await it.going.stop()
      end(by.tcp.stream, by.screen.stream, through.tcp.stream, through.screen.stream)
      by.udp.end()
      const figures = ([what, { going }]: [string, { going: Going }]) => [
        what,
        { turns: going.turns, bytes: going.bytes, longestMs: going.longestMs, broke: going.problem },
      ]
      await note('outlive', name, {
        at: new Date().toISOString(),
        awayMs,
        convergedMs,
        byAddress: Object.fromEntries(Object.entries(by).map(figures)),
        throughTheApi: Object.fromEntries(Object.entries(through).map(figures)),
      })
      for (const handle of [near, next, ending]) await direct.remove(handle)
      await forwarded.remove(far)
      await Promise.all([through.tcp.going.stop(), through.screen.going.stop()])
    }, 400_000)
  })
}
