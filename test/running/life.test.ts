/** The life of a session from the launch to its removal: real control plane, real controller, made-up platform. */
import type { Session } from '@kalnet/contracts/session'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Machine, type Person, type Plane, startPlane, WAIT } from './support.ts'

let plane: Plane
let machine: Machine
let ada: Person
beforeAll(async () => {
  plane = await startPlane()
  ada = await plane.claim()
  machine = await plane.machine()
})
afterAll(() => plane.end())

const keyOf = (session: Session) => `${session.instanceId}/${session.generation}`
const over = (session: Session) => ['stopped', 'failed'].includes(session.state)

describe('launch and stop', () => {
  it('[SES-1.launch] a launch answers at once, runs, and is told with its machine and platform', async () => {
    const launched = await plane.launch(ada, { name: 'Mine', answers: { text: 'hello' } })
    expect(launched).toMatchObject({
      state: 'pending',
      name: 'Mine',
      templateName: 'Fake',
      userId: ada.userId,
      platform: 'fake',
      controllerName: 'machine',
      reachable: true,
      generation: 1,
    })
    const running = await plane.until(ada, launched.id, { state: 'running' })
    expect(machine.world.created.get(keyOf(running))).toBe(1)
  })

  it('[SES-1.stages] the stages of a start come true in order', async () => {
    const { stages } = await plane.run(ada)
    const times = [stages.accepted, stages.placed, stages.created, stages.displayReady]
    expect(times.every((time) => time !== null)).toBe(true)
    expect([...times].sort()).toEqual(times)
    expect([stages.firstByte, stages.firstFrame]).toEqual([null, null])
  })

  it('[SES-1.stages] the first picture counts once, and only for its own person', async () => {
    const { id } = await plane.run(ada)
    const draw = () => plane.ask('POST', `/api/sessions/${id}/first-frame`, { as: ada.secret, body: {} })
    expect((await draw()).status).toBe(200)
    const first = (await plane.read(ada, id)).stages.firstFrame
    expect(first).not.toBeNull()
    expect((await draw()).status).toBe(200)
    expect((await plane.read(ada, id)).stages.firstFrame).toBe(first)
  })

  it('[SES-1.stop] a stop ends it on its machine and is no failure; asked again it changes nothing', async () => {
    const { id, instanceId } = await plane.run(ada)
    const answers = await Promise.all([plane.act(ada, id, 'stop'), plane.act(ada, id, 'stop')])
    expect(answers.map((answer) => answer.status)).toEqual([200, 200])
    const stopped = await plane.until(ada, id, over)
    expect(stopped).toMatchObject({ state: 'stopped', reason: null, progress: null, logTail: [] })
    expect([...machine.world.runtimes.values()].some((it) => it.instanceId === instanceId)).toBe(false)
    const again = await plane.act(ada, id, 'stop')
    expect([again.status, again.body.endedAt]).toEqual([200, stopped.endedAt])
  })

  it('[SES-1.stop] stopped before it has started, it never runs', async () => {
    machine.world.delay('ensure', 300)
    try {
      const { id, instanceId } = await plane.launch(ada)
      expect((await plane.act(ada, id, 'stop')).body.state).toBe('stopping')
      await plane.until(ada, id, { state: 'stopped' })
      await expect
        .poll(() => [...machine.world.runtimes.values()].some((it) => it.instanceId === instanceId), WAIT)
        .toBe(false)
    } finally {
      machine.world.delay('ensure', 0)
    }
  })
})

describe('how it ends', () => {
  it('[SES-1.reasons] a platform that cannot start it: failed, with the reason and no picture of success', async () => {
    machine.world.fail('ensure', 'the disk is on fire', 3)
    const { id } = await plane.launch(ada)
    const failed = await plane.until(ada, id, over)
    expect(failed).toMatchObject({ state: 'failed', reason: expect.stringContaining('the disk is on fire') })
    expect(failed.endedAt).not.toBeNull()
    expect(failed.stages.displayReady).toBeNull()
  })

  it.each([
    ['success', 0, 'stopped', 'It said goodbye'],
    ['another code', 3, 'failed', 'It ended with code 3'],
  ] as const)('[SES-1.reasons] its program ends by itself with %s', async (_name, code, state, reason) => {
    const { id, instanceId } = await plane.run(ada)
    machine.world.end(instanceId, code, reason)
    const ended = await plane.until(ada, id, over)
    expect(ended).toMatchObject({ state, reason })
    const { body } = await plane.ask('GET', `/api/sessions/${id}/logs`, { as: ada.secret })
    expect(body).toEqual({ lines: ['started program'] })
    expect(ended.logTail).toEqual(state === 'failed' ? ['started program'] : [])
  })

  it('[SES-1.reasons] removed from outside: failed, with words', async () => {
    const { id, instanceId } = await plane.run(ada)
    machine.world.lose(instanceId)
    expect(await plane.until(ada, id, over)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('no longer there'),
    })
  })

  it('[SES-1.reasons] a platform that answers nothing for a while: failed, and nothing is left running unseen', async () => {
    const { id, instanceId } = await plane.run(ada)
    machine.world.fail('observe', 'no answer', 4)
    const [runtime] = [...machine.world.runtimes.values()].filter((it) => it.instanceId === instanceId)
    machine.world.notices.say({ instanceId, generation: runtime?.generation ?? 0 })
    expect(await plane.until(ada, id, over)).toMatchObject({
      state: 'failed',
      reason: 'Its machine cannot tell what became of it.',
    })
    // Found again on the platform: it is taken away, since nobody sees it any more.
    await expect
      .poll(() => [...machine.world.runtimes.values()].some((it) => it.instanceId === instanceId), WAIT)
      .toBe(false)
    expect((await plane.read(ada, id)).state).toBe('failed')
  })
})

