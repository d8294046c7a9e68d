/** What a gateway of its own asks and passes on: of which control plane, what it remembers, what it keeps while nobody answers. */

import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail } from '@kalnet/contracts/errors'
import { gatewayRoutes, type RouteFigures } from '@kalnet/contracts/gateway'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterEach, describe, expect, it } from 'vitest'
import { issue, newAuthority, pemOf } from '../../core/x509.ts'
import { idOf, portOf, snapshotOf } from '../engine/testing/bench.ts'
import { createServedCertificates } from './certificates.ts'
import { type ControlPlanes, createControlPlanes } from './control-planes.ts'
import { createFollowing } from './following.ts'
import { createJudging, mayRemember } from './judging.ts'
import { passedOn } from './own-names.ts'
import { createReporting, UNHEARD_MS } from './reporting.ts'

const log = createLog('test', 'silent')
const never = new AbortController().signal
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return new URL(`http://127.0.0.1:${portOf(server)}`)
}
const snapshot = snapshotOf([], [])
const news = { ended: [], proof: 'p', ownHosts: [], challenges: [], certificates: '1' }
/** Answers as told, in turn; the last one again and again. */
function planesOf(...answers: (object | Error)[]): Pick<ControlPlanes, 'call'> & { asked: unknown[] } {
  const asked: unknown[] = []
  return {
    asked,
    call: async (_, given) => {
      asked.push(given.body ?? given.query)
      const answer = answers[Math.min(asked.length, answers.length) - 1]
      if (answer instanceof Error) throw answer
      return answer as never
    },
  }
}

describe('[MSH-6.gateways] of several control planes', () => {
  const answering =
    (text: string, status = 200): RequestListener =>
    (_, response) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  const good = answering(JSON.stringify(snapshot))
  const gone = new URL('http://127.0.0.1:1')
  const ask = (urls: URL[]) =>
    createControlPlanes({ urls, key: 'k', clock: systemClock }).call(gatewayRoutes.snapshot, {
      signal: never,
      timeoutMs: 5_000,
    })
  it.each<[string, (RequestListener | null)[]]>([
    ['the first that answers is asked', [good]],
    ['the next, when nobody is there', [null, good]],
    ['the next, when it is unwell', [answering(JSON.stringify(fail('internal').body('')), 500), good]],
    ['the next, when somebody in between answers', [answering('<html>', 502), good]],
    ['the next, when what it says cannot be read', [answering('{'), good]],
  ])('%s', async (_, all) => {
    expect(await ask(await Promise.all(all.map((it) => (it ? serve(it) : gone))))).toEqual(snapshot)
  })
  it('what one says of our key is said, and nobody else is asked', async () => {
    const refusing = await serve(answering(JSON.stringify(fail('key.invalid').body('')), 401))
    const other = await serve(good)
    await expect(ask([refusing, other])).rejects.toMatchObject({ code: 'key.invalid' })
  })
  it('[MSH-6.refused] a key that was refused is not shown again for a while, so that nobody beside us is slowed down', async () => {
    let asked = 0
    const refusing = await serve((_, response) => {
      asked += 1
      response.writeHead(401).end(JSON.stringify(fail('key.invalid').body('')))
    })
    let now = 0
    const clock = { ...systemClock, now: () => new Date(now) }
    const planes = createControlPlanes({ urls: [refusing], key: 'k', clock })
    const call = () => planes.call(gatewayRoutes.snapshot, { signal: never })
    for (let each = 0; each < 5; each++) await expect(call()).rejects.toMatchObject({ code: 'key.invalid' })
    expect(asked).toBe(1)
    now = 10_000
    await expect(call()).rejects.toMatchObject({ code: 'key.invalid' })
    expect(asked).toBe(2)
  })
  it('none: away', async () => {
    await expect(ask([gone, gone])).rejects.toMatchObject({ code: 'gateway.away' })
  })
})

