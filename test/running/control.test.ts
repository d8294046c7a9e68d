/** Controllers under a control plane: enrolment, revocation, desired state, fencing, placement. */
import { v7 as newId } from 'uuid'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Bare, bareMachine, CAPACITY, enrolBare, seen } from './bare.ts'
import { type Machine, type Person, type Plane, startPlane, WAIT } from './support.ts'

let plane: Plane
let ada: Person
const links: Bare[] = []
beforeAll(async () => {
  plane = await startPlane()
  ada = await plane.claim()
})
afterEach(async () => {
  for (const link of links.splice(0)) link.close()
  await plane.calm()
})
afterAll(() => plane.end())

const bare = (name?: string, by?: Person) => bareMachine(plane, links, name, by)
const controllers = async (as = ada) =>
  (await plane.ask('GET', '/api/controllers', { as: as.secret })).body.items as {
    id: string
    name: string
    state: string
    instances: number
  }[]
const runs = (machine: Machine, instanceId: string) =>
  [...machine.world.runtimes.values()].some((it) => it.instanceId === instanceId && !it.ended)

describe('enrolment', () => {
  it('[CTL-2.enrolment] a token works once, also when two come at once', async () => {
    const token = await plane.token(ada)
    const both = await Promise.all([enrolBare(plane, token), enrolBare(plane, token)])
    expect(both.map(({ answer }) => answer.status).sort()).toEqual([200, 403])
    const late = await enrolBare(plane, token)
    expect([late.answer.status, late.answer.body.error?.code]).toEqual([403, 'controller.token'])
  })

  it('[CTL-2.enrolment] an expired token and an invented one are refused alike', async () => {
    const token = await plane.token(ada)
    await plane.expireTokens()
    const answers = [await enrolBare(plane, token), await enrolBare(plane, 'kce_invented')]
    expect(answers.map(({ answer }) => answer.body.error?.code)).toEqual([
      'controller.token',
      'controller.token',
    ])
  })

  it('[CTL-2.enrolment] without a token of somebody who may manage controllers nobody gets in', async () => {
    for (const role of ['member', 'child', 'guest'] as const) {
      const person = await plane.person(role, ada.organisationId)
      const body = { name: 'mine' }
      const asked = await plane.ask('POST', '/api/controllers/tokens', { as: person.secret, body })
      expect([role, asked.status, asked.body.error?.code]).toEqual([role, 403, 'permission.denied'])
    }
    const before = (await controllers()).length
    const unapproved = await enrolBare(plane, '')
    expect([unapproved.answer.status, unapproved.answer.body.error?.code]).toEqual([403, 'controller.token'])
    const link = unapproved.connect({ as: newId() })
    links.push(link)
    expect(await link.closed).toBe(4401)
    expect(link.of('refused')[0]?.code).toBe('controller.unknown')
    expect((await controllers()).length).toBe(before)
  })

  it('[CTL-2.enrolment] nobody connects with the name of another and a key of his own', async () => {
    const victim = await bare('victim')
    const thief = await enrolBare(plane, await plane.token(ada, 'thief'))
    const link = thief.connect({ as: victim.controllerId })
    links.push(link)
    expect(await link.closed).toBe(4401)
    expect(link.of('refused')[0]?.code).toBe('controller.signature')
    // The one who is connected does not notice.
    victim.link.say({ type: 'heartbeat', capacity: CAPACITY })
    expect((await controllers()).find(({ id }) => id === victim.controllerId)?.state).toBe('online')
  })
})

