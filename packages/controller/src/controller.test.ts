/** A whole controller on the fake platform against a control plane of a few lines: enrolment, exchange, streams, adoption. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { probe as probeFormat } from '@kalnet/contracts/health'
import { type DesiredInstance, instanceSpec } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { machineId } from '@kalnet/io/machine'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runController } from './controller.ts'
import { createFakePlatform } from './platforms/fake/fake.ts'
import { createFakeWorld, type FakeWorld } from './platforms/fake/world.ts'
import { CONTROLLER, type ControlPlane, createControlPlane } from './testing-plane.ts'

const log = createLog('test', 'silent')
const INSTANCE = '01890000-0000-7000-8000-000000000001'
const VOLUME = '01890000-0000-7000-8000-00000000f000'
const STREAM = '01890000-0000-7000-8000-00000000aaaa'

const desired: DesiredInstance = {
  id: INSTANCE,
  generation: 1,
  organisationId: CONTROLLER,
  platform: 'fake',
  state: 'running',
  spec: instanceSpec.parse({
    image: { reference: 'none' },
    command: ['program'],
    ports: [{ name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } }],
    ready: { port: 'display' },
  }),
}

let home: string
let world: FakeWorld
let plane: ControlPlane
let stop: AbortController

const start = (token?: string) =>
  runController({
    folders: { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') },
    url: plane.url(),
    token,
    log,
    signal: stop.signal,
    drive: [createFakePlatform({ world, clock: systemClock })],
  })
const told: ControlPlane['told'] = (type) => plane.told(type)
const state = () => told('observed').at(-1)?.instance.state
const wait = { timeout: 30_000, interval: 10 }

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'kalnet-controller-'))
  world = createFakeWorld({ clock: systemClock })
  plane = await createControlPlane()
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort(new Error('the test is over'))
  await plane.close()
  rmSync(home, { recursive: true, force: true })
})

test('[CTL-2.enrol] it enrols with a token, proves who it is, sends its inventory and does what is desired', async () => {
  const running = start('right')
  await expect.poll(() => told('inventory').length, wait).toBe(1)
  expect(told('inventory')[0]?.fingerprints[0]?.platform).toBe('fake')
  plane.send({ type: 'desired.all', instances: [desired] })
  await expect.poll(state, wait).toBe('running')
  stop.abort(new Error('enough'))
  await running
  expect(world.runtimes.size).toBe(1)
})

test('[CTL-2.token-refused] a wrong token is a clear error', async () => {
  await expect(start('wrong')).rejects.toMatchObject({ code: 'controller.token' })
})

test('[CTL-2.token-missing] without a token and an identity it says what to do', async () => {
  await expect(start()).rejects.toMatchObject({ code: 'controller.unknown' })
})

test('[CTL-4.restart] started again it keeps its identity, adopts, and tells what it has', async () => {
  const first = start('right')
  await expect.poll(() => told('inventory').length, wait).toBe(1)
  plane.send({ type: 'desired.all', instances: [desired] })
  await expect.poll(state, wait).toBe('running')
  stop.abort(new Error('enough'))
  await first
  stop = new AbortController()
  void start()
  await expect.poll(() => told('inventory').length, wait).toBe(2)
  expect(told('inventory')[1]?.instances[0]).toMatchObject({ id: INSTANCE, generation: 1, state: 'running' })
  expect(plane.enrolments()).toBe(1)
  expect(world.created.get(`${INSTANCE}/1`)).toBe(1)
})

test('[CTL-1.one-per-folder] a second controller on the same folder refuses to start', async () => {
  void start('right')
  await expect.poll(() => told('inventory').length, wait).toBe(1)
  await expect(start()).rejects.toThrow(/locked/)
}, 15_000)

test('[STR-1.dial-back] a stream is dialled back with its token and carries bytes both ways', async () => {
  void start('right')
  await expect.poll(() => told('inventory').length, wait).toBe(1)
  plane.send({ type: 'desired', instance: desired })
  await expect.poll(state, wait).toBe('running')
  const token = 'a-token-of-at-least-twenty-letters'
  plane.send({ type: 'stream.open', streamId: STREAM, instanceId: INSTANCE, port: 'display', token })
  await expect.poll(() => plane.dialled.length, wait).toBe(1)
  const { stream, token: given } = plane.dialled[0]!
  expect(given).toBe(token)
  let text = ''
  stream.on('data', (chunk) => {
    text += String(chunk)
  })
  stream.write('hello')
  await expect.poll(() => text, wait).toBe('RFB 003.008\nhello')
})

test('[STR-1.dial-failed] a port that is not there is told in words', async () => {
  void start('right')
  await expect.poll(() => told('inventory').length, wait).toBe(1)
  const token = 'a-token-of-at-least-twenty-letters'
  plane.send({ type: 'stream.open', streamId: STREAM, instanceId: INSTANCE, port: 'display', token })
  await expect.poll(() => told('stream.failed')[0]?.problem, wait).toBe('it is not on this machine')
})

test('[SES-1.logs] the last lines are read, and an unknown instance has none', async () => {
  void start('right')
  await expect.poll(() => told('inventory').length, wait).toBe(1)
  plane.send({ type: 'desired', instance: desired })
  await expect.poll(state, wait).toBe('running')
  plane.send({ type: 'logs.read', requestId: STREAM, instanceId: INSTANCE, lines: 10 })
  plane.send({ type: 'logs.read', requestId: CONTROLLER, instanceId: CONTROLLER, lines: 10 })
  await expect.poll(() => told('logs').length, wait).toBe(2)
  expect(told('logs').find((it) => it.requestId === STREAM)?.lines).toEqual(['started program'])
})

test('[CTL-6.volume-forget] a volume outlives everything but the word that nobody wants it, and that waits for its instance', async () => {
  void start('right')
  await expect.poll(() => told('inventory').length, wait).toBe(1)
  const volumes = [{ id: VOLUME, name: 'data', at: '/data' }]
  const spec = instanceSpec.parse({ ...desired.spec, volumes })
  plane.send({ type: 'desired', instance: { ...desired, spec } })
  await expect.poll(state, wait).toBe('running')
  world.volumes.set(VOLUME, { kept: 'a word' })
  plane.send({ type: 'desired', instance: { ...desired, generation: 2, spec } })
  await expect.poll(() => world.runtimes.has(`${INSTANCE}/2`), wait).toBe(true)
  plane.send({ type: 'volume.forget', id: VOLUME })
  await expect.poll(() => world.counted('removeVolume'), wait).toBeGreaterThan(0)
  expect(world.volumes.get(VOLUME)).toEqual({ kept: 'a word' })
  plane.send({ type: 'desired.all', instances: [] })
  await expect.poll(() => told('volume.gone'), wait).toMatchObject([{ id: VOLUME, problem: null }])
  expect(world.volumes.has(VOLUME)).toBe(false)
  plane.send({ type: 'volume.forget', id: VOLUME })
  await expect.poll(() => told('volume.gone').length, wait).toBe(2)
})

test("[CTL-2.machine] it says whose machine's network it is in, the same to everybody there", async () => {
  void start('right')
  await expect.poll(() => told('inventory').length, wait).toBe(1)
  expect(plane.hello()?.machine).toMatch(/^[0-9a-f]{64}$/)
  expect(plane.hello()?.machine).toBe(await machineId())
})

test('[OBS-2.changes] what its probe says is told to the control plane', async () => {
  void start('right')
  await expect.poll(() => told('inventory').length, wait).toBe(1)
  const probe = probeFormat.parse({ kind: 'tcp', port: 'display' })
  plane.send({ type: 'desired', instance: { ...desired, spec: { ...desired.spec, probe } } })
  await expect
    .poll(() => told('observed').at(-1)?.instance.health, wait)
    .toMatchObject({
      state: 'healthy',
      detail: 'It takes connections',
    })
})

test('[NET-5.links-far] a link to another controller is asked for, dialled with the token given, and counted', async () => {
  void start('right')
  await expect.poll(() => told('inventory').length, wait).toBe(1)
  const target = { instanceId: STREAM, port: 'sql', controllerId: STREAM, address: null }
  plane.send({ type: 'links', instanceId: INSTANCE, links: [{ name: 'base', targets: [target] }] })
  const links = [{ name: 'base', port: 5432 }]
  plane.send({ type: 'desired', instance: { ...desired, spec: { ...desired.spec, links } } })
  await expect.poll(state, wait).toBe('running')
  await expect.poll(() => world.programs.listeners.size, wait).toBe(1)
  const program = world.programs.told.call(INSTANCE, 'base')
  program.end('from the program')
  await expect.poll(() => told('link.dial').length, wait).toBe(1)
  const { requestId, instanceId, link, targetId } = told('link.dial')[0]!
  expect([instanceId, link, targetId]).toEqual([INSTANCE, 'base', STREAM])
  const token = 'a-token-of-at-least-twenty-letters'
  plane.send({ type: 'link.dialled', requestId, token, problem: null })
  await expect.poll(() => plane.dialled.length, wait).toBe(1)
  const { stream, token: given } = plane.dialled[0]!
  expect(given).toBe(token)
  expect(await text(stream)).toBe('from the program')
  stream.end('from far away')
  expect(await text(program)).toBe('from far away')
  await expect
    .poll(() => told('links.called').flatMap((it) => it.calls), wait)
    .toEqual([{ instanceId: INSTANCE, link: 'base', targetId: STREAM, calls: 1, failures: 0 }])
})
