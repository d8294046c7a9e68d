/** What the gateway promises, through the whole product: real programs behind it, killed, falling ill, rolled over, while somebody asks all the time. */
import { once } from 'node:events'
import { request } from 'node:http'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Service } from '@kalnet/contracts/service'
import { serviceRoutes } from '@kalnet/contracts/service'
import { isDemanded, missing } from '@kalnet/controller/platforms/testing'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { eventually } from '../support/eventually.ts'
import { openStand, type Stand } from './stand.ts'

const GIGABYTE = 2 ** 30
const lacks = process.getuid?.() === 0 ? await missing(['mmdebstrap', 'flock', 'bwrap']) : 'root'

if (lacks && !isDemanded) test.skip(`what is behind the gateway of the whole product: ${lacks} is missing`)
else
  describe('behind the gateway', { timeout: 120_000 }, () => {
    let stand: Stand
    let pair: Service
    let other: Service
    const hostOf = ({ url }: Service) => new URL(url ?? '').host
    const runs = (replicas: number, release: number) => (it: Service) =>
      it.state === 'running' &&
      it.release === release &&
      it.instances.length === replicas &&
      it.instances.every((one) => one.release === release && one.health?.state === 'healthy')
    const install = (name: string, replicas: number, word: string) =>
      stand.client.call(serviceRoutes.install, {
        body: { templateId: 'answers', name, replicas, answers: { word } },
      })
    const update = ({ id }: Service, word: string) =>
      stand.client.call(serviceRoutes.update, { params: { id }, body: { answers: { word } } })
    const say = (service: Service, path: string, method = 'GET') =>
      new Promise<number>((resolve, reject) => {
        const options = { host: '127.0.0.1', port: stand.gatewayPort, path, method }
        const out = request({ ...options, headers: { host: hostOf(service) } }, (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
        out.once('error', reject)
        out.end()
      })

    async function listenTo(service: Service): Promise<WebSocket> {
      const socket = new WebSocket(`ws://127.0.0.1:${stand.gatewayPort}/echo`, {
        headers: { host: hostOf(service) },
        handshakeTimeout: 30_000,
      })
      await once(socket, 'open')
      return socket
    }
    const echoOf = (socket: WebSocket) => async (text: string) => {
      const answer = once(socket, 'message', { signal: AbortSignal.timeout(30_000) })
      socket.send(text)
      return String((await answer)[0])
    }

    beforeAll(async () => {
      stand = await openStand()
      pair = await install('pair', 2, 'one')
      other = await install('other', 1, 'other')
      pair = await stand.until(pair.id, 'running', runs(2, 1), 240_000)
      other = await stand.until(other.id, 'running', runs(1, 1))
      for (const service of [pair, other])
        await eventually('the gateway leads there', async () => (await say(service, '/')) === 200)
    }, 300_000)
    afterAll(() => stand?.close(), 60_000)

    test('[MSH-3.whole] [MSH-3.retries] one of two programs is killed while 200 requests a second come: none fails, and it comes back by itself', async () => {
      const load = await stand.press({ host: hostOf(pair), connections: 16, perSecond: 200 })
      await eventually('both are asked', async () => (await stand.figuresOf(pair.id)).requests > 200)
      const [victim = 0, survivor] = await stand.programs('one')
      process.kill(victim, 'SIGKILL')
      await eventually('another program runs', async () => {
        const now = await stand.programs('one')
        return now.length === 2 && !now.includes(victim) && now.includes(survivor ?? 0)
      })
      const whole = await stand.until(pair.id, 'whole again', runs(2, 1))
      const came = await load.end()
      console.log(`killed under load: ${JSON.stringify(came)}`)
      expect(came.statuses, came.problems.join('\n')).toEqual({ 200: came.asked })
      expect(whole.instances.map((it) => it.restarts).toSorted()).toEqual([0, 1])
      expect((await stand.figuresOf(pair.id)).failures).toBe(0)
    })

    test('[MSH-3.whole] [MSH-3.changed] [NET-5.finishing] a rolling update under load fails no request; a WebSocket stays open while other routes and services change', async () => {
      const load = await stand.press({ host: hostOf(pair), connections: 16, perSecond: 200 })
      const socket = await listenTo(other)
      const lasting = await listenTo(pair)
      const [echoed, answered] = [echoOf(socket), echoOf(lasting)]
      expect(await answered('hello')).toMatch(/^one \w{8} hello$/)
      const said = await echoed('before')
      expect(said).toMatch(/^other \w{8} before$/)
      await stand.setPolicy(pair.id, { retries: { attempts: 3, budgetPercent: 50 } })
      expect(await echoed('after a change')).toBe(said.replace('before', 'after a change'))
      await update(pair, 'two')
      // Whoever is connected to the last release stays there, and no longer than its connection.
      const isFinishing = (it: Service) =>
        it.instances.filter((one) => one.state === 'finishing').length === 1
      pair = await stand.until(pair.id, 'finishing', (it) => it.release === 2 && isFinishing(it))
      await stand.until(
        pair.id,
        'left with one of the last release',
        (it) => isFinishing(it) && it.instances.length === 3,
      )
      expect(await answered('still here')).toMatch(/^one \w{8} still here$/)
      const gone = once(lasting, 'close')
      await stand.client.call(serviceRoutes.finish, { params: { id: pair.id } })
      await gone
      pair = await stand.until(pair.id, 'rolled over', runs(2, 2))
      const came = await load.end()
      console.log(`rolled over under load: ${JSON.stringify(came)}`)
      expect(came.statuses, came.problems.join('\n')).toEqual({ 200: came.asked })
      expect(Object.keys(came.words).toSorted()).toEqual(['one', 'two'])
      expect(await echoed('after all')).toBe(said.replace('before', 'after all'))
      socket.terminate()
    })

    test('[MSH-3.whole] [MSH-3.canary] a new release gets 10 % of 5,000 requests, within two points, and takes over when it is not held', async () => {
      await stand.setPolicy(pair.id, { canary: [{ release: 3, percent: 10 }] })
      await update(pair, 'three')
      await eventually(
        'both releases are asked',
        async () => {
          const trial = await stand.press({ host: hostOf(pair), connections: 4, total: 40 })
          return Object.keys((await trial.end()).words).length === 2
        },
        60_000,
      )
      const before = (await stand.figuresOf(pair.id)).requests
      const load = await stand.press({ host: hostOf(pair), connections: 8, total: 5_000 })
      const came = await load.end()
      console.log(`canary: ${JSON.stringify(came)}`)
      expect(came.statuses, came.problems.join('\n')).toEqual({ 200: 5_000 })
      expect((await stand.figuresOf(pair.id)).requests - before).toBe(5_000)
      const share = ((came.words.three ?? 0) / 5_000) * 100
      expect(share).toBeGreaterThan(8)
      expect(share).toBeLessThan(12)
      await stand.setPolicy(pair.id, { canary: [] })
      pair = await stand.until(pair.id, 'taken over', runs(2, 3))
    })

    test('[MSH-3.whole] [MSH-3.breaker] the breaker opens when the service fails or does not connect, which the figures show, and closes when it is well', async () => {
      await stand.setPolicy(other.id, {
        breaker: { failurePercent: 50, requests: 10, windowMs: 5_000, openMs: 500, onFault: 'closed' },
        retries: { attempts: 0, budgetPercent: 0 },
      })
      const breaker = async () => (await stand.figuresOf(other.id)).breaker
      for (const how of ['/ill?status=503&ms=2000', '/deaf?ms=2000']) {
        await eventually('it is closed', async () => (await breaker()) === 'closed')
        const load = await stand.press({ host: hostOf(other), connections: 4, perSecond: 60 })
        expect(await say(other, how)).toBe(200)
        await eventually(`it opens after ${how}`, async () => (await breaker()) === 'open')
        await eventually(`it closes again after ${how}`, async () => (await breaker()) === 'closed')
        await eventually('it is answered again', async () => (await say(other, '/')) === 200)
        const came = await load.end()
        console.log(`breaker, ${how}: ${JSON.stringify(came)}`)
        // Most were told at once, without troubling the service.
        expect(came.statuses[503]).toBeGreaterThan(40)
        expect(came.problems.some((it) => it.includes('502') || it.includes('503'))).toBe(true)
      }
      await stand.setPolicy(other.id, { breaker: null })
    })

    test('[MSH-3.whole] [MSH-3.rate] of 200 requests a second 50 and what was saved up pass, within 5 %', async () => {
      await stand.setPolicy(other.id, { rate: { perSecond: 50, burst: 25, by: 'route' } })
      await eventually('the limit holds', async () => {
        const trial = await stand.press({ host: hostOf(other), connections: 8, total: 60 })
        return ((await trial.end()).statuses[429] ?? 0) > 0
      })
      // The bucket is full again.
      await systemClock.sleep(700)
      const turnedAway = (await stand.figuresOf(other.id)).rejected
      const load = await stand.press({ host: hostOf(other), connections: 16, perSecond: 200 })
      await eventually(
        'so many were asked',
        async () => (await stand.figuresOf(other.id)).rejected > turnedAway + 500,
      )
      const came = await load.end()
      console.log(`rate: ${JSON.stringify(came)}`)
      const passed = came.statuses[200] ?? 0
      expect(passed + (came.statuses[429] ?? 0)).toBe(came.asked)
      const most = 25 + (came.spanMs / 1000) * 50
      expect(passed).toBeLessThan(most * 1.05)
      expect(passed).toBeGreaterThan(most * 0.95)
      await stand.setPolicy(other.id, { rate: null })
    })

    test('[MSH-3.whole] [NET-3.bodies] a gigabyte to an instance and one back, and the control plane keeps none of it', async () => {
      const resident = await stand.residentBytes()
      let most = resident
      const looking = setInterval(
        () =>
          void stand.residentBytes().then((now) => {
            most = Math.max(most, now)
          }),
        100,
      )
      const ask = (path: string, method: string, length = 0) =>
        request({
          host: '127.0.0.1',
          port: stand.gatewayPort,
          path,
          method,
          headers: { host: hostOf(other), 'content-length': length },
        })
      const began = performance.now()
      const up = ask('/', 'POST', GIGABYTE)
      const answered = once(up, 'response')
      const piece = Buffer.alloc(2 ** 20)
      await pipeline(
        Readable.from(
          (function* () {
            for (let at = 0; at < 1024; at += 1) yield piece
          })(),
        ),
        up,
      )
      const [told] = await answered
      const chunks: Buffer[] = []
      for await (const chunk of told) chunks.push(chunk)
      expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({ taken: GIGABYTE })
      const between = performance.now()
      const down = ask(`/pour?bytes=${GIGABYTE}`, 'GET')
      down.end()
      const [poured] = await once(down, 'response')
      let bytes = 0
      await pipeline(
        poured,
        new Writable({
          write(chunk, _, done) {
            bytes += chunk.length
            done()
          },
        }),
      )
      clearInterval(looking)
      expect(bytes).toBe(GIGABYTE)
      const mib = (it: number) => Math.round(it / 2 ** 20)
      console.log(
        `1 GiB up ${Math.round(between - began)} ms, down ${Math.round(performance.now() - between)} ms; the control plane had ${mib(resident)} MiB, ${mib(most)} MiB at most`,
      )
      expect(mib(most - resident)).toBeLessThan(200)
    })
  })
