import type { ObservedInstance } from '@kalnet/contracts/instance'
import type { SessionState } from '@kalnet/contracts/session'
import { describe, expect, it } from 'vitest'
import { followInstance } from './follow.ts'

const now = new Date('2026-03-01T12:00:10.000Z')
const seen = (state: ObservedInstance['state'], rest: Partial<ObservedInstance> = {}): ObservedInstance => ({
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  generation: 1,
  platform: 'fake',
  state,
  times: {},
  progress: null,
  reason: null,
  logTail: [],
  ...rest,
})

describe('followInstance', () => {
  it.each<[SessionState, ObservedInstance['state'], SessionState]>([
    ['pending', 'preparing', 'starting'],
    ['pending', 'running', 'running'],
    ['starting', 'creating', 'starting'],
    ['starting', 'running', 'running'],
    ['starting', 'failed', 'failed'],
    ['starting', 'stopped', 'failed'],
    ['running', 'running', 'running'],
    ['running', 'failed', 'failed'],
    ['running', 'lost', 'failed'],
    ['running', 'stopped', 'stopped'],
    ['stopping', 'running', 'stopping'],
    ['stopping', 'stopped', 'stopped'],
    ['stopping', 'failed', 'stopped'],
    ['stopped', 'running', 'stopped'],
    ['failed', 'running', 'failed'],
    ['failed', 'failed', 'failed'],
    ['hibernating', 'running', 'hibernating'],
    ['hibernating', 'stopped', 'hibernated'],
    ['hibernating', 'failed', 'hibernated'],
    ['hibernated', 'running', 'hibernated'],
    ['waking', 'preparing', 'waking'],
    ['waking', 'running', 'running'],
    ['waking', 'failed', 'hibernated'],
    ['waking', 'stopped', 'hibernated'],
    ['waking', 'lost', 'hibernated'],
  ])('[SES-1.states] %s and an instance seen %s is %s', (state, observed, expected) => {
    expect(followInstance(state, now, seen(observed), now).state).toBe(expected)
  })

  it('[SES-1.reasons] a failure carries the reason, a wanted stop does not', () => {
    const killed = seen('failed', { reason: 'It was killed from outside (signal 9).' })
    expect(followInstance('running', now, killed, now).reason).toBe('It was killed from outside (signal 9).')
    expect(followInstance('stopping', now, killed, now).reason).toBeNull()
    expect(followInstance('running', now, seen('failed'), now).reason).toBe('Its program ended.')
  })

  it('[SES-1.hibernate] what cannot be woken says why; what was put to sleep does not', () => {
    const burnt = seen('failed', { reason: 'It could not be started: the disk is on fire' })
    expect(followInstance('waking', now, burnt, now).reason).toBe(burnt.reason)
    expect(followInstance('hibernating', now, burnt, now).reason).toBeNull()
  })

  it('[SES-1.stages] a controller whose clock is an hour ahead does not bend the stages', () => {
    const placed = new Date('2026-03-01T12:00:00.000Z')
    const times = {
      received: '2026-03-01T13:00:00.000Z',
      created: '2026-03-01T13:00:02.000Z',
      ready: '2026-03-01T13:00:02.500Z',
    }
    expect(followInstance('starting', placed, seen('running', { times }), now).stages).toEqual({
      placed: null,
      created: new Date('2026-03-01T12:00:02.000Z'),
      displayReady: new Date('2026-03-01T12:00:02.500Z'),
    })
  })
})