describe('[MSH-6.judged] what is remembered of who may pass', () => {
  it.each<[string, Record<string, string>, boolean]>([
    ['somebody with a pass', { cookie: 'a=1; __Host-kalnet-pass=x', 'x-forwarded-uri': '/' }, true],
    ['somebody with a pass in the clear', { cookie: 'kalnet-pass=x', 'x-forwarded-uri': '/' }, true],
    ['a stranger', { 'x-forwarded-uri': '/' }, false],
    ['a stranger with a cookie', { cookie: 'my-kalnet-pass=x', 'x-forwarded-uri': '/' }, false],
    ['a program', { authorization: 'Basic x', 'x-forwarded-uri': '/' }, false],
    [
      'coming back with a code',
      { cookie: 'kalnet-pass=x', 'x-forwarded-uri': '/.kalnet/callback?code=1' },
      false,
    ],
  ])('%s: %s', (_, headers, expected) => {
    expect(mayRemember(headers)).toBe(expected)
  })
  it('an answer is forgotten when told, and a refusal is one of the table', async () => {
    const reply = { status: 200, headers: {}, body: '', signInId: idOf(1) }
    const planes = planesOf(
      { reply, refused: null },
      { reply: null, refused: { code: 'app.closed', details: { name: 'Wiki' } } },
    )
    const judging = createJudging(planes, systemClock, never)
    const headers = { cookie: 'kalnet-pass=x', 'x-forwarded-uri': '/' }
    expect(await judging.decide(headers, '::1')).toEqual(reply)
    expect(await judging.decide(headers, '::1')).toEqual(reply)
    expect(planes.asked).toHaveLength(1)
    judging.forget()
    await expect(judging.decide(headers, '::1')).rejects.toMatchObject({ code: 'app.closed' })
  })
  it.each(['key.invalid', 'permission.denied', 'gateway.away'] as const)(
    '%s is nothing for visitors: away',
    async (code) => {
      const judging = createJudging(planesOf(fail(code)), systemClock, never)
      await expect(judging.decide({}, '::1')).rejects.toMatchObject({ code: 'gateway.away' })
    },
  )
})

describe('[MSH-6.alone] headers that are passed on to the dashboard', () => {
  it.each([
    [
      'its own are kept',
      { host: 'kalnet.test', cookie: 'kalnet=x', origin: 'https://kalnet.test' },
      ['host', 'cookie', 'origin'],
    ],
    [
      'those of one connection end here',
      { connection: 'close, x-one', 'x-one': '1', te: 'trailers', 'keep-alive': '1', accept: '*' },
      ['accept'],
    ],
    ['nobody vouches for himself', { 'x-kalnet-forwarded': 'x 203.0.113.9 https', accept: '*' }, ['accept']],
    ['those of HTTP/2 have their own names', { ':authority': 'x', ':path': '/', accept: '*' }, ['accept']],
  ])('%s', (_, headers, names) => {
    expect(Object.keys(passedOn(headers))).toEqual(names)
  })
})

describe('[MSH-6.away] routes', () => {
  it('are kept readable by us alone, and served by a start without anybody', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kn-alone-'))
    ends.push(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'snapshot.json')
    const taken: string[] = []
    const given = {
      file,
      clock: systemClock,
      log,
      signal: never,
      take: async ({ version }: { version: string }) => void taken.push(version),
    }
    const first = createFollowing({ ...given, planes: planesOf(snapshot) })
    await first.begin()
    await first.write()
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const second = createFollowing({ ...given, planes: planesOf(fail('gateway.away')) })
    await second.begin()
    expect(taken).toEqual([snapshot.version, ''])
  })
  it('are not served by a key that is refused, though they are known', async () => {
    const given = { file: '/nowhere', clock: systemClock, log, signal: never, take: async () => undefined }
    await expect(
      createFollowing({ ...given, planes: planesOf(fail('key.invalid')) }).begin(),
    ).rejects.toMatchObject({ code: 'key.invalid' })
  })
})

