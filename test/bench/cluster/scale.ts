/**
 * Hundreds of instances on a cluster of fifty machines that only say that they are there (kwok): the real controller against a real API
 * server, with a control plane of a few lines. How long it takes, what is asked of the cluster, and what it costs.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerCache } from '@kalnet/cli/suite/peers'
import { type DesiredInstance, instanceSpec } from '@kalnet/contracts/instance'
import { CONTROLLER, type ControlPlane, createControlPlane } from '@kalnet/controller/testing-plane'
import { systemClock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { ensureKwok } from '../../peers/82-kwok.ts'
import { type Asked, askedBy } from '../../support/cluster/audit.ts'
import { addMachines } from '../../support/cluster/machines.ts'
import { ACCOUNT, NAMESPACE, prepareCluster } from '../../support/cluster/prepared.ts'
import type { Cluster } from '../../support/cluster.ts'
import { cpuOf, type Program, startProgram } from '../stream/processes.ts'

const LIMIT_MS = 600_000
/** As the hub does. */
const WHOLE_EVERY_MS = 30_000

export interface Scale {
  machines: number
  instances: number
  /** Until all run, as the control plane is told. */
  convergedSeconds: number
  /** Until the controller has taken all away, and until the cluster has taken away what hung on them. */
  removedSeconds: number
  emptySeconds: number
  /** Of the API server, for each instance, by verb and resource; written down by the API server itself. */
  askedToRun: Record<string, number>
  askedToRemove: Record<string, number>
  writesPerInstance: number
  /** Answers that were no success, by status. */
  refused: Record<string, number>
  quiet: {
    minutes: number
    perMinute: Record<string, number>
    askedPerMinute: number
    cpuSecondsPerMinute: number
  }
  controller: {
    cpuSecondsToRun: number
    cpuSecondsToRemove: number
    peakMemoryMb: number
    heldMemoryMb: number
  }
}

const WRITES = new Set(['create', 'update', 'patch', 'delete'])
const round = (value: number, digits = 2) => Number(value.toFixed(digits))

const desired = (): DesiredInstance => ({
  id: newId(),
  generation: 1,
  organisationId: CONTROLLER,
  platform: 'kubernetes',
  state: 'running',
  spec: instanceSpec.parse({
    image: { reference: 'kalnet.test/desktop:1' },
    command: ['/usr/lib/kalnet/session', 'xterm'],
    environment: { LANGUAGE: 'en' },
    // A screen brings a Secret; that nobody answers on it here, the other port says for it.
    ports: [
      { name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } },
      { name: 'web', kind: 'http', at: { tcp: 8080 } },
    ],
    ready: { port: 'web' },
    network: 'internet',
  }),
})

async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  signal: AbortSignal,
  pauseMs = 50,
) {
  const startedAt = performance.now()
  while (!(await holds())) {
    if (performance.now() - startedAt > LIMIT_MS)
      throw new Error(`${what}: not within ${LIMIT_MS / 60_000} minutes`)
    await systemClock.sleep(pauseMs, signal)
  }
  return (performance.now() - startedAt) / 1000
}

/** What the controller said last of each, without reading everything again at each look. */
function followStates(plane: ControlPlane) {
  const states = new Map<string, { state: string; reason: string | null }>()
  let at = 0
  return () => {
    for (; at < plane.messages.length; at += 1) {
      const message = plane.messages[at]
      if (message?.type === 'observed')
        states.set(message.instance.id, { state: message.instance.state, reason: message.instance.reason })
    }
    return states
  }
}

