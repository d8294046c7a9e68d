/** Controllers under a control plane: enrolment, revocation, desired state, fencing, placement, absence, restarts of both. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Bare, CAPACITY, enrolBare, seen } from './bare.ts'
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

/** Enrolled, connected and its inventory recorded. */
async function bare(name = 'bare', by?: Person) {
  const enrolled = await enrolBare(plane, await plane.token(by, name), name)
  const link = enrolled.connect()
  links.push(link)
  await expect.poll(() => link.of('welcome').length, WAIT).toBe(1)
  link.inventory()
  await expect.poll(() => link.of('desired.all').length, WAIT).toBe(1)
  await expect.poll(() => plane.online(), WAIT).toContain(name)
  return { ...enrolled, link }
}
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

describe('away and back', () => {
  it('[CTL-4.offline] a machine that leaves: unreachable, a wish is kept, and done when it is back', async () => {
    const machine = await plane.machine(undefined, 'traveller')
    const { id, instanceId } = await plane.run(ada)
    await machine.stop()
    expect(await plane.until(ada, id, { reachable: false })).toMatchObject({ state: 'running' })
    const logs = await plane.ask('GET', `/api/sessions/${id}/logs`, { as: ada.secret })
    expect([logs.status, logs.body.error?.code]).toEqual([503, 'controller.offline'])
    const stopping = await plane.act(ada, id, 'stop')
    expect(stopping.body).toMatchObject({
      state: 'stopping',
      reachable: false,
      reason: expect.stringContaining('not connected'),
    })
    expect(runs(machine, instanceId)).toBe(true)
    await machine.start()
    expect(await plane.until(ada, id, { state: 'stopped' })).toMatchObject({ reachable: true, reason: null })
    expect(runs(machine, instanceId)).toBe(false)
  })

  it('[CTL-3.orphan] removed while its machine was away: taken away when it is back', async () => {
    const machine = await plane.machine(undefined, 'forgetful')
    const { id, instanceId } = await plane.run(ada)
    machine.world.end(instanceId, 3, 'It crashed')
    await plane.until(ada, id, { state: 'failed' })
    const live = await plane.run(ada)
    await machine.stop()
    await plane.until(ada, live.id, { reachable: false })
    expect((await plane.ask('DELETE', `/api/sessions/${id}`, { as: ada.secret })).status).toBe(200)
    await machine.start()
    const left = () => new Set([...machine.world.runtimes.values()].map((it) => it.instanceId))
    await expect
      .poll(() => [left().has(instanceId), left().has(live.instanceId)], WAIT)
      .toEqual([false, true])
  })

  it('[CTL-3.desired] launched, and the control plane died before it told the machine: told on the next connect', async () => {
    const machine = await plane.machine(undefined, 'patient')
    // Committed, and never pushed: exactly what a kill between the two leaves.
    const session = await plane.run(ada)
    await plane.act(ada, session.id, 'stop')
    await plane.until(ada, session.id, { state: 'stopped' })
    await plane.wantAgain(session)
    expect(runs(machine, session.instanceId)).toBe(false)
    await plane.stop()
    await plane.start()
    expect(await plane.until(ada, session.id, { state: 'running' })).toMatchObject({
      generation: 2,
      reachable: true,
    })
    expect(runs(machine, session.instanceId)).toBe(true)
  })

  it('[CTL-4.restart] a control plane that stops and starts: what runs is left alone and known again', async () => {
    const machine = await plane.machine(undefined, 'steady')
    const session = await plane.run(ada)
    await plane.stop()
    expect(runs(machine, session.instanceId)).toBe(true)
    await plane.start()
    expect(await plane.until(ada, session.id, { reachable: true })).toMatchObject({
      state: 'running',
      generation: 1,
    })
    expect(machine.world.created.get(`${session.instanceId}/1`)).toBe(1)
  })

  it('[CTL-4.offline] after a kill of the control plane whoever is not back is told as away', async () => {
    const { link, controllerId } = await bare('ghost')
    const { id, instanceId } = await plane.launch(ada)
    link.say({ type: 'observed', instance: seen({ instanceId, generation: 1 }, 'running') })
    await plane.until(ada, id, { state: 'running' })
    await plane.stop()
    await plane.pretendOnline(controllerId)
    const before = (await plane.eventsOf(id)).length
    await plane.start()
    expect(await plane.read(ada, id)).toMatchObject({ reachable: false, state: 'running' })
    expect((await plane.eventsOf(id)).slice(before)).toEqual([{ state: 'running', reachable: false }])
  })

  it('[CTL-4.replaced] a controller that comes back before it was missed takes over, and stays online', async () => {
    const { link, controllerId, connect } = await bare('twice')
    for (let round = 0; round < 5; round++) {
      const newer = connect()
      links.push(newer)
      await expect.poll(() => newer.of('welcome').length, WAIT).toBe(1)
      newer.inventory()
      await expect.poll(() => newer.of('desired.all').length, WAIT).toBe(1)
    }
    expect(await link.closed).toBe(4409)
    links.at(-1)?.close()
    const last = connect()
    links.push(last)
    await expect.poll(() => last.of('welcome').length, WAIT).toBe(1)
    last.inventory()
    await expect.poll(() => last.of('desired.all').length, WAIT).toBe(1)
    expect((await controllers()).find(({ id }) => id === controllerId)?.state).toBe('online')
  })

  it('[SES-1.clean] nothing of all this was logged as an error', () => {
    // A start that no machine can take is an answer in words, which the pipeline logs.
    expect(plane.errors.filter((line) => !/placement.none|controller.offline/.test(line))).toEqual([])
  })
})
