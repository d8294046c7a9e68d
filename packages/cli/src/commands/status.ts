/** `kalnet status`: is it up, where, and how are its parts. */
import { join } from 'node:path'
import type { WayInProblem } from '@kalnet/contracts/gateway'
import type { AddCommand, Context } from '../context.ts'
import { ago, table } from '../output.ts'
import { EXIT, notRunning } from '../problem.ts'
import { readSupervisor } from '../supervisor/client.ts'
import type { SupervisorStatus } from '../supervisor/state.ts'
import { wayInLine, wayInProblems } from '../way-in.ts'

export const addStatus: AddCommand = (program, context) => {
  program
    .command('status')
    .description('what runs, where it listens, and where its logs are')
    .action(async () => {
      const it = context()
      const status = await readSupervisor(it.folders)
      if (!status) throw notRunning()
      const wayIn = status.phase === 'ready' ? await wayInProblems(it.api) : []
      printStatus(it, status, wayIn)
      if (status.phase !== 'ready') it.exit.code = EXIT.failed
    })
}

export function printStatus(
  { output, folders, clock }: Context,
  status: SupervisorStatus,
  wayIn: readonly WayInProblem[] = [],
): void {
  const now = clock.now()
  const lines = [
    status.phase === 'ready' ? `Kalnet runs at ${status.url}` : `Kalnet is ${status.phase}.`,
    ...(status.problem ? [status.problem] : []),
    '',
    ...table(
      ['part', 'state', 'process', 'for', 'restarts'],
      status.parts.map((part) => [
        part.name,
        part.problem && part.state !== 'running' ? `${part.state}: ${part.problem}` : part.state,
        part.pid === null ? '–' : String(part.pid),
        part.startedAt ? ago(new Date(part.startedAt), now) : '–',
        String(part.restarts),
      ]),
    ),
    ...(wayIn.length > 0 ? ['', ...wayIn.map(wayInLine)] : []),
    '',
    `data   ${folders.data}`,
    `config ${folders.config}`,
    `logs   ${join(folders.data, 'logs')}`,
  ]
  output.result(lines, { running: true, ...status, wayIn, folders, logs: join(folders.data, 'logs') })
}