describe('afterwards', () => {
  it('[SES-1.restart] a restart is a new generation with stages of its own, from running and from ended', async () => {
    const first = await plane.run(ada)
    await plane.ask('POST', `/api/sessions/${first.id}/first-frame`, { as: ada.secret, body: {} })
    const restarted = await plane.act(ada, first.id, 'restart')
    expect(restarted.body).toMatchObject({ state: 'starting', generation: 2 })
    const second = await plane.until(ada, first.id, { state: 'running', generation: 2 })
    expect(second.stages.firstFrame).toBeNull()
    expect(String(second.stages.accepted) > String(first.stages.accepted)).toBe(true)
    machine.world.end(second.instanceId, 3, 'It crashed')
    await plane.until(ada, first.id, { state: 'failed' })
    await plane.act(ada, first.id, 'restart')
    const third = await plane.until(ada, first.id, { state: 'running', generation: 3 })
    expect(third).toMatchObject({ reason: null, logTail: [], endedAt: null })
    expect(machine.world.mostAtOnce).toBe(1)
  })

  it('[SES-1.restart] what is starting or stopping cannot be restarted', async () => {
    machine.world.delay('ensure', 200)
    try {
      const { id } = await plane.launch(ada)
      const refused = await plane.act(ada, id, 'restart')
      expect([refused.status, refused.body.error?.code]).toEqual([409, 'session.state'])
      await plane.until(ada, id, { state: 'running' })
    } finally {
      machine.world.delay('ensure', 0)
    }
  })

  it('[SES-1.remove] an ended session is taken off the list with all it left; a live one is not', async () => {
    const { id, instanceId } = await plane.run(ada)
    const path = `/api/sessions/${id}`
    const refused = await plane.ask('DELETE', path, { as: ada.secret })
    expect([refused.status, refused.body.error?.code]).toEqual([409, 'session.state'])
    machine.world.end(instanceId, 3, 'It crashed')
    await plane.until(ada, id, { state: 'failed' })
    expect((await plane.ask('DELETE', path, { as: ada.secret })).status).toBe(200)
    expect((await plane.ask('GET', path, { as: ada.secret })).status).toBe(404)
    expect((await plane.ask('DELETE', path, { as: ada.secret })).status).toBe(404)
    await expect
      .poll(() => [...machine.world.runtimes.values()].some((it) => it.instanceId === instanceId), WAIT)
      .toBe(false)
  })

  it('[SES-1.list] newest first, page by page, live and ended apart', async () => {
    const list = async (query: string) =>
      (await plane.ask('GET', `/api/sessions?${query}`, { as: ada.secret })).body as unknown as {
        items: Session[]
        next: string | null
      }
    const all = (await list('limit=200')).items.map((session) => session.id)
    expect([...all].sort().reverse()).toEqual(all)
    const paged: string[] = []
    for (let after: string | null = ''; after !== null; ) {
      const page: { items: Session[]; next: string | null } = await list(
        `limit=3${after ? `&after=${after}` : ''}`,
      )
      paged.push(...page.items.map((session) => session.id))
      after = page.next
    }
    expect(paged).toEqual(all)
    const [live, ended] = [await list('limit=200&state=live'), await list('limit=200&state=ended')]
    expect(live.items.every((session) => !over(session)) && ended.items.every(over)).toBe(true)
    expect(live.items.length + ended.items.length).toBe(all.length)
  })

  it.each([
    ['a cursor that is none', 'GET', '/api/sessions?after=nonsense', undefined],
    ['a cursor of controllers that is none', 'GET', '/api/controllers?after=nonsense', undefined],
    ['a name with a zero byte', 'POST', '/api/sessions', { templateId: 'fake', name: 'a\0b' }],
    [
      'an answer with half a letter',
      'POST',
      '/api/sessions',
      { templateId: 'fake', answers: { text: 'a\ud83d' } },
    ],
    ['a name with half a letter', 'POST', '/api/sessions', { templateId: 'fake', name: 'a\ud83d' }],
  ])('[SES-1.input] %s is refused in words', async (_name, method, path, body) => {
    const answer = await plane.ask(method, path, { as: ada.secret, body })
    expect([answer.status, answer.body.error?.code]).toEqual([400, 'request.invalid'])
  })

  it('[SES-1.clean] nothing of all this was logged as an error', () => {
    expect(plane.errors).toEqual([])
  })
})
