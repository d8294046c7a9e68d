/** What the stream path costs, side by side with websockify on the same bytes in the same run: CPU, memory, delay. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { writeWhole } from '@kalnet/io/files'
import { freePort } from '@kalnet/io/testing/free-port'
import { cpuOf, familyOf, memoryOf, type Program, startPeer, startProgram } from './stream/processes.ts'
import { BYTES_PER_SECOND } from './stream/rates.ts'
import { measureStart } from './stream/start.ts'

export interface Figure {
  figure: string
  unit: string
  ours: number
  /** null: there is no peer to compare with, or it is not installed. */
  peer: number | null
  peerName: string | null
  /** ours / peer */
  ratio: number | null
  n: number
}
/** What must hold (quality.md): by which column, at most. */
export const MUSTS: { figure: string; column: 'ours' | 'ratio'; atMost: number }[] = [
  { figure: 'relay CPU, 50 streams', column: 'ratio', atMost: 0.5 },
  { figure: 'relay CPU, 100 streams', column: 'ratio', atMost: 0.5 },
  { figure: 'memory per idle stream', column: 'ours', atMost: 16 },
  { figure: 'key to pixel added', column: 'ours', atMost: 2 },
]

/** Which musts these figures miss, in words. A figure without its peer can not be judged, and says so. */
export function missedMusts(figures: readonly Figure[]): string[] {
  return MUSTS.flatMap(({ figure, column, atMost }) => {
    const value = figures.find((it) => it.figure === figure)?.[column]
    if (value === undefined || value === null) return [`${figure}: not measured`]
    return value > atMost ? [`${figure}: ${value} is more than ${atMost}`] : []
  })
}

const WEBSOCKIFY = '/usr/bin/websockify'
const PEER = 'websockify (Debian)'
const ROUND_MS = 1_500
const IDLE_COUNTS = [500, 750, 1_000, 1_250, 1_500, 1_750, 2_000]
const IDLE_PEERS = 50

interface Stage {
  server: Program
  controller: Program
  viewers: Program
  display: string
  ourPort: number
  peerPort: number | null
  peerPid: number | null
  signal: AbortSignal
}

const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
/** Least squares. */
function slope(xs: number[], ys: number[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(xs), mean(ys)]
  const over = xs.reduce((sum, value, index) => sum + (value - x) * (ys[index]! - y), 0)
  return over / xs.reduce((sum, value) => sum + (value - x) ** 2, 0)
}
const round = (value: number, digits = 2): number => Number(value.toFixed(digits))
const compare = (figure: string, unit: string, ours: number, peer: number | null, n: number): Figure => ({
  figure,
  unit,
  ours: round(ours),
  peer: peer === null ? null : round(peer),
  peerName: peer === null ? null : PEER,
  ratio: peer === null ? null : round(ours / peer, 3),
  n,
})

/** Runs the work with all processes in place; they are gone when it returns. */
async function withStage<T>(signal: AbortSignal, work: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-bench-'))
  const display = join(folder, 'display.sock')
  const stops: (() => Promise<void>)[] = []
  const program = (file: string, ...args: string[]): Program => {
    const started = startProgram(file, args)
    stops.push(started.stop)
    return started
  }
  try {
    await program('source.ts', display).ask({})
    const server = program('server.ts')
    const ourPort = await server.ask<number>({})
    const controller = program('controller.ts', `http://127.0.0.1:${ourPort}`, display)
    const viewers = program('viewers.ts')
    for (let turn = 0; !(await server.ask<boolean>({ up: true })); turn += 1) {
      if (turn > 100) throw new Error('the controller did not connect')
      await systemClock.sleep(100, signal)
    }
    const peerPort = existsSync(WEBSOCKIFY) ? await freePort() : null
    const peer = peerPort && startPeer(WEBSOCKIFY, [`127.0.0.1:${peerPort}`, `--unix-target=${display}`])
    if (peer) stops.push(peer.stop)
    const stage = {
      server,
      controller,
      viewers,
      display,
      ourPort,
      peerPort,
      signal,
      peerPid: peer ? peer.pid : null,
    }
    if (peerPort) await openPeers(stage, 'warm', 1)
    return await work(stage)
  } finally {
    for (const stop of stops.reverse()) await stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** websockify takes a moment to listen, and forks one process per viewer. */
async function openPeers(stage: Stage, group: string, count: number): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      await stage.viewers.ask({ open: group, port: stage.peerPort, count })
      return
    } catch (error) {
      if (turn > 50) throw error
      await systemClock.sleep(200, stage.signal)
    }
  }
}

async function measureKeys(stage: Stage, n: number): Promise<Figure[]> {
  const { viewers } = stage
  await viewers.ask({ direct: stage.display })
  await viewers.ask({ open: 'ours', port: stage.ourPort, count: 1 })
  const paths = ['direct', 'ours']
  if (stage.peerPort) {
    await openPeers(stage, 'peer', 1)
    paths.push('peer')
  }
  await viewers.ask({ keys: paths, n: 100 })
  const [direct = 0, ours = 0, peer] = (await viewers.ask<number[][]>({ keys: paths, n })).map(median)
  for (const close of paths) await viewers.ask({ close })
  return [
    { ...compare('key to pixel without our path', 'ms', direct, null, n), ratio: null },
    compare('key to pixel with our path', 'ms', ours, peer ?? null, n),
    compare('key to pixel added', 'ms', ours - direct, peer === undefined ? null : peer - direct, n),
  ]
}

