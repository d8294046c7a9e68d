/** `kalnet claim`: the link that makes the owner, where the control plane was not started by `kalnet up` (in a container, as a service). */
import { claimLink } from '../claim.ts'
import type { AddCommand } from '../context.ts'

export const addClaim: AddCommand = (program, context) => {
  program
    .command('claim')
    .description('print the one-use link that makes the owner, while nobody owns this installation')
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet claim\n  docker compose exec control-plane kalnet claim      for Kalnet on Docker',
    )
    .action(async () => {
      const it = context()
      const url = await claimLink(it)
      it.output.result(
        url
          ? ['Open this link to make your account. It works once:', '', `  ${url}`]
          : 'This installation has an owner already. To give somebody a new password: kalnet user reset.',
        { claim: url },
      )
    })
}
