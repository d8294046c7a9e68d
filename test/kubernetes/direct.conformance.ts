/** Ways to pods by their own addresses, as tests over a cluster that is there: who gets in and who does not, and that no screen is in the clear. */
import { connect, Socket } from 'node:net'
import { instanceSpec } from '@kalnet/contracts/instance'
import { poll } from '@kalnet/controller/platforms/conformance/fixture'
import type { Handle, Platform } from '@kalnet/controller/platforms/platform'
import { v7 as newId } from 'uuid'
import { describe, expect, test } from 'vitest'
import { startCaller } from './caller.ts'
import { ECHO, readerOf, SCREEN, talkOf, viewerOf, WEB } from './echo.ts'
import { chain, type Shared } from './subject.ts'

const never = new AbortController().signal
const wait = { timeout: 60_000, interval: 200 }
const ORGANISATION = '01890000-0000-7000-8000-00000000a000'

export const startEcho = (platform: Platform): Promise<Handle> =>
  platform.ensure(
    {
      instanceId: newId(),
      generation: 1,
      organisationId: ORGANISATION,
      spec: instanceSpec.parse({ image: { recipe: chain }, ...ECHO }),
    },
    never,
    () => undefined,
  )

/** Until its programs listen. */
export async function untilItAnswers(platform: Platform, handle: Handle): Promise<void> {
  for (const port of ['web', 'display'])
    await poll(
      () =>
        platform.dial(handle, port, never).then(
          (stream) => stream.on('error', () => undefined).destroy() && 'answers',
          (error: Error) => error.message,
        ),
      wait,
    ).toBe('answers')
}

export function describeDirect(shared: () => Shared): void {
  describe('[K8S-1.direct] ways to a pod by its address', { concurrent: true }, () => {
    test('[CTL-6.direct] its controller gets in by TCP, UDP and TLS to the screen; nobody else does, and gateways to no screen', async () => {
      const { cluster } = shared()
      const direct = {
        controllers: [`${cluster.here}/32`, 'default/role=controller'],
        gateways: ['default/role=gateway&place=here'],
      }
      const platform = shared().platform({ direct })
      const callers = Promise.all([
        startCaller(cluster, 'stranger', { role: 'nobody' }),
        startCaller(cluster, 'half-gateway', { role: 'gateway' }),
        startCaller(cluster, 'gateway', { role: 'gateway', place: 'here' }),
        startCaller(cluster, 'controller', { role: 'controller' }),
      ])
      const handle = await startEcho(platform)
      await untilItAnswers(platform, handle)
      const addresses = (await platform.addresses?.(handle)) ?? {}
      const host = addresses.web?.host ?? ''
      expect(host.startsWith(cluster.pods.replace(/\.0\/24$/, '.'))).toBe(true)
      expect(Object.keys(addresses).sort()).toEqual(['game', 'inner', 'web'])

      const web = await platform.dial(handle, 'web', never)
      expect((web as Socket).remoteAddress).toBe(host)
      await talkOf(web)(1_000_000)
      web.destroy()
      // On its loopback alone: the pod itself refuses, so it is reached there.
      const inner = await platform.dial(handle, 'inner', never)
      expect(inner).not.toBeInstanceOf(Socket)
      await talkOf(inner)(1000)
      inner.destroy()
      const until = new AbortController()
      const datagrams = await platform.dialDatagrams?.(handle, 'game', until.signal)
      const heard: string[] = []
      datagrams?.onMessage((payload) => heard.push(payload.toString()))
      await poll(() => {
        datagrams?.send(Buffer.from('ping'))
        return heard
      }, wait).toContain('echo ping')
      until.abort()

      const screen = await platform.dial(handle, 'display', never)
      expect((await (await viewerOf(screen))()).length).toBe(32 * 32 * 4)
      screen.destroy()
      // Whoever gets that far is asked for TLS (19, VeNCrypt) and for nothing else.
      const bare = connect({ host, port: SCREEN })
      const read = readerOf(bare)
      expect((await read(12)).toString()).toBe('RFB 003.008\n')
      bare.write('RFB 003.008\n')
      expect([...(await read(2))]).toEqual([1, 19])
      bare.destroy()

      const doors = [
        { host, port: WEB },
        { host, port: SCREEN },
      ]
      const [stranger, halfGateway, gateway, controller] = await callers
      await poll(() => controller.tries(doors), wait).toEqual(['open', 'open'])
      await poll(() => gateway.tries(doors), wait).toEqual(['open', 'closed'])
      for (const it of [stranger, halfGateway]) expect(await it.tries(doors)).toEqual(['closed', 'closed'])
      await platform.remove(handle)
      expect(await platform.addresses?.(handle)).toEqual({})
      await Promise.all([stranger, halfGateway, gateway, controller].map((it) => it.remove()))
    }, 180_000)

    test('[CTL-4.use] where nobody in the cluster measures, what instances use is not known, and that is no nothing', async () => {
      const platform = shared().platform()
      const handle = await startEcho(platform)
      expect(await platform.use?.([handle], never)).toEqual({
        known: false,
        why: expect.stringMatching(/Nobody in the cluster measures/),
      })
      await platform.remove(handle)
    }, 60_000)

    test('walls that keep us out are said, and nothing is tried in another way', async () => {
      const platform = shared().platform({ direct: { controllers: ['192.0.2.1/32'] } })
      const handle = await startEcho(platform)
      const tried = () =>
        platform.dial(handle, 'web', never).then(
          (stream) => stream.on('error', () => undefined).destroy() && 'open',
          (error: Error) => error.message,
        )
      // Its network keeps the walls of a new pod a moment after it has begun.
      await poll(tried, wait).toMatch(/its address 10\.[\d.]+ cannot be reached from here \(no answer\)/)
      await platform.remove(handle)
    }, 120_000)
  })
}
