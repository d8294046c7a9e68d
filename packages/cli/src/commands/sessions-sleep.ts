/** `kalnet sessions hibernate|wake|homes|remove`: sessions that sleep with their files, wake, what is kept of them, and are deleted with it. */
import { type Session, sessionRoutes } from '@kalnet/contracts/session'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { size, table } from '../output.ts'
import { failed, refused } from '../problem.ts'
import { amountOf, find, listSessions, waitFor } from './sessions-found.ts'

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
    .command('homes')
    .description('what is kept of sessions that sleep or have failed: how large, and where')
    .addHelpText('after', '\nExamples:\n  kalnet sessions homes\n  kalnet sessions homes --json | jq .bytes')
    .action(async () => {
      const it = context()
      const kept = (await listSessions(it)).flatMap(({ home, ...of }) => (home ? [{ ...of, home }] : []))
      const bytes = kept.reduce((sum, { home }) => sum + (home.bytes ?? 0), 0)
      const unknown = kept.filter(({ home }) => home.measuredAt === null || home.bytes === null).length
      const rows = kept.map((one) => [
        one.name,
        one.state,
        amountOf(one),
        one.controllerName ?? '–',
        one.home.place ?? 'not known',
      ])
      const sum = `${size(bytes)} in all${unknown > 0 ? `; of ${unknown} it is not known` : ''}`
      const items = kept.map(({ id, name, state, controllerName, home }) => ({
        id,
        name,
        state,
        controllerName,
        home,
      }))
      it.output.result(
        kept.length === 0
          ? 'Nothing is kept of sessions that do not run.'
          : [...table(['name', 'state', 'files', 'machine', 'place'], rows), '', sum],
        { items, bytes, unknown },
      )
    })
  sessions
    .command('remove')
    .description('take ended or sleeping sessions off the list; what they kept is deleted')
    .argument(...IDS)
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet sessions remove Workbench\n  kalnet sessions remove Workbench --yes',
    )
    .action(async (wanted: string[], flags: { yes?: boolean }) => {
      const { it, items } = await each(wanted, async (it, session) => {
        const { name, id } = session
        const kept = `${name} keeps ${amountOf(session)} on ${session.controllerName ?? 'its machine'}.`
        if (session.home && !flags.yes && !(await it.output.ask(`${kept} Delete that for good?`)))
          throw refused(kept, `Say it with --yes: kalnet sessions remove ${id} --yes`)
        await it.api.call(sessionRoutes.remove, { params: { id: session.id } })
        return session
      })
      it.output.result(
        items.map((one) => `${one.name} is removed, with its files.`),
        { items: items.map(({ id, name }) => ({ id, name })) },
      )
    })
}
