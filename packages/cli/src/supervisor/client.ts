/** Talks to the supervisor: is it there, how is it, stop. */

import type { Folders } from '@kalnet/io/folders'
import { ask } from '../api.ts'
import { CliProblem, EXIT, failed } from '../problem.ts'
import { supervisorSocket } from '../sockets.ts'
import { awaitEnd } from './identity.ts'
import { liveRecord } from './lock.ts'
import type { SupervisorStatus } from './state.ts'

/** Null: none runs for this data folder. */
export async function readSupervisor(
  folders: Folders,
  signal?: AbortSignal,
): Promise<SupervisorStatus | null> {
  try {
    const { status, body } = await ask({
      socketPath: supervisorSocket(folders),
      method: 'GET',
      path: '/status',
      signal,
      timeoutMs: 5_000,
    })
    if (status !== 200)
      throw failed(`The supervisor answered ${status}.`, 'Run `kalnet down`, then `kalnet up`.')
    return body as SupervisorStatus
  } catch (error) {
    if (error instanceof CliProblem && error.exit === EXIT.notRunning) return null
    throw error
  }
}

/** Asks it to stop in order and waits until it is gone. False: none was running. */
export async function stopSupervisor(folders: Folders, graceMs = 60_000): Promise<boolean> {
  const record = liveRecord(folders)
  if (!record) return false
  try {
    await ask({
      socketPath: supervisorSocket(folders),
      method: 'POST',
      path: '/stop',
      body: {},
      timeoutMs: 5_000,
    })
  } catch (error) {
    // No socket (half started, or frozen): the signal says the same.
    if (!(error instanceof CliProblem)) throw error
    process.kill(record.pid, 'SIGTERM')
  }
  await awaitEnd(record, graceMs)
  return true
}
