/** `kalnet sessions show` over a real unix socket: where it is, and why there. */
import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Placed } from '@kalnet/contracts/placing'
import type { Session } from '@kalnet/contracts/session'
import type { InstanceUse } from '@kalnet/contracts/use'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

const id = (end: string) => `01a1fd3c-b7fd-7166-abd0-0000000000${end}`
const at = new Date(Date.now() - 120_000).toISOString()
const session: Session = {
  id: id('01'),
  name: 'Workbench',
  templateId: 'desktop',
  templateName: 'Desktop',
  userId: id('02'),
  userName: 'Ada',
  instanceId: id('03'),
  generation: 1,
  platform: 'process',
  controllerId: id('04'),
  controllerName: 'attic',
  reachable: true,
  state: 'starting',
  reason: 'Its machine is busy.',
  logTail: [],
  progress: { step: 'image', text: 'Preparing desktop', share: 0.5 },
  stages: {
    accepted: at,
    placed: null,
    created: null,
    displayReady: null,
    firstByte: null,
    firstFrame: null,
  },
  keepsHome: true,
  home: null,
  idle: null,
  createdAt: at,
  endedAt: null,
}
const placed: Placed = {
  placing: 'spread',
  considered: [
    {
      controllerId: id('04'),
      name: 'attic',
      points: { image: 3, memory: 1.52, cpu: 0.5, person: 0 },
      problem: null,
    },
    {
      controllerId: id('05'),
      name: 'cellar',
      points: { image: 0, memory: 2.4, cpu: 1.5, person: 1 },
      problem: null,
    },
    { controllerId: id('06'), name: 'shed', points: null, problem: 'shed takes nothing new' },
  ],
  others: 2,
}

let home = NO_HOME
let server: Server
let answered: Session = session
let now: InstanceUse['now']
const used = (its: InstanceUse['now']): InstanceUse => ({
  ...{ instanceId: session.instanceId, generation: 1, most: { cpus: 1, memoryBytes: 536_870_912 }, now: its },
})
let listed: Session[] = [session]
const removed: string[] = []
beforeAll(async () => {
  home = await temporaryHome()
  await mkdir(join(home.home, 'run'))
  server = createServer((request, answer) => {
    const { pathname } = new URL(request.url ?? '', 'http://x')
    if (request.method === 'DELETE') removed.push(pathname)
    const shown =
      pathname === '/api/sessions'
        ? { items: listed, next: null }
        : pathname.endsWith('/use')
          ? used(now)
          : answered
    const said = request.method === 'DELETE' ? {} : shown
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said))
  })
  await new Promise<void>((resolve) => server.listen(join(home.home, 'run/control.sock'), resolve))
})
afterAll(async () => {
  server.close()
  await home.remove()
})

