/** What this process itself costs: memory, time, and how long its events wait. Measured only while somebody is told. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Figure } from './figure.ts'

const NS = 1e9

export function createProcessFigures() {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  return {
    read(): Figure[] {
      const { rss, heapUsed } = process.memoryUsage()
      const { user, system } = process.cpuUsage()
      // Since the last time; nobody waits less than the resolution of looking.
      const waits = [delay.percentile(50), delay.percentile(99), delay.max].map((it) =>
        Number.isFinite(it) ? it / NS : 0,
      )
      delay.reset()
      const gauge = (name: string, description: string, value: number): Figure => ({
        name,
        description,
        unit: 's',
        is: { kind: 'gauge', points: [{ attributes: {}, value }] },
      })
      return [
        {
          name: 'process.memory.usage',
          description: 'Physical memory in use',
          unit: 'By',
          is: { kind: 'level', points: [{ attributes: {}, value: rss }] },
        },
        {
          name: 'v8js.memory.heap.used',
          description: 'Memory in use by JavaScript',
          unit: 'By',
          is: { kind: 'level', points: [{ attributes: {}, value: heapUsed }] },
        },
        {
          name: 'process.cpu.time',
          description: 'Time spent computing',
          unit: 's',
          is: {
            kind: 'count',
            points: [
              { attributes: { 'cpu.mode': 'user' }, value: user / 1e6 },
              { attributes: { 'cpu.mode': 'system' }, value: system / 1e6 },
            ],
          },
        },
        gauge('nodejs.eventloop.delay.p50', 'How long events wait, half of them at most', waits[0] ?? 0),
        gauge('nodejs.eventloop.delay.p99', 'How long events wait, 99 of 100 at most', waits[1] ?? 0),
        gauge('nodejs.eventloop.delay.max', 'How long an event waited at most', waits[2] ?? 0),
      ]
    },
    close: () => void delay.disable(),
  }
}
