/** `kalnet down`: ends the sessions and services, then everything; `--purge` takes the data away as well. */

import { KalnetError } from '@kalnet/contracts/errors'
import { type Session, sessionRoutes } from '@kalnet/contracts/session'
import type { AddCommand, Context } from '../context.ts'
import { endInstances } from '../end-instances.ts'
import { size } from '../output.ts'
import { CliProblem, EXIT, refused } from '../problem.ts'
import { type Purged, purge, whatIsLost } from '../purge.ts'
import { stopSupervisor } from '../supervisor/client.ts'
import { liveRecord } from '../supervisor/lock.ts'
import { listSessions, waitFor } from './sessions-found.ts'

interface DownFlags {
  yes?: boolean
  keepInstances?: boolean
  purge?: boolean
}

/** Nothing of it runs, or soon nothing will. */
const RESTS = new Set(['stopped', 'failed', 'hibernated'])
const FALLS_ASLEEP = 'hibernating'
/** A program gets its grace to save; after this long the rest is stopped with whatever is left. */
const END_MS = 45_000

export const addDown: AddCommand = (program, context) => {
  program
    .command('down')
    .description('end the sessions and services, and stop everything')
    .option('--keep-instances', 'leave sessions and services running; the next `up` finds them again')
    .option('--purge', 'take away all data as well, after saying what is lost')
    .option('-y, --yes', 'do not ask')
    .action(async (flags: DownFlags) => down(context(), flags))
}

async function down(it: Context, flags: DownFlags): Promise<void> {
  const { folders, output } = it
  if (flags.purge && flags.keepInstances)
    throw new CliProblem(
      EXIT.usage,
      'cli.usage',
      '--purge ends every session.',
      'Leave --keep-instances out.',
    )
  const running = liveRecord(folders) !== null
  if (flags.purge) await agreeToLose(it, flags)
  const ended = running && !flags.keepInstances ? await endSessions(it, flags) : 0
  const stopped = running && (await output.step('Stopping', () => stopSupervisor(folders)))
  const services = flags.keepInstances ? 0 : await endServices(it)
  const purged = flags.purge ? await purge(it) : null
  const words = [
    ...(ended > 0 ? [`${ended} session${ended === 1 ? '' : 's'} ended.`] : []),
    ...(services > 0 && !flags.purge
      ? [
          `${services} instance${services === 1 ? '' : 's'} of services ended; \`kalnet up\` starts them again.`,
        ]
      : []),
    stopped ? 'Kalnet is stopped.' : 'Kalnet was not running.',
    ...(flags.keepInstances && stopped
      ? ['Sessions and services run on; `kalnet up` finds them again.']
      : []),
    ...(purged ? inWords(purged) : []),
  ]
  const { folders: removed, cluster = null, engine = null, user = false } = purged ?? { folders: [] }
  output.result(words, { stopped, ended, services, removed, cluster, engine, user })
}

/** After the control plane has gone, so that nothing starts them anew. */
const endServices = (it: Context): Promise<number> =>
  it.output.step('Ending what still runs', () => endInstances(it))

function inWords({ folders, cluster, engine, user }: Purged): string[] {
  const things = Object.entries(engine ?? {}).flatMap(([what, count]) =>
    count > 0 ? [`${count} ${count === 1 ? what.slice(0, -1) : what}`] : [],
  )
  return [
    ...(things.length > 0 ? [`Removed from Docker: ${things.join(', ')}.`] : []),
    ...(cluster
      ? [
          `Removed from the cluster: ${cluster.pods} ${cluster.pods === 1 ? 'pod' : 'pods'}. Volumes there are kept; to remove them: ${cluster.claims}`,
        ]
      : []),
    ...folders.map((folder) => `Removed ${folder}.`),
    ...(user ? ['Removed the system user of the database.'] : []),
  ]
}

async function endSessions(it: Context, flags: DownFlags): Promise<number> {
  const live = await liveSessions(it)
  if (live.length === 0) return 0
  if (!flags.yes && !flags.purge) {
    const names = live.map((one) => one.name).join(', ')
    const question = `${live.length} session${live.length === 1 ? ' is' : 's are'} running (${names}). End ${live.length === 1 ? 'it' : 'them'}?`
    if (!(await it.output.ask(question)))
      throw refused(
        `${question.replace(/ End .*$/, '')}`,
        'End them too: kalnet down --yes. Leave them running: kalnet down --keep-instances.',
      )
  }
  await it.output.step(`Ending ${live.length} session${live.length === 1 ? '' : 's'}`, async () => {
    for (const { id, state } of live) {
      // What was about to wake keeps its files: it goes back to sleep.
      const route = state === 'waking' ? sessionRoutes.hibernate : sessionRoutes.stop
      await it.api.call(route, { params: { id } }).catch(passOver)
    }
    for (const { id } of live) await waitFor(it, id, (one) => RESTS.has(one.state), END_MS).catch(passOver)
  })
  return live.length
}

/** Nobody owns it yet, or the control plane does not answer: there is nothing that could be asked to end. */
async function liveSessions(it: Context): Promise<Session[]> {
  try {
    const live = await listSessions(it, 'live')
    return live.filter((one) => !RESTS.has(one.state) && one.state !== FALLS_ASLEEP)
  } catch (error) {
    if (it.signal.aborted) throw error
    if (error instanceof KalnetError && error.code === 'sign-in.required') return []
    it.output.note('The control plane does not answer; sessions that run are left as they are.')
    return []
  }
}

/** One session that will not end must not keep the rest up. */
const passOver = (error: unknown) => {
  if (error instanceof KalnetError || error instanceof CliProblem) return
  throw error
}

async function agreeToLose(it: Context, flags: DownFlags): Promise<void> {
  const things = await whatIsLost(it.folders)
  if (things.length === 0 || flags.yes) return
  it.output.note('This is lost for ever:')
  for (const { path, bytes, what } of things) it.output.note(`  ${path}  ${size(bytes)}  ${what}`)
  it.output.note(
    '  Containers, networks and images that Kalnet has in Docker go with it, and its pods in a cluster.',
  )
  if (!(await it.output.askWord('There is no way back.', 'purge')))
    throw refused('Nothing was removed.', 'To remove it without being asked: kalnet down --purge --yes')
}
