/** `kalnet key account …`: accounts of programs, which belong to nobody and act by service keys only. */
import { accountRole, keyRoutes } from '@kalnet/contracts/key'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { refused, usage } from '../problem.ts'
import { allAccounts, findAccount, keyExamples } from './key.ts'

const ROLES = accountRole.options.join(', ')

export function addKeyAccounts(key: Command, context: () => Context): void {
  const account = key
    .command('account')
    .description('service accounts: programs that belong to nobody')
    .addHelpText(
      'after',
      keyExamples(
        ['kalnet key account add Directory --role admin', ''],
        ['kalnet key add scim --preset scim --account Directory', 'its key'],
      ),
    )
  account
    .command('list')
    .description('all of them')
    .action(async () => {
      const it = context()
      const items = await allAccounts(it)
      const rows = items.map((one) => [
        one.name,
        one.role,
        one.state === 'off' ? 'off' : 'on',
        String(one.keys.length),
        one.id,
      ])
      it.output.result(
        rows.length === 0
          ? 'There are no service accounts.'
          : table(['name', 'role', 'state', 'keys', 'id'], rows),
        { items },
      )
    })
  account
    .command('add')
    .description('make one')
    .argument('<name>', 'what the program is')
    .option('--role <role>', ROLES, 'member')
    .action(async (name: string, flags: { role: string }) => {
      const role = accountRole.safeParse(flags.role)
      if (!role.success) throw usage(`A service account cannot be ${flags.role}.`, `The roles are ${ROLES}.`)
      const it = context()
      const made = await it.api.call(keyRoutes.makeAccount, { body: { name, role: role.data } })
      it.output.result(
        `${made.name} is here, as ${made.role}. Next: kalnet key add … --account '${made.name}'`,
        made,
      )
    })
  account
    .command('remove')
    .description('remove one, with its keys')
    .argument('<account>', 'its name or id')
    .option('-y, --yes', 'do not ask')
    .action(async (wanted: string, flags: { yes?: boolean }) => {
      const it = context()
      const { id, name, keys } = await findAccount(it, wanted)
      const lost = `${name} and its ${keys.length} key${keys.length === 1 ? '' : 's'} are removed. This cannot be undone.`
      if (!flags.yes && !(await it.output.askWord(lost, name)))
        throw refused(lost, `Remove anyway: kalnet key account remove ${id} --yes`)
      await it.api.call(keyRoutes.removeAccount, { params: { id } })
      it.output.result(`${name} is removed.`, { id })
    })
}
