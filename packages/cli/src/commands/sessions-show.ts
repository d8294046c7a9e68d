/** `kalnet sessions show`: one session, where it is and why there, and what it uses now. */
import { sessionRoutes } from '@kalnet/contracts/session'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { ago } from '../output.ts'
import { placedLines } from './placed.ts'
import { amountOf, find } from './sessions-found.ts'
import { useOfSession, useWords } from './used.ts'

const fact = (name: string, words: string) => `${name.padEnd(10)} ${words}`

export function addShow(sessions: Command, context: () => Context): void {
  sessions
    .command('show')
    .description('one of them: where it is, why there, why it waits, and what it uses now')
    .argument('<id>', 'id, its beginning, or the name')
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet sessions show Workbench\n  kalnet sessions show Workbench --json',
    )
    .action(async (wanted: string) => {
      const it = context()
      const { id } = await find(it, wanted)
      const one = await it.api.call(sessionRoutes.read, { params: { id } })
      const use = await useOfSession(it, one)
      const reached = one.reachable ? '' : ', not reachable'
      it.output.result(
        [
          fact('name', one.name),
          fact('template', one.templateId),
          fact('state', `${one.state}, since ${ago(new Date(one.createdAt), it.clock.now())}`),
          ...(one.reason ? [fact('reason', one.reason)] : []),
          ...(one.progress ? [fact('now', one.progress.text)] : []),
          fact('machine', `${one.controllerName ?? 'none yet'}${reached}`),
          fact('platform', one.platform ?? 'none yet'),
          ...(use ? [fact('uses', useWords(use, it.clock.now()))] : []),
          ...(one.home
            ? [fact('files', `${amountOf(one)}, in ${one.home.place ?? 'a place not known'}`)]
            : []),
          ...(one.placed ? placedLines(one.placed) : []),
        ],
        { ...one, use },
      )
    })
}
