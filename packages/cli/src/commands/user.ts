/** `kalnet user reset-owner`: the way back in when the owner's password is lost. On this machine only. */
import { localRoutes } from '@kalnet/contracts/local'
import type { AddCommand } from '../context.ts'

export const addUser: AddCommand = (program, context) => {
  program
    .command('user')
    .description('people')
    .command('reset-owner')
    .description('print a one-use link with which the owner sets a new password')
    .action(async () => {
      const { api, output } = context()
      const { link } = await api.call(localRoutes.resetOwner)
      output.result(['Open this link to set a new password. It works once:', '', `  ${link.url}`, ''], link)
    })
}
