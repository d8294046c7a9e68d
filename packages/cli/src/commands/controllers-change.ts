/** `kalnet controllers cordon|uncordon|drain|label`: what a machine takes, and what it is chosen by. */
import {
  type Controller,
  type ControllerChange,
  controllerRoutes,
  type Labels,
} from '@kalnet/contracts/controller'
import { nearest } from '@kalnet/server/core/nearest'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { refused, usage } from '../problem.ts'

const WHICH = 'its name, its id, or either end of the id'

export function addChanges(controllers: Command, context: () => Context): void {
  controllers
    .command('cordon')
    .description('it takes nothing new; what runs there runs on')
    .argument('<controller>', WHICH)
    .addHelpText('after', example('kalnet controllers cordon attic', 'before you work on that machine'))
    .action(async (wanted: string) => {
      const it = context()
      const changed = await change(it, await findController(it, wanted), { cordoned: true })
      it.output.result(`${changed.name} takes nothing new.`, changed)
    })
  controllers
    .command('uncordon')
    .description('it takes new sessions again')
    .argument('<controller>', WHICH)
    .addHelpText('after', example('kalnet controllers uncordon attic', 'when the work is done'))
    .action(async (wanted: string) => {
      const it = context()
      const changed = await change(it, await findController(it, wanted), { cordoned: false })
      it.output.result(`${changed.name} takes new sessions again.`, changed)
    })
  controllers
    .command('drain')
    .description('it takes nothing new, and every session there ends')
    .argument('<controller>', WHICH)
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', example('kalnet controllers drain attic', 'before you switch that machine off'))
    .action(async (wanted: string, flags: { yes?: boolean }) => drain(context(), wanted, flags))
  controllers
    .command('label')
    .description('set, change or remove its labels; without any, show them')
    .argument('<controller>', WHICH)
    .argument('[label...]', '`key=value` sets one, `key-` removes it')
    .addHelpText(
      'after',
      `${example('kalnet controllers label attic room=attic gpu-', 'sets room, removes gpu')}
  kalnet sessions run terminal --on room=attic             only where that label is`,
    )
    .action(async (wanted: string, words: string[]) => {
      const it = context()
      const found = await findController(it, wanted)
      const labels = labelled(found.labels, words)
      const changed = words.length === 0 ? found : await change(it, found, { labels })
      it.output.result(labelWords(changed.labels) || `${changed.name} has no labels.`, changed)
    })
}

const example = (line: string, what: string) => `\nExamples:\n  ${line.padEnd(56)} ${what}`

const change = (it: Context, { id }: Controller, body: ControllerChange): Promise<Controller> =>
  it.api.call(controllerRoutes.change, { params: { id }, body })

async function drain(it: Context, wanted: string, flags: { yes?: boolean }): Promise<void> {
  const found = await findController(it, wanted)
  if (found.instances > 0 && !flags.yes) {
    const one = found.instances === 1
    const running = `${found.instances} session${one ? ' runs' : 's run'} on ${found.name}.`
    if (!(await it.output.ask(`${running} End ${one ? 'it' : 'them'}?`)))
      throw refused(
        running,
        `End ${one ? 'it' : 'them'} too: kalnet controllers drain ${found.name} --yes. Only take nothing new: kalnet controllers cordon ${found.name}.`,
      )
  }
  const { stopping } = await it.api.call(controllerRoutes.drain, { params: { id: found.id }, body: {} })
  const ends =
    stopping === 0 ? 'nothing was running' : `${stopping} session${stopping === 1 ? ' ends' : 's end'}`
  it.output.result(`${found.name} takes nothing new; ${ends}.`, { id: found.id, stopping })
}

/** `key=value` pairs as labels. */
export function labelsOf(pairs: readonly string[]): Labels {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1 || at === pair.length - 1) throw usage(`A label is key=value, not ${pair}.`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

/** What there was, with `key=value` set and `key-` removed. */
export function labelled(before: Labels, words: readonly string[]): Labels {
  const removed = words
    .filter((word) => !word.includes('=') && word.endsWith('-'))
    .map((word) => word.slice(0, -1))
  const kept = Object.entries(before).filter(([key]) => !removed.includes(key))
  const set = labelsOf(words.filter((word) => word.includes('=') || !word.endsWith('-')))
  return { ...Object.fromEntries(kept), ...set }
}

export const labelWords = (labels: Labels): string =>
  Object.entries(labels)
    .map((pair) => pair.join('='))
    .join(' ')

/** By id, either end of one (4 characters or more), or name. */
export async function findController(it: Context, wanted: string): Promise<Controller> {
  const { items } = await it.api.call(controllerRoutes.list, { query: { limit: 200 } })
  const exact = items.filter((one) => one.id === wanted || one.name === wanted)
  const ends = (one: Controller) => one.id.startsWith(wanted) || one.id.endsWith(wanted)
  const matches = exact.length > 0 || wanted.length < 4 ? exact : items.filter(ends)
  const [first, second] = matches
  if (!first) {
    const near = nearest(
      wanted,
      items.map((one) => one.name),
    )
    throw usage(
      `There is no controller ${wanted}.`,
      near ? `Did you mean ${near}?` : 'See `kalnet controllers list`.',
    )
  }
  if (second) throw usage(`More than one controller is meant by ${wanted}.`, 'Give the whole id.')
  return first
}
