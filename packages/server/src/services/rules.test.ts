/** The rules by which services are kept, as tables: what is done next, what is told, what they are called. */
import type { ObservedInstance } from '@kalnet/contracts/instance'
import { describe, expect, it } from 'vitest'
import { addressOfService } from './address.ts'
import { circleIn } from './circle.ts'
import type { Member } from './member.ts'
import { nameFor } from './names.ts'
import {
  AWAY_MS,
  BUSY_MS,
  GATE_MS,
  type PlannedRelease,
  planService,
  RETIRE_MS,
  type Situation,
  UNHEALTHY_MS,
} from './plan.ts'
import { serviceState } from './state.ts'

const now = new Date('2026-01-01T12:00:00.000Z')
const ago = (ms: number) => new Date(now.getTime() - ms)
const release = (
  number: number,
  more: Partial<PlannedRelease['parts'][number]> = {},
  liveAt: Date | null = ago(RETIRE_MS),
): PlannedRelease => ({
  number,
  createdAt: ago(3600_000),
  liveAt,
  parts: [{ name: 'web', needs: [], hasVolumes: false, hasProbe: false, ...more }],
})
const seen = (state: ObservedInstance['state'], more: Partial<ObservedInstance> = {}): ObservedInstance => ({
  id: 'a',
  generation: 1,
  platform: 'fake',
  state,
  times: {},
  progress: null,
  reason: null,
  logTail: [],
  ...more,
})
const health = (state: 'starting' | 'healthy' | 'unhealthy') => ({
  state,
  detail: 'It said so.',
  changedAt: '',
  tookMs: 1,
})
const member = (more: Partial<Member> = {}): Member => ({
  id: 'a',
  part: 'web',
  number: 0,
  release: 1,
  generation: 1,
  desired: 'running',
  observed: seen('running'),
  platform: 'fake',
  controllerId: 'one',
  controllerName: 'One',
  online: true,
  seenAt: now,
  restarts: 0,
  nextStartAt: null,
  startedAt: ago(60_000),
  unhealthyAt: null,
  busyAt: null,
  ...more,
})
const busy = (ms: number) => member({ busyAt: ago(ms) })
const situation = (more: Partial<Situation>): Situation => ({
  desired: 'running',
  replicas: 1,
  live: release(1),
  next: null,
  members: [],
  held: false,
  finishBy: null,
  now,
  random: () => 1,
  ...more,
})
/** Steps as words: `create 1 web 0`, `stop a`. */
const steps = (more: Partial<Situation>): string[] =>
  planService(situation(more)).steps.map((step) =>
    ['do', 'release', 'part', 'number', 'id', 'again', 'restarts', 'reason']
      .flatMap((key) => (key in step ? [String((step as Record<string, unknown>)[key])] : []))
      .join(' '),
  )