describe('revocation', () => {
  it('[CTL-2.revocation] a revoked controller is cut, takes its work away, is refused, and its sessions are gone', async () => {
    const machine = await plane.machine(ada, 'revoked')
    const { id, instanceId, controllerId } = await plane.run(ada)
    const revoke = () => plane.ask('DELETE', `/api/controllers/${controllerId}`, { as: ada.secret })
    expect((await revoke()).status).toBe(200)
    await expect.poll(() => runs(machine, instanceId), WAIT).toBe(false)
    expect((await plane.ask('GET', `/api/sessions/${id}`, { as: ada.secret })).status).toBe(404)
    expect((await controllers()).some((it) => it.id === controllerId)).toBe(false)
    expect((await revoke()).status).toBe(404)
    await machine.stop()
    expect(plane.errors.splice(0).every((line) => /not known here/.test(line))).toBe(true)
  })

  it('[CTL-2.revocation] its key opens nothing any more', async () => {
    const enrolled = await enrolBare(plane, await plane.token(ada))
    const first = enrolled.connect()
    links.push(first)
    await expect.poll(() => first.of('welcome').length, WAIT).toBe(1)
    await plane.ask('DELETE', `/api/controllers/${enrolled.controllerId}`, { as: ada.secret })
    expect(await first.closed).toBe(4401)
    const again = enrolled.connect()
    links.push(again)
    expect(await again.closed).toBe(4401)
    expect(again.of('refused')[0]?.code).toBe('controller.unknown')
  })
})

