/** The one process that owns database, server and controller: starts them in order, keeps them, stops them in reverse. */
import { mkdirSync } from 'node:fs'
import type { Clock } from '@kalnet/io/clock'
import { stamp } from '@kalnet/io/clock'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import { explain, refused } from '../problem.ts'
import { VERSION } from '../tree.ts'
import { untilAborted } from './child.ts'
import { serveControl } from './control.ts'
import { awaitEnd, identify } from './identity.ts'
import { readRecord, takeLock, writeRecord } from './lock.ts'
import { type Kept, keepRunning, type Part } from './part.ts'
import type { SupervisorStatus } from './state.ts'

export interface SupervisorOptions {
  folders: Folders
  lan: boolean
  /** In the order they are started; each waits until the one before it serves. */
  parts: readonly Part[]
  /** Where people find it, known when the server serves. */
  url: () => string | null
  clock: Clock
  log: Log
  signal: AbortSignal
}

/** Runs until told to stop. Refuses when another one has this data folder. */
export async function supervise(options: SupervisorOptions): Promise<SupervisorStatus['phase']> {
  const { folders, clock, log } = options
  const lock = takeLock(folders)
  if (!lock) throw refused('Another supervisor has this data folder.', 'Look at `kalnet status`.')
  mkdirSync(folders.runtime, { recursive: true, mode: 0o711 })
  const stopping = new AbortController()
  const heard = new AbortController()
  const status: SupervisorStatus = {
    pid: process.pid,
    version: VERSION,
    startedAt: stamp(clock),
    phase: 'starting',
    url: null,
    lan: options.lan,
    parts: [],
    problem: null,
    next: null,
  }
  const kept: Kept[] = []
  const record = () =>
    writeRecord(folders, {
      ...identify(process.pid),
      version: VERSION,
      runtime: folders.runtime,
      // Not the database: its own start adopts or stops what a crash left, as its files need.
      children: kept.flatMap(({ state: { name, pid } }) =>
        pid === null || name === 'database' ? [] : [identify(pid)],
      ),
    })
  await endLeftovers(folders, log)
  await record()
  const control = await serveControl(folders, {
    status: () => ({ ...status, url: options.url(), parts: kept.map(({ state }) => ({ ...state })) }),
    stop: () => {
      stopping.abort(new Error('told to stop'))
      heard.abort()
    },
  })
  const told = AbortSignal.any([options.signal, stopping.signal])
  try {
    await startInOrder()
    if (!told.aborted) await untilAborted(told)
  } finally {
    status.phase = status.phase === 'failed' ? 'failed' : 'stopping'
    for (const part of kept.toReversed()) await part.stop()
    if (status.phase === 'failed') await stayToExplain()
    await control.close()
    lock.release()
  }
  return status.phase

  async function startInOrder(): Promise<void> {
    const changed = () =>
      void record().catch((error) => log.warn({ err: error }, 'the record was not written'))
    for (const part of options.parts) {
      if (told.aborted) return
      const one = keepRunning(part, { clock, log, changed })
      kept.push(one)
      try {
        await Promise.race([one.ready, untilAborted(told)])
      } catch (error) {
        const { message, next } = explain(error)
        log.error({ part: part.name, err: error }, 'a part could not be started; giving up')
        Object.assign(status, { phase: 'failed', problem: message, next })
        return stopping.abort(error)
      }
    }
    if (told.aborted) return
    status.phase = 'ready'
    log.info({ url: options.url() }, 'ready')
  }

  /** Whoever waits in `kalnet up` reads the reason, then lets it go; nobody waiting must not keep it for ever. */
  async function stayToExplain(): Promise<void> {
    await clock.sleep(3_000, AbortSignal.any([options.signal, heard.signal])).catch(() => undefined)
  }
}

/** Children of a supervisor that was killed end by themselves (their channel closes); wait for that, so that ports are free. */
async function endLeftovers(folders: Folders, log: Log): Promise<void> {
  for (const child of readRecord(folders)?.children ?? []) {
    await awaitEnd(child, 5_000).catch((error) =>
      log.warn({ err: error }, 'an old process could not be ended'),
    )
  }
}