describe('[MSH-6.away] what sign-ins let in', () => {
  const figures: RouteFigures = {
    routeId: idOf(9),
    requests: 3,
    failures: 0,
    bytesIn: 0,
    bytesOut: 0,
    open: 0,
    retries: 0,
    rejected: 0,
    breaker: null,
    p50Ms: null,
    p99Ms: null,
  }
  function begin(...answers: (object | Error)[]) {
    let now = 0
    const planes = planesOf(...answers)
    const cut: string[] = []
    const stop = new AbortController()
    const clock = {
      now: () => new Date(now),
      // One round: the next begins when the test says so.
      sleep: async () => stop.abort(),
    }
    const reporting = createReporting({
      planes,
      engine: {
        figures: () => [figures],
        signIns: () => [idOf(1), idOf(2)],
        cut: (id) => cut.push(id),
        finishing: () => [],
        problems: () => [],
      },
      who: () => ({ name: 'attic', run: 'r', version: '0', ports: [], machine: null }),
      heard: () => undefined,
      forget: () => undefined,
      clock,
      log,
      signal: stop.signal,
    })
    return { reporting, planes, cut, pass: (ms: number) => (now += ms) }
  }
  it('ends with the sign-in, and only that', async () => {
    const { reporting, cut, planes } = begin({ ...news, ended: [idOf(2)] })
    await reporting.report()
    expect(cut).toEqual([idOf(2)])
    expect(planes.asked[0]).toMatchObject({ signIns: [idOf(1), idOf(2)], leaving: false })
  })
  it.each<[string, Error, number, number]>([
    ['goes on while nobody answers for a moment', fail('gateway.away'), 0, 0],
    ['ends when nobody answers for long', fail('gateway.away'), UNHEARD_MS, 2],
    ['ends at once when our key is refused', fail('key.invalid'), 0, 2],
    ['ends at once when our key may not do this any more', fail('permission.denied'), 0, 2],
  ])('%s', async (_, error, ms, ended) => {
    const { reporting, cut, pass } = begin(error)
    pass(ms)
    await reporting.run()
    expect(cut).toHaveLength(ended)
    expect(reporting.problem()).toMatch(/control plane/)
  })
  it('what was counted is told once, and all of it to another control plane', async () => {
    const { reporting, planes } = begin(news, news, { ...news, proof: 'another' }, news)
    for (let each = 0; each < 4; each++) await reporting.report()
    const told = planes.asked.map((it) => (it as { figures: unknown[] }).figures.length)
    expect(told).toEqual([1, 1, 0, 1])
  })
})

describe('[MSH-6.away] certificates', () => {
  const HOUR_MS = 3_600_000
  async function begin() {
    const began = Date.now()
    const root = await newAuthority('Home', began, 1_000)
    const made = await issue(root, { title: 'photos', names: ['photos.test'], now: began, hours: 48 })
    const chain = made.certificate + pemOf(root.certificate)
    const served = { chain, key: made.key, end: new Date(began + 48 * HOUR_MS).toISOString() }
    let ahead = 0
    const answers: (object | Error)[] = []
    let asked = 0
    const planes: Pick<ControlPlanes, 'call'> = {
      call: async () => {
        asked += 1
        const answer = answers.shift()
        if (!answer) throw fail('gateway.away')
        if (answer instanceof Error) throw answer
        return answer as never
      },
    }
    const clock = { ...systemClock, now: () => new Date(began + ahead) }
    return {
      served,
      root,
      answers,
      certificates: createServedCertificates(planes, clock, never),
      asked: () => asked,
      pass: (ms: number) => {
        ahead += ms
      },
    }
  }
  it('are asked for once, and anew when one has changed', async () => {
    const { certificates, answers, served, asked } = await begin()
    answers.push(served, served)
    const [one, two] = await Promise.all([certificates.contextFor('a'), certificates.contextFor('a')])
    expect([one === two, asked()]).toEqual([true, 1])
    certificates.changed()
    expect(await certificates.contextFor('a')).not.toBe(one)
    expect(asked()).toBe(2)
  })
  it('serve on while nobody answers, until their end', async () => {
    const { certificates, answers, served, pass } = await begin()
    answers.push(served)
    const one = await certificates.contextFor('a')
    pass(24 * HOUR_MS)
    expect(await certificates.contextFor('a')).toBe(one)
    pass(25 * HOUR_MS)
    await expect(certificates.contextFor('a')).rejects.toMatchObject({ code: 'gateway.away' })
  })
  it('of a name that is ours no more are over at once', async () => {
    const { certificates, answers, served } = await begin()
    answers.push(served, fail('thing.unknown', { kind: 'certificate' }))
    await certificates.contextFor('a')
    certificates.changed()
    await expect(certificates.contextFor('a')).rejects.toMatchObject({ code: 'thing.unknown' })
  })
  it('for who names nobody there are none in a household that does not run the installation', async () => {
    const { certificates, answers } = await begin()
    answers.push(fail('thing.unknown', { kind: 'certificate' }))
    expect(await certificates.forNobody('192.168.1.5')).toBeNull()
  })
  it('[MSH-4.mutual] who we are for services is made anew at half of its life, and kept while nobody answers', async () => {
    const { certificates, answers, served, root, asked, pass } = await begin()
    const { chain, key } = served
    const renewAt = new Date(Date.now() + 12 * HOUR_MS).toISOString()
    answers.push({ chain, key, authority: pemOf(root.certificate), renewAt })
    const one = await certificates.upstream()
    expect([await certificates.upstream(), asked()]).toEqual([one, 1])
    pass(13 * HOUR_MS)
    expect(await certificates.upstream()).toBe(one)
    expect(asked()).toBe(2)
  })
})