describe('what is desired and what is seen', () => {
  it('[CTL-3.own] what a controller says of an instance that is not its own changes nothing', async () => {
    await plane.machine(undefined, 'honest')
    const session = await plane.run(ada)
    const liar = await bare('liar')
    liar.link.say({ type: 'observed', instance: seen(session, 'failed', { reason: 'I say so' }) })
    liar.link.inventory([seen(session, 'stopped', { reason: 'I say so' })])
    await expect.poll(() => liar.link.of('desired.all').length, WAIT).toBe(2)
    expect(await plane.read(ada, session.id)).toMatchObject({ state: 'running', reason: null })
    await plane.act(ada, session.id, 'stop')
    await plane.until(ada, session.id, { state: 'stopped' })
  })

  it('[CTL-3.fencing] reports of an older generation are ignored', async () => {
    const { link } = await bare()
    const { id, instanceId } = await plane.launch(ada)
    const one = { instanceId, generation: 1 }
    link.say({ type: 'observed', instance: seen(one, 'running') })
    await plane.until(ada, id, { state: 'running' })
    await plane.act(ada, id, 'restart')
    link.say({ type: 'observed', instance: seen(one, 'failed', { reason: 'old news' }) })
    link.say({
      type: 'observed',
      instance: seen({ instanceId, generation: 3 }, 'failed', { reason: 'the future' }),
    })
    link.say({ type: 'observed', instance: seen({ instanceId, generation: 2 }, 'running') })
    expect(await plane.until(ada, id, (it) => it.state !== 'starting')).toMatchObject({
      state: 'running',
      reason: null,
      generation: 2,
    })
  })

  it('[CTL-3.desired] an older desired row is never sent after a newer one', async () => {
    const { link } = await bare()
    const sessions = await Promise.all(Array.from({ length: 6 }, () => plane.launch(ada)))
    await Promise.all(
      sessions.flatMap(({ id, instanceId }) => {
        link.say({ type: 'observed', instance: seen({ instanceId, generation: 1 }, 'running') })
        link.inventory()
        return [
          plane.until(ada, id, { state: 'running' }).then(async () => {
            link.inventory()
            await plane.act(ada, id, 'restart')
            link.inventory()
            await plane.act(ada, id, 'stop')
          }),
        ]
      }),
    )
    link.inventory()
    // Everything the link carried, in its order: per instance (generation, running before stopped) never goes back.
    const rank = (it: { generation: number; state: string }) =>
      it.generation * 2 + (it.state === 'stopped' ? 1 : 0)
    const heard = () =>
      link.heard.flatMap((it) =>
        it.type === 'desired' ? [it.instance] : it.type === 'desired.all' ? it.instances : [],
      )
    for (const { instanceId } of sessions) {
      const ranks = () => heard().flatMap((it) => (it.id === instanceId ? [rank(it)] : []))
      await expect.poll(() => ranks().at(-1), WAIT).toBe(5)
      expect([...ranks()].sort((a, b) => a - b)).toEqual(ranks())
    }
  })

  it('[CTL-3.desired] a report that says nothing new is no event', async () => {
    const { link } = await bare()
    const { id, instanceId } = await plane.launch(ada)
    const now = new Date(0).toISOString()
    const report = seen({ instanceId, generation: 1 }, 'running', { times: { received: now, created: now } })
    link.say({ type: 'observed', instance: report })
    await plane.until(ada, id, { state: 'running' })
    const before = await plane.eventsOf(id)
    for (let n = 0; n < 3; n++) link.say({ type: 'observed', instance: report })
    const next = await plane.launch(ada)
    link.say({ type: 'observed', instance: seen(next, 'running') })
    await plane.until(ada, next.id, { state: 'running' })
    expect(await plane.eventsOf(id)).toEqual(before)
  })

  it('[CTL-3.desired] a report repeated by an inventory after the end changes nothing', async () => {
    const { link } = await bare()
    const { id, instanceId } = await plane.launch(ada)
    const it = { instanceId, generation: 1 }
    link.say({ type: 'observed', instance: seen(it, 'running') })
    await plane.until(ada, id, { state: 'running' })
    await plane.act(ada, id, 'stop')
    const last = seen(it, 'stopped', {
      reason: 'It was ended (signal 15)',
      times: { ended: new Date(0).toISOString() },
    })
    link.say({ type: 'observed', instance: last })
    const stopped = await plane.until(ada, id, { state: 'stopped' })
    const events = await plane.eventsOf(id)
    link.inventory([last])
    link.inventory([{ ...last, reason: 'Said in other words' }])
    await expect.poll(() => link.of('desired.all').length, WAIT).toBe(3)
    expect(await plane.read(ada, id)).toEqual(stopped)
    expect(await plane.eventsOf(id)).toEqual(events)
  })

  it('[CTL-3.orphan] what runs on though its session is over is asked to end', async () => {
    const { link } = await bare()
    const { id, instanceId } = await plane.launch(ada)
    const it = { instanceId, generation: 1 }
    link.say({ type: 'observed', instance: seen(it, 'running') })
    link.say({ type: 'observed', instance: seen(it, 'failed', { reason: 'gone' }) })
    await plane.until(ada, id, { state: 'failed' })
    // A machine that lost its memory made it anew from the desired state.
    link.say({ type: 'observed', instance: seen(it, 'running') })
    await expect
      .poll(() => link.of('desired').at(-1)?.instance, WAIT)
      .toMatchObject({ id: instanceId, state: 'stopped' })
    expect(await plane.read(ada, id)).toMatchObject({ state: 'failed', reason: 'gone' })
  })

  it('[CTL-3.words] what programs print never stops a report', async () => {
    const { link } = await bare()
    const { id, instanceId } = await plane.launch(ada)
    const report = seen({ instanceId, generation: 1 }, 'failed', {
      reason: 'half a letter \ud83d',
      logTail: ['zero \0 byte', 'half \ude00'],
    })
    link.say({ type: 'observed', instance: report })
    expect(await plane.until(ada, id, { state: 'failed' })).toMatchObject({
      reason: 'half a letter \ufffd',
      logTail: ['zero \ufffd byte', 'half \ufffd'],
    })
  })

  it('[CTL-3.placed] two machines: the one with more free memory first, then whoever is left', async () => {
    const [small, big] = [await bare('small'), await bare('big')]
    const say = ({ link }: typeof big, memoryFreeBytes: number) =>
      link.say({ type: 'heartbeat', capacity: { ...CAPACITY, memoryFreeBytes } })
    say(small, 1e9)
    say(big, 7e9)
    await expect.poll(async () => (await plane.launch(ada)).controllerName, WAIT).toBe('big')
    big.link.close()
    await expect.poll(async () => (await plane.launch(ada)).controllerName, WAIT).toBe('small')
    say(small, 1e6)
    const refused = async () =>
      (await plane.ask('POST', '/api/sessions', { as: ada.secret, body: { templateId: 'fake' } })).body.error
    await expect.poll(async () => (await refused())?.code, WAIT).toBe('placement.none')
    expect((await refused())?.message).toContain('small has too little free memory')
  })
})

it('[SES-1.clean] nothing of all this was logged as an error', () => {
  // A start that no machine can take is an answer in words, which the pipeline logs.
  expect(plane.errors.filter((line) => !/placement.none|controller.offline/.test(line))).toEqual([])
})
