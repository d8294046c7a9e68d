/** Machines that leave and come back, and a control plane that does. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Bare, bareMachine, seen } from './bare.ts'
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