async function measureIdle(stage: Stage): Promise<Figure[]> {
  const { viewers, server, controller } = stage
  const weigh = async () => {
    for (const program of [server, controller])
      for (let turn = 0; turn < 3; turn += 1) {
        await program.ask({ gc: true })
        await systemClock.sleep(100, stage.signal)
      }
    return { server: await memoryOf([server.pid]), controller: await memoryOf([controller.pid]) }
  }
  // The slope through several counts: what a heap had spare at first, and gives back late, is not a stream's.
  const weights: { server: number; controller: number }[] = []
  for (const count of IDLE_COUNTS) {
    await viewers.ask({ open: 'idle', port: stage.ourPort, count })
    weights.push(await weigh())
  }
  await viewers.ask({ close: 'idle' })
  let peer: number | null = null
  if (stage.peerPid) {
    const least = await memoryOf(await familyOf(stage.peerPid))
    await openPeers(stage, 'idle-peers', IDLE_PEERS)
    peer = ((await memoryOf(await familyOf(stage.peerPid))) - least) / IDLE_PEERS / 1024
    await viewers.ask({ close: 'idle-peers' })
  }
  const each = (of: 'server' | 'controller') =>
    slope(
      IDLE_COUNTS,
      weights.map((it) => it[of] / 1024),
    )
  const n = IDLE_COUNTS.at(-1) ?? 0
  return [
    compare('memory per idle stream', 'KiB', each('server'), peer, n),
    compare('memory per idle stream, controller', 'KiB', each('controller'), peer, n),
  ]
}

/** CPU of the processes over one round, as percent of a core at exactly the asked rate. */
async function measureRound(
  stage: Stage,
  group: string,
  count: number,
  families: number[][],
): Promise<number[]> {
  const { viewers, signal } = stage
  await viewers.ask({ tell: group, what: 1, count })
  await systemClock.sleep(300, signal)
  const bytesBefore = await viewers.ask<number>({ bytes: group })
  const before = await Promise.all(families.map(cpuOf))
  await systemClock.sleep(ROUND_MS, signal)
  const after = await Promise.all(families.map(cpuOf))
  const bytes = (await viewers.ask<number>({ bytes: group })) - bytesBefore
  await viewers.ask({ tell: group, what: 2, count })
  await systemClock.sleep(200, signal)
  // On a busy machine less than the full rate may pass: what counts is CPU per byte.
  return after.map((seconds, index) => ((seconds - before[index]!) / bytes) * BYTES_PER_SECOND * count * 100)
}

async function measureCpu(stage: Stage, count: number, n: number): Promise<Figure[]> {
  const { viewers, server, controller } = stage
  await viewers.ask({ open: 'ours', port: stage.ourPort, count })
  if (stage.peerPort) await openPeers(stage, 'peer', count)
  const peers = stage.peerPid ? await familyOf(stage.peerPid) : []
  const [servers, controllers, websockify]: number[][] = [[], [], []]
  // A first round that does not count: code is still being compiled.
  await measureRound(stage, 'ours', count, [[server.pid]])
  for (let turn = 0; turn < n; turn += 1) {
    const [ours, dial] = await measureRound(stage, 'ours', count, [[server.pid], [controller.pid]])
    servers?.push(ours ?? 0)
    controllers?.push(dial ?? 0)
    if (stage.peerPid) websockify?.push((await measureRound(stage, 'peer', count, [peers]))[0] ?? 0)
  }
  for (const close of ['ours', 'peer']) await viewers.ask({ close })
  await systemClock.sleep(500, stage.signal)
  const peer = stage.peerPid ? median(websockify ?? []) : null
  const both = (servers ?? []).map((value, index) => value + (controllers?.[index] ?? 0))
  const name = `${count} streams`
  return [
    compare(`relay CPU, ${name}`, '% of a core', median(servers ?? []), peer, n),
    compare(`controller CPU, ${name}`, '% of a core', median(controllers ?? []), peer, n),
    compare(`relay and controller CPU, ${name}`, '% of a core', median(both), peer, n),
  ]
}

function print(figures: Figure[]): void {
  const cells = figures.map((it) => [
    it.figure,
    `${it.ours} ${it.unit}`,
    it.peer === null ? '' : `${it.peerName} ${it.peer}`,
    it.ratio === null ? '' : `× ${it.ratio}`,
    `n ${it.n}`,
  ])
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...cells.map((row) => row[column]!.length)))
  for (const row of cells)
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd()}\n`,
    )
}

/** Measures and prints; `n` rounds for CPU and launches (10 or more for a figure to keep), at least 200 keys. */
export async function benchStream({
  n = 10,
  json = false,
  signal,
  results = join(import.meta.dirname, '../results/stream.json'),
}: {
  n?: number
  json?: boolean
  signal: AbortSignal
  /** null: the result is not kept. */
  results?: string | null
}): Promise<Figure[]> {
  const relay = await withStage(signal, async (stage) => [
    ...(await measureKeys(stage, Math.max(200, n))),
    ...(await measureIdle(stage)),
    ...(await measureCpu(stage, 50, n)),
    ...(await measureCpu(stage, 100, n)),
  ])
  // Sessions last, with the machine to themselves.
  const figures = [...relay, ...(await measureStart(n, signal))]
  if (results) await writeWhole(results, `${JSON.stringify(figures, null, 2)}\n`, 0o644)
  if (json) process.stdout.write(`${JSON.stringify(figures)}\n`)
  else print(figures)
  return figures
}
