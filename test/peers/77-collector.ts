/** The OpenTelemetry collector: takes OTLP and writes what it understood into a file. Built once from its own modules; each start has a port of its own. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Peer, peerCache } from '@kalnet/cli/suite/peers'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { freePort } from '@kalnet/io/testing/free-port'
import { stringify } from 'yaml'
import { goBuild, hasStamp } from './go-install.ts'

/** The last one all of whose modules the public checksum database vouches for and the proxy still has. */
const VERSION = '0.98.0'
/** Raised when the way of building changes. */
const STAMP = `${VERSION}-1`
const READY_MS = 20_000

const folderIn = (cache: string) => join(cache, 'collector', VERSION)
const programIn = (cache: string) => join(folderIn(cache), 'collector')
const isBuilt = async (cache: string) =>
  existsSync(programIn(cache)) && (await hasStamp(folderIn(cache), STAMP))

export const hasCollector = (): Promise<boolean> => isBuilt(peerCache(process.env))

export const peer: Peer = {
  name: `OpenTelemetry collector ${VERSION}`,
  proves: 'that a collector understands the figures and traces it is sent',
  async ensure({ env, cache, signal, say }) {
    if (await isBuilt(cache)) return
    await goBuild(
      { env, signal, say },
      {
        folder: folderIn(cache),
        stamp: STAMP,
        sources: join(import.meta.dirname, 'collector'),
        program: 'collector',
      },
    )
  },
}

export interface Collector {
  url: string
  /** All it understood so far, as OTLP in JSON: one object for each request. */
  taken(): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
}

const opens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

export async function startCollector(port?: number): Promise<Collector> {
  const listen = port ?? (await freePort())
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-collector-'))
  const file = join(folder, 'taken.json')
  const pipeline = { receivers: ['otlp'], exporters: ['file'] }
  const settings = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${listen}` } } } },
    exporters: { file: { path: file, flush_interval: '50ms' } },
    service: {
      telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
      pipelines: { traces: pipeline, metrics: pipeline },
    },
  }
  await writeFile(join(folder, 'config.yaml'), stringify(settings))
  const program = programIn(peerCache(process.env))
  const child = start(program, ['--config', `file:${join(folder, 'config.yaml')}`], {
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const until = Date.now() + READY_MS
  while (!(await opens(listen))) {
    if (Date.now() > until || child.exitCode !== null) throw new Error('the collector did not start')
    await systemClock.sleep(20)
  }
  return {
    url: `http://127.0.0.1:${listen}`,
    async taken() {
      const text = await readFile(file, 'utf8').catch(() => '')
      // The last line may still be being written.
      const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
      return lines.filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>)
    },
    async stop() {
      child.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}