it('[CTL-5.why] says where it is, what spoke for each machine, and why the others could not have it', async () => {
  answered = { ...session, placed }
  const { code, out } = await cli(home.home, 'sessions', 'show', 'Workbench')
  expect([code, out]).toEqual([0, expect.stringContaining('attic')])
  for (const words of [
    /^state +starting, since 2 min/m,
    /^reason +Its machine is busy\.$/m,
    /^machine +attic$/m,
    /^why there \(where most is free; points\)$/m,
    /^ +attic +5\.0 +3\.0 +1\.5 +0\.5 +0\.0$/m,
    /^ +cellar +4\.9 +0\.0 +2\.4 +1\.5 +1\.0$/m,
    /^ +shed takes nothing new$/m,
    /^ +and 2 more$/m,
  ])
    expect(out).toMatch(words)
  expect(JSON.parse((await cli(home.home, 'sessions', 'show', 'Workbench', '--json')).out).placed).toEqual(
    placed,
  )
})
it.each<[string, InstanceUse['now'], RegExp]>([
  [
    'known',
    { known: true, cpus: 0.5, memoryBytes: 300_000_000, at: new Date().toISOString() },
    /^uses +0\.50 of 1 processors, 300 MB of 537 MB of memory, measured \d+ \w+ ago$/m,
  ],
  [
    'not measured',
    { known: false, because: 'unmeasured', why: 'Nobody in the cluster measures' },
    /^uses +not known: Nobody in the cluster measures$/m,
  ],
  [
    'away',
    { known: false, because: 'offline', why: null },
    /^uses +not known: its machine is not connected$/m,
  ],
])('[CTL-4.use] says what it uses now: %s', async (_, its, words) => {
  answered = { ...session, state: 'running' }
  now = its
  expect((await cli(home.home, 'sessions', 'show', 'Workbench')).out).toMatch(words)
  expect(JSON.parse((await cli(home.home, 'sessions', 'show', 'Workbench', '--json')).out).use).toEqual(
    used(its),
  )
})
it('[CTL-4.use] of one that does not run nobody is asked', async () => {
  answered = session
  expect(JSON.parse((await cli(home.home, 'sessions', 'show', 'Workbench', '--json')).out).use).toBeNull()
})
it('[CTL-5.why] of what an older release began nothing is known', async () => {
  answered = session
  expect((await cli(home.home, 'sessions', 'show', 'Workbench')).out).not.toContain('why')
})

const AT = '2026-01-01T00:00:00.000Z'
const asleep = (name: string, home: Session['home']): Session => ({
  ...session,
  name,
  state: 'hibernated',
  home,
})
const measured = {
  bytes: 1_240_000_000,
  reservedBytes: null,
  place: '/var/lib/kalnet/volumes/1/data',
  measuredAt: AT,
}
it('[SES-1.home-size] what is kept of sessions that do not run: how large, where, and what is not known', async () => {
  listed = [
    session,
    asleep('Letters', measured),
    asleep('Films', { ...measured, bytes: null, reservedBytes: 10e9, place: 'kalnet-instances/home-1' }),
    asleep('Old', { ...measured, bytes: null, place: null }),
    asleep('New', { bytes: null, reservedBytes: null, place: null, measuredAt: null }),
  ]
  const { out } = await cli(home.home, 'sessions', 'homes')
  for (const words of [
    /^Letters +hibernated +1\.2 GB +attic +\/var\/lib\/kalnet\/volumes\/1\/data$/m,
    /^Films +hibernated +up to 10\.0 GB +attic +kalnet-instances\/home-1$/m,
    /^Old +hibernated +an amount not known +attic +not known$/m,
    /^New +hibernated +an amount not known yet +attic +not known$/m,
    /^1\.2 GB in all; of 3 it is not known$/m,
  ])
    expect(out).toMatch(words)
  expect(out).not.toContain('Workbench')
  const told = JSON.parse((await cli(home.home, 'sessions', 'homes', '--json')).out)
  expect(told).toMatchObject({
    bytes: 1_240_000_000,
    unknown: 3,
    items: [{ name: 'Letters', home: measured }, {}, {}, {}],
  })
  listed = [session]
  expect((await cli(home.home, 'sessions', 'homes')).out).toContain('Nothing is kept')
})
it('[SES-1.home-size] removing what sleeps asks, and says how much goes', async () => {
  listed = [asleep('Letters', measured)]
  answered = asleep('Letters', measured)
  const asked = await cli(home.home, 'sessions', 'remove', 'Letters')
  expect([asked.code, asked.err]).toEqual([
    4,
    expect.stringMatching(/Letters keeps 1\.2 GB on attic\.[\s\S]*--yes/),
  ])
  expect(removed).toEqual([])
  expect((await cli(home.home, 'sessions', 'remove', 'Letters', '--yes')).code).toBe(0)
  expect(removed).toEqual([`/api/sessions/${session.id}`])
  expect((await cli(home.home, 'sessions', 'show', 'Letters')).out).toMatch(/^files +1\.2 GB, in \/var\/lib/m)
})
