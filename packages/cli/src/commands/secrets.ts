/** `kalnet secrets rotate`: a new master key. On this machine only. */
import { keeperRoutes } from '@kalnet/contracts/audit'
import type { AddCommand } from '../context.ts'

export const addSecrets: AddCommand = (program, context) => {
  program
    .command('secrets')
    .description('what is kept sealed')
    .command('rotate')
    .description('make a new master key and seal every secret anew')
    .addHelpText(
      'after',
      `
The old key stays beside the new one: backups made before today need it. Keep a copy of the new one apart from the
backups; without it they hold no secret that can be read again. See docs/secrets.md.

Examples:
  kalnet secrets rotate            somebody may have read this machine's configuration`,
    )
    .action(async () => {
      const { api, output, signal } = context()
      const done = await api.call(keeperRoutes.rotateSecrets, { timeoutMs: 120_000, signal })
      output.result(
        [
          `${done.secrets === 1 ? 'One secret is' : `${done.secrets} secrets are`} sealed with the new master key.`,
          '',
          `  new  ${done.keyFile}     copy it to a safe place, apart from the backups`,
          `  old  ${done.oldKeyFile}     only for backups made before; keep it with them, then remove it`,
        ],
        done,
      )
    })
}
