/** `kalnet sessions list|run|open|logs|stop`, in `sessions-show.ts` show, and in `sessions-sleep.ts` hibernate, wake and remove: the local owner's desktops from the command line. */
import { platformName } from '@kalnet/contracts/instance'
import { type Session, sessionRoutes } from '@kalnet/contracts/session'
import type { AddCommand, Context } from '../context.ts'
import { ago, table } from '../output.ts'
import { failed, usage } from '../problem.ts'
import { readSupervisor } from '../supervisor/client.ts'
import { labelsOf } from './controllers-change.ts'
import { ENDED, find, listSessions, waitFor } from './sessions-found.ts'
import { addShow } from './sessions-show.ts'
import { addSleep } from './sessions-sleep.ts'

/** Where its machine being away matters: what ended or sleeps does not run there. */
const AT_REST = new Set([...ENDED, 'hibernated'])

export const addSessions: AddCommand = (program, context) => {
  const sessions = program.command('sessions').description('list, run, open, read and stop sessions')
  sessions
    .command('list')
    .description('live sessions, newest first')
    .option('--all', 'ended ones too')
    .action(async (options: { all?: boolean }) => {
      const it = context()
      const items = await listSessions(it, options.all ? undefined : 'live')
      const now = it.clock.now()
      const rows = items.map((one) => [
        one.id,
        one.name,
        one.templateId,
        one.reachable || AT_REST.has(one.state) ? one.state : `${one.state} (not reachable)`,
        ago(new Date(one.createdAt), now),
        one.reason ?? '',
      ])
      it.output.result(
        rows.length === 0
          ? 'No sessions. Start one with `kalnet sessions run terminal`.'
          : table(['id', 'name', 'template', 'state', 'since', ''], rows),
        { items },
      )
    })
  sessions
    .command('run')
    .description('launch a session and wait until its screen is ready')
    .argument('<template>', 'see `kalnet templates`')
    .option('--name <name>', 'what to call it')
    .option(
      '--platform <platform>',
      `where: ${platformName.options.filter((it) => it !== 'fake').join(', ')}`,
    )
    .option('--answer <name=value...>', "answers to the template's questions")
    .option('--on <key=value...>', 'only on machines that carry these labels')
    .option('--no-wait', 'do not wait for the screen')
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet sessions run terminal\n  kalnet sessions run terminal --on room=attic --name Attic',
    )
    .action(async (template: string, options: RunFlags) => run(context(), template, options))
  sessions
    .command('open')
    .description('print the address of its screen')
    .argument('<id>', 'id, its beginning, or the name')
    .action(async (wanted: string) => {
      const it = context()
      const session = await find(it, wanted)
      const url = await screenOf(it, session)
      it.output.result(url, { id: session.id, url })
    })
  addShow(sessions, context)
  sessions
    .command('logs')
    .description('what its programs printed')
    .argument('<id>', 'id, its beginning, or the name')
    .action(async (wanted: string) => {
      const it = context()
      const { id } = await find(it, wanted)
      const { lines } = await it.api.call(sessionRoutes.logs, { params: { id } })
      it.output.result(lines, { id, lines })
    })
  sessions
    .command('stop')
    .description('stop sessions')
    .argument('<id...>', 'ids, their beginnings, or names')
    .action(async (wanted: string[]) => {
      const it = context()
      const stopped: Session[] = []
      for (const each of wanted) {
        const { id } = await find(it, each)
        await it.api.call(sessionRoutes.stop, { params: { id } })
        stopped.push(await waitFor(it, id, (one) => ENDED.has(one.state), 60_000))
      }
      it.output.result(
        stopped.map((one) => `${one.name} is ${one.state}.`),
        { items: stopped },
      )
    })
  addSleep(sessions, context)
}

interface RunFlags {
  name?: string
  platform?: string
  answer?: string[]
  on?: string[]
  wait: boolean
}

async function run(it: Context, template: string, flags: RunFlags): Promise<void> {
  const platform = platformName.optional().safeParse(flags.platform)
  if (!platform.success) throw usage(`There is no platform called ${flags.platform}.`)
  const answers = Object.fromEntries(
    (flags.answer ?? []).map((pair) => {
      const [name = '', ...value] = pair.split('=')
      if (value.length === 0) throw usage(`An answer is name=value, not ${pair}.`)
      return [name, value.join('=')]
    }),
  )
  const launched = await it.api.call(sessionRoutes.launch, {
    body: {
      templateId: template,
      name: flags.name,
      platform: platform.data,
      answers,
      labels: labelsOf(flags.on ?? []),
    },
  })
  if (!flags.wait) return it.output.result(launched.id, launched)
  const ready = await it.output.step(`Starting ${launched.templateName}`, (say) =>
    waitFor(it, launched.id, (one) => one.state === 'running' || ENDED.has(one.state), 600_000, say),
  )
  if (ready.state !== 'running') {
    for (const line of ready.logTail) it.output.note(`  ${line}`)
    throw failed(ready.reason ?? `It is ${ready.state}.`, `Read \`kalnet sessions logs ${ready.id}\`.`)
  }
  const url = await screenOf(it, ready)
  it.output.result([url, `stop it with: kalnet sessions stop ${ready.id}`], { ...ready, url })
}

const screenOf = async (it: Context, session: Session): Promise<string> => {
  const status = await readSupervisor(it.folders)
  return `${status?.url ?? ''}/sessions/${session.id}`
}