describe('[NET-5.life] what is done next', () => {
  const next = release(2, {}, null)
  const old = member()
  const fresh = member({ id: 'b', release: 2 })
  const data = { hasVolumes: true }
  const probed = { hasProbe: true }
  const CASES: [string, Partial<Situation>, string[]][] = [
    ['nothing is there', {}, ['create 1 web 0']],
    ['two are wanted', { replicas: 2, members: [old] }, ['create 1 web 1']],
    ['one is too many', { members: [old, member({ id: 'b', number: 1 })] }, ['stop b']],
    [
      'and has ended',
      { members: [old, member({ id: 'b', number: 1, desired: 'stopped', observed: seen('stopped') })] },
      ['remove b'],
    ],
    ['all is well', { members: [old] }, []],
    ['it is not wanted', { desired: 'stopped', members: [old] }, ['stop a']],
    [
      'and has ended',
      { desired: 'stopped', members: [member({ desired: 'stopped', observed: seen('stopped') })] },
      [],
    ],
    [
      'wanted again',
      { members: [member({ desired: 'stopped', observed: seen('stopped') })] },
      ['start a false'],
    ],
    ['it ended', { members: [member({ observed: seen('stopped') })] }, ['start-later a 0']],
    [
      'ended and waits',
      { members: [member({ observed: seen('failed'), nextStartAt: new Date(now.getTime() + 1) })] },
      [],
    ],
    [
      'ended and is due',
      { members: [member({ observed: seen('failed'), nextStartAt: now })] },
      ['start a true'],
    ],
    ['it fails its probe', { members: [member({ unhealthyAt: ago(UNHEALTHY_MS - 1) })] }, []],
    ['and goes on failing', { members: [member({ unhealthyAt: ago(UNHEALTHY_MS) })] }, ['start-later a 0']],
    ['its machine is away', { members: [member({ online: false, seenAt: ago(AWAY_MS - 1) })] }, []],
    [
      'and stays away',
      { members: [member({ online: false, seenAt: ago(AWAY_MS) })] },
      ['remove a', 'create 1 web 0'],
    ],
    [
      'with its data',
      { live: release(1, data), members: [member({ online: false, seenAt: ago(AWAY_MS) })] },
      [],
    ],
    ['a new release', { next, members: [old] }, ['create 2 web 0']],
    ['the new one is tried by some first', { next, members: [old, fresh], held: true }, []],
    ['the new one is up', { next, members: [old, fresh] }, ['switch 2']],
    [
      'up, not yet healthy',
      {
        next: release(2, probed, null),
        members: [old, member({ ...fresh, observed: seen('running', { health: health('starting') }) })],
      },
      [],
    ],
    [
      'never healthy',
      { next: release(2, probed, null), members: [old, member({ ...fresh, startedAt: ago(GATE_MS) })] },
      ['give-up 2 web did not become healthy'],
    ],
    [
      'the new one fails',
      { next, members: [old, member({ ...fresh, observed: seen('failed', { reason: 'It crashed' }) })] },
      ['give-up 2 web did not start: It crashed'],
    ],
    ['given up', { members: [old, member({ ...fresh, observed: seen('running') })] }, ['stop b']],
    ['taken over a moment ago', { live: release(2, {}, now), members: [old, fresh] }, []],
    ['taken over for a while', { live: release(2), members: [old, fresh] }, ['stop a']],
    [
      'something is open at the old one',
      { live: release(2), members: [busy(0), fresh], finishBy: new Date(now.getTime() + 1) },
      [],
    ],
    ['open, but its time is up', { live: release(2), members: [busy(0), fresh], finishBy: now }, ['stop a']],
    [
      'it has ended there',
      { live: release(2), members: [busy(BUSY_MS), fresh], finishBy: new Date(now.getTime() + 1) },
      ['stop a'],
    ],
    [
      'a new release with data',
      { live: release(1, data), next: release(2, data, null), members: [old] },
      ['stop a'],
    ],
    [
      'the old one has ended',
      {
        live: release(1, data),
        next: release(2, data, null),
        members: [member({ desired: 'stopped', observed: seen('stopped') })],
      },
      ['create 2 web 0'],
    ],
    [
      'given up with data',
      {
        live: release(1, data),
        members: [member({ desired: 'stopped', observed: seen('stopped') }), member({ id: 'b', release: 2 })],
      },
      ['stop b'],
    ],
    [
      'and gone',
      { live: release(1, data), members: [member({ desired: 'stopped', observed: seen('stopped') })] },
      ['start a false'],
    ],
    [
      'the first release is up',
      { live: release(1, {}, null), next: release(1, {}, null), members: [old] },
      ['switch 1'],
    ],
  ]
  it.each(CASES)('%s', (_name, given, expected) => {
    expect(steps(given)).toEqual(expected)
  })
  it('[NET-5.restart] the pause doubles up to a minute', () => {
    const pauses = [0, 1, 2, 5, 6, 40].map((restarts) => {
      const step = planService(situation({ members: [member({ observed: seen('failed'), restarts })] }))
        .steps[0]
      return step?.do === 'start-later' ? (step.at.getTime() - now.getTime()) / 1000 : null
    })
    expect(pauses).toEqual([1, 2, 4, 32, 60, 60])
    expect(
      steps({ members: [member({ observed: seen('failed'), restarts: 5, startedAt: ago(600_001) })] }),
    ).toEqual(['start-later a 0'])
  })
  it('[NET-5.needs] a part waits for what it needs', () => {
    const live: PlannedRelease = {
      ...release(1),
      parts: [
        { name: 'web', needs: ['db'], hasVolumes: false, hasProbe: false },
        { name: 'db', needs: [], hasVolumes: false, hasProbe: true },
      ],
    }
    const db = (state: 'starting' | 'healthy') =>
      member({ part: 'db', observed: seen('running', { health: health(state) }) })
    expect(steps({ live })).toEqual(['create 1 db 0'])
    expect(steps({ live, members: [db('starting')] })).toEqual([])
    expect(steps({ live, members: [db('healthy')] })).toEqual(['create 1 web 0'])
  })
})

