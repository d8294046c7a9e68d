/** What a gateway of its own hears and may say: of its household only. */
import { fail } from '@kalnet/contracts/errors'
import { gatewayReport, joinedRoutes } from '@kalnet/contracts/gateway-joined'
import type { AnyRoute } from '@kalnet/contracts/route'
import { systemClock } from '@kalnet/io/clock'
import { beforeEach, describe, expect, it } from 'vitest'
import { idOf, routeOf, snapshotOf } from '../engine/testing/bench.ts'
import { createKnownGateways, type KnownGateways } from './known.ts'
import { type JoinedOptions, routesOfJoined } from './routes.ts'

const [HOME, CLUB] = [idOf(501), idOf(502)]
const routes: Record<string, ReturnType<typeof routeOf>[]> = {
  [HOME]: [
    routeOf({ id: idOf(1), host: 'photos.home.example' }),
    routeOf({ id: idOf(2), host: '*.apps.example' }),
  ],
  [CLUB]: [routeOf({ id: idOf(3), host: 'club.example' })],
}
let known: KnownGateways
let said: { registered: unknown[]; left: unknown[]; asked: unknown[]; rows: number }
let work: (route: AnyRoute, organisationId: string, given: object) => Promise<Record<string, unknown>>

beforeEach(() => {
  known = createKnownGateways(systemClock)
  said = { registered: [], left: [], asked: [], rows: 0 }
  const options: JoinedOptions = {
    clock: systemClock,
    known,
    snapshotOf: (organisationId) => snapshotOf(routes[organisationId] ?? [], []),
    registrations: {
      registerPart: async (_, part) => {
        said.registered.push(part)
        return { serviceId: '', registrationId: '', expiresAt: '', unchanged: false }
      },
      leavePart: async (...who) => void said.left.push(who),
    },
    certificates: {
      pemFor: async () => null,
      identity: async () => ({ certificate: '', key: '', authority: '', renewAt: 0 }),
      challenges: () => [
        { host: 'photos.home.example', token: 't', answer: 'a' },
        { host: 'club.example', token: 't', answer: 'a' },
      ],
      generation: () => 1,
      runsInstallation: async (id) => id === HOME,
    },
    decide: async (headers) => {
      said.asked.push(headers['x-forwarded-host'])
      if (headers.cookie === 'closed') throw fail('app.closed', { name: 'Photos' })
      if (headers.cookie === 'broken') throw fail('internal')
      return { status: 200, headers: {}, body: '', signInId: idOf(7) }
    },
    busy: async () => undefined,
    ended: async (ids) => ids.filter((id) => id === idOf(7)),
    ownHosts: () => ['kalnet.local'],
    problemOf: (host) => (host.startsWith('169.254.') ? `${host} is nobody's` : null),
  }
  const handlers = routesOfJoined(options)
  work = async (route, organisationId, given) => {
    const handler = handlers.find((it) => it.route === route)
    const call = {
      actor: { organisationId },
      audit: () => undefined,
      unchanged: () => (said.rows -= 1),
      ...given,
    }
    said.rows += 1
    return (await handler?.work(call as never)) as Record<string, unknown>
  }
})
const report = (more: object = {}) => ({
  body: gatewayReport.parse({
    name: 'attic',
    run: 'one',
    version: '0',
    ports: [{ name: 'http', host: '192.168.1.5', port: 80 }],
    machine: null,
    figures: [],
    signIns: [],
    problems: [],
    ...more,
  }),
})
const counted = (routeId: string, requests: number) => ({
  routeId,
  requests,
  failures: 0,
  bytesIn: 0,
  bytesOut: 0,
  open: 0,
  retries: 0,
  rejected: 0,
  breaker: null,
  p50Ms: null,
  p99Ms: null,
})

describe('[MSH-6.gateways] a report', () => {
  it('that it is there is on record and in the registry once, its end too', async () => {
    await work(joinedRoutes.report, HOME, report())
    await work(joinedRoutes.report, HOME, report())
    expect([said.rows, said.registered.length]).toEqual([1, 1])
    await work(joinedRoutes.report, HOME, report({ leaving: true }))
    expect([said.rows, said.left]).toEqual([2, [[HOME, 'gateway', 'attic']]])
  })
  it('counts for routes of its own household only', async () => {
    await work(joinedRoutes.report, HOME, report({ figures: [counted(idOf(1), 5), counted(idOf(3), 9)] }))
    expect(known.figures().map((it) => [it.routeId, it.requests])).toEqual([[idOf(1), 5]])
  })
  it('hears which of its sign-ins have ended', async () => {
    const { ended } = await work(joinedRoutes.report, HOME, report({ signIns: [idOf(6), idOf(7)] }))
    expect(ended).toEqual([idOf(7)])
  })
  it.each([
    [
      'of the household that runs the installation hears the names of the dashboard and is believed',
      HOME,
      ['kalnet.local'],
      true,
      2,
    ],
    ['of another hears its own challenges only, and vouches for nobody', CLUB, [], false, 1],
  ])('%s', async (_, who, ownHosts, believed, challenges) => {
    const answer = await work(joinedRoutes.report, who, report())
    expect([answer.ownHosts, answer.proof !== '', (answer.challenges as unknown[]).length]).toEqual([
      ownHosts,
      believed,
      challenges,
    ])
  })
  it.each([
    ['the name of the one in the control plane', { name: 'main' }, 'service.name-taken'],
    [
      'an address of nobody',
      { ports: [{ name: 'http', host: '169.254.169.254', port: 80 }] },
      'request.invalid',
    ],
    [
      'loopback, without saying of which machine',
      { ports: [{ name: 'http', host: '127.0.0.1', port: 80 }] },
      'request.invalid',
    ],
  ])('with %s is refused', async (_, more, code) => {
    await expect(work(joinedRoutes.report, HOME, report(more))).rejects.toMatchObject({ code })
  })
})

describe('[MSH-6.judged] a question', () => {
  const ask = (who: string, host: string, cookie = '') =>
    work(joinedRoutes.judge, who, { body: { headers: { 'x-forwarded-host': host, cookie }, address: '::1' } })
  it.each([
    ['its host', HOME, 'photos.home.example', true],
    ['its host with a port', HOME, 'photos.home.example:8443', true],
    ['below its star', HOME, 'a.apps.example', true],
    ["another household's host", HOME, 'club.example', false],
    ['the dashboard', HOME, 'kalnet.local', false],
    ['no host', HOME, '', false],
  ])('about %s: %s', async (_, who, host, answered) => {
    const { reply, refused } = await ask(who, host)
    expect([reply !== null, said.asked.length]).toEqual([answered, answered ? 1 : 0])
    expect(refused).toEqual(answered ? null : { code: 'forward-route.unknown', details: {} })
  })
  it('that is refused has its words; one that cannot be answered is no answer', async () => {
    const { refused } = await ask(HOME, 'photos.home.example', 'closed')
    expect(refused).toEqual({ code: 'app.closed', details: { name: 'Photos' } })
    await expect(ask(HOME, 'photos.home.example', 'broken')).rejects.toMatchObject({ code: 'internal' })
  })
})

describe('[MSH-6.given] a certificate', () => {
  it('that is not for it is not there', async () => {
    const asked = work(joinedRoutes.certificate, CLUB, { query: { host: 'photos.home.example' } })
    await expect(asked).rejects.toMatchObject({ code: 'thing.unknown' })
  })
})
