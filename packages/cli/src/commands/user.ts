/** `kalnet user reset-owner`: the way back in when the owner's password is lost. On this machine only. */
import { localRoutes } from '@kalnet/contracts/local'
import type { AddCommand } from '../context.ts'

export const addUser: AddCommand = (program, context) => {
  program
    .command('user')
    .description('people')
    .command('reset-owner')
    .description('print a one-use link with which the owner sets a new password')
    .option('--clear-factors', 'using the link also removes authenticator app, recovery codes and passkeys')
    .action(async (flags: { clearFactors?: boolean }) => {
      const { api, output } = context()
      const { link } = await api.call(localRoutes.resetOwner, {
        body: { clearFactors: flags.clearFactors === true },
      })
      output.result(['Open this link to set a new password. It works once:', '', `  ${link.url}`, ''], link)
    })
}
