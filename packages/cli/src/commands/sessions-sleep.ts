/** `kalnet sessions hibernate|wake|remove`: sessions that sleep with their files, wake, and are deleted with them. */
import { type Session, sessionRoutes } from '@kalnet/contracts/session'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { failed } from '../problem.ts'
import { find, waitFor } from './sessions-found.ts'

const IDS = ['<id...>', 'ids, their beginnings, or names'] as const
const SLEEP_MS = 60_000
const WAKE_MS = 600_000

export function addSleep(sessions: Command, context: () => Context): void {
  const each = async (wanted: string[], work: (it: Context, session: Session) => Promise<Session>) => {
    const it = context()
    const items: Session[] = []
    for (const one of wanted) items.push(await work(it, await find(it, one)))
    return { it, items }
  }
  sessions
    .command('hibernate')
    .description('put sessions to sleep: their programs end, their files are kept')
    .argument(...IDS)
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet sessions hibernate Workbench\n  kalnet sessions hibernate Workbench Attic --json',
    )
    .action(async (wanted: string[]) => {
      const { it, items } = await each(wanted, async (it, { id }) => {
        await it.api.call(sessionRoutes.hibernate, { params: { id } })
        return waitFor(it, id, (one) => one.state !== 'hibernating', SLEEP_MS)
      })
      it.output.result(
        items.map((one) => `${one.name} sleeps. Wake it with: kalnet sessions wake ${one.id}`),
        { items },
      )
    })
  sessions
    .command('wake')
    .description('wake sleeping sessions, with the files that were kept')
    .argument(...IDS)
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet sessions wake Workbench\n  kalnet sessions wake Workbench --json',
    )
    .action(async (wanted: string[]) => {
      const { it, items } = await each(wanted, async (it, { id, name }) => {
        await it.api.call(sessionRoutes.wake, { params: { id } })
        const woken = await it.output.step(`Waking ${name}`, (say) =>
          waitFor(it, id, (one) => one.state !== 'waking', WAKE_MS, say),
        )
        if (woken.state !== 'running')
          throw failed(woken.reason ?? `It is ${woken.state}.`, `Its files are kept; try again later.`)
        return woken
      })
      it.output.result(
        items.map((one) => `${one.name} is ${one.state}.`),
        { items },
      )
    })
  sessions
    .command('remove')
    .description('take ended or sleeping sessions off the list; what they kept is deleted')
    .argument(...IDS)
    .addHelpText('after', '\nExamples:\n  kalnet sessions remove Workbench')
    .action(async (wanted: string[]) => {
      const { it, items } = await each(wanted, async (it, session) => {
        await it.api.call(sessionRoutes.remove, { params: { id: session.id } })
        return session
      })
      it.output.result(
        items.map((one) => `${one.name} is removed, with its files.`),
        { items: items.map(({ id, name }) => ({ id, name })) },
      )
    })
}