describe('[NET-5.state] what is told', () => {
  const probed = release(1, { hasProbe: true })
  const told = (more: Partial<Parameters<typeof serviceState>[0]>) => {
    const given = {
      desired: 'running' as const,
      replicas: 1,
      live: release(1),
      next: null,
      members: [],
      problem: null,
    }
    const { state, reason } = serviceState({ ...given, ...more })
    return `${state}: ${reason ?? ''}`
  }
  const CASES: [string, Parameters<typeof told>[0], string][] = [
    ['nothing placed', { problem: 'no controller is connected' }, 'waiting: no controller is connected'],
    ['placed', { members: [member({ observed: null })] }, 'starting: '],
    ['runs', { members: [member()] }, 'running: '],
    [
      'one of two',
      { replicas: 2, members: [member(), member({ id: 'b', number: 1, observed: null })] },
      'running: 1 of 2 are there.',
    ],
    ['not yet healthy', { live: probed, members: [member()] }, 'starting: '],
    [
      'unhealthy',
      { live: probed, members: [member({ observed: seen('running', { health: health('unhealthy') }) })] },
      'unhealthy: It said so.',
    ],
    [
      'ended once',
      { members: [member({ observed: seen('failed', { reason: 'It crashed' }) })] },
      'starting: It crashed. It is started again.',
    ],
    [
      'ended often',
      { members: [member({ restarts: 3, observed: seen('failed', { reason: 'It crashed' }) })] },
      'failed: It crashed.',
    ],
    ['away', { members: [member({ online: false })] }, 'unhealthy: Its machine is not connected.'],
    ['lost', { members: [member({ observed: seen('lost') })] }, 'unhealthy: Its machine is not connected.'],
    ['an update', { next: release(2), members: [member()] }, 'updating: Release 2 is on its way.'],
    ['stopping', { desired: 'stopped', members: [member({ desired: 'stopped' })] }, 'stopping: '],
    [
      'stopping far away',
      { desired: 'stopped', members: [member({ desired: 'stopped', online: false })] },
      'stopping: Its machine is not connected.',
    ],
    [
      'stopped',
      {
        desired: 'stopped',
        members: [member({ desired: 'stopped', observed: seen('stopped') })],
        problem: 'Drained.',
      },
      'stopped: Drained.',
    ],
  ]
  it.each(CASES)('%s', (_name, given, expected) => {
    expect(told(given)).toBe(expected)
  })
})

describe('[NET-5.names] names and addresses', () => {
  it('a free name', () => {
    expect(nameFor(null, 'node-red', new Set())).toBe('node-red')
    expect(nameFor(null, 'node-red', new Set(['node-red', 'node-red-2']))).toBe('node-red-3')
    expect(nameFor(null, 'www', new Set())).toBe('www-2')
    expect(() => nameFor('a', 'b', new Set(['a']))).toThrow('called a already')
  })
  it.each([
    [{}, 'http://x.localhost:8080'],
    [{ gateway: { httpPort: 80 } }, 'http://x.localhost'],
    [{ tls: { enabled: true } }, 'https://x.kalnet.home.arpa:8443'],
    [
      { tls: { enabled: true }, gateway: { publicHttpsPort: 443 }, domain: 'example.org' },
      'https://x.example.org',
    ],
  ])('%j', async (given, url) => {
    const { config } = await import('@kalnet/contracts/config')
    expect(addressOfService(config.parse(given))('x').url).toBe(url)
  })
  it('[NET-5.needs] circles are found', () => {
    const circle = (needs: Record<string, string[]>) => circleIn(new Map(Object.entries(needs)))
    expect(circle({ a: ['b'], b: ['c'], c: [] })).toBeNull()
    expect(circle({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] })).toBeNull()
    expect(circle({ x: ['a'], a: ['b'], b: ['c'], c: ['a'] })).toEqual(['a', 'b', 'c', 'a'])
    expect(circle({ a: ['a'] })).toEqual(['a', 'a'])
  })
})