/** How many there are of a kind, for the price of one. */
async function countOf(cluster: Cluster, path: string): Promise<number> {
  const { items, metadata } = await cluster.call<{
    items: object[]
    metadata: { remainingItemCount?: number }
  }>('GET', `${path}?limit=1`)
  return items.length + (metadata.remainingItemCount ?? 0)
}
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`
const HANGING = [
  `/api/v1/namespaces/${NAMESPACE}/secrets`,
  `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`,
]

const perInstance = (asked: Asked[], instances: number) => count(asked, (many) => round(many / instances))
function count(asked: Asked[], as: (many: number) => number): Record<string, number> {
  const found = new Map<string, number>()
  for (const { verb, resource } of asked)
    found.set(`${verb} ${resource}`, (found.get(`${verb} ${resource}`) ?? 0) + 1)
  return Object.fromEntries([...found].toSorted().map(([what, many]) => [what, as(many)]))
}

const peakOf = async (pid: number) =>
  Number(/^VmHWM:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

export async function measureScale(
  {
    machines,
    instances,
    quietMinutes,
    say,
  }: { machines: number; instances: number; quietMinutes: number; say(it: string): void },
  signal: AbortSignal,
): Promise<Scale> {
  await ensureKwok({ env: process.env, cache: peerCache(process.env), signal, say })
  const { cluster, kubeconfig, close } = await prepareCluster({ volumes: false, walls: false, audited: true })
  const home = await mkdtemp(join(tmpdir(), 'kn-scale-'))
  const plane = await createControlPlane()
  let controller: Program | null = null
  try {
    await addMachines(cluster, machines, signal)
    say(`${machines} machines`)
    controller = startProgram('../cluster/controller.ts', [plane.url(), kubeconfig, NAMESPACE, home])
    const { pid } = controller
    await until('the controller', () => plane.told('inventory').length > 0, signal)
    const states = followStates(plane)
    const all = Array.from({ length: instances }, desired)
    plane.send({ type: 'desired.all', instances: [] })
    await systemClock.sleep(1_000, signal)
    const before = { asked: await askedBy(cluster, ACCOUNT), cpu: await cpuOf([pid]) }

    for (const instance of all) plane.send({ type: 'desired', instance })
    const convergedSeconds = await until(
      'all run',
      () => {
        const its = [...states().values()]
        const broken = its.find((it) => it.state === 'failed')
        if (broken) throw new Error(`one failed: ${broken.reason}`)
        return its.filter((it) => it.state === 'running').length === instances
      },
      signal,
    )
    say(`${instances} run after ${round(convergedSeconds)} s`)
    const ran = { asked: await askedBy(cluster, ACCOUNT), cpu: await cpuOf([pid]) }

    const whole = setInterval(() => plane.send({ type: 'desired.all', instances: all }), WHOLE_EVERY_MS)
    plane.send({ type: 'desired.all', instances: all })
    // What the start left to do is not quiet.
    await systemClock.sleep(5_000, signal)
    const still = { asked: await askedBy(cluster, ACCOUNT), cpu: await cpuOf([pid]) }
    await systemClock.sleep(quietMinutes * 60_000, signal)
    clearInterval(whole)
    const rested = { asked: await askedBy(cluster, ACCOUNT), cpu: await cpuOf([pid]) }
    const held = await controller.ask<number>({ heap: true })
    const inQuiet = rested.asked.slice(still.asked.length)
    say(`${inQuiet.length} requests in ${quietMinutes} quiet minutes`)

    const startedAt = performance.now()
    plane.send({ type: 'desired.all', instances: [] })
    const removedSeconds = await until(
      'all are gone',
      async () => (await countOf(cluster, PODS)) === 0,
      signal,
      250,
    )
    const gone = { asked: await askedBy(cluster, ACCOUNT), cpu: await cpuOf([pid]) }
    const left = async () =>
      (await Promise.all(HANGING.map((it) => countOf(cluster, it)))).reduce((sum, it) => sum + it, 0)
    await until('nothing hangs on', async () => (await left()) === 0, signal, 250)
    const emptySeconds = (performance.now() - startedAt) / 1000
    say(`all gone after ${round(removedSeconds)} s, nothing left after ${round(emptySeconds)} s`)

    const toRun = ran.asked.slice(before.asked.length)
    const toRemove = gone.asked.slice(rested.asked.length)
    const writes = [...toRun, ...toRemove].filter((it) => WRITES.has(it.verb) && !it.resource.includes('/'))
    const refused = new Map<string, number>()
    for (const { status } of gone.asked)
      if (status >= 300) refused.set(String(status), (refused.get(String(status)) ?? 0) + 1)
    return {
      machines,
      instances,
      convergedSeconds: round(convergedSeconds),
      removedSeconds: round(removedSeconds),
      emptySeconds: round(emptySeconds),
      askedToRun: perInstance(toRun, instances),
      askedToRemove: perInstance(toRemove, instances),
      writesPerInstance: round(writes.length / instances),
      refused: Object.fromEntries(refused),
      quiet: {
        minutes: quietMinutes,
        perMinute: count(inQuiet, (many) => round(many / quietMinutes)),
        askedPerMinute: round(inQuiet.length / quietMinutes),
        cpuSecondsPerMinute: round((rested.cpu - still.cpu) / quietMinutes),
      },
      controller: {
        cpuSecondsToRun: round(ran.cpu - before.cpu),
        cpuSecondsToRemove: round(gone.cpu - rested.cpu),
        peakMemoryMb: Math.round(await peakOf(pid)),
        heldMemoryMb: Math.round(held / 2 ** 20),
      },
    }
  } finally {
    await controller?.stop()
    await plane.close()
    await close()
    await rm(home, { recursive: true, force: true })
  }
}
