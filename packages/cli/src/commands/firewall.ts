/** `kalnet firewall`: rules for this machine from the routes there are. */
import { isIP } from 'node:net'
import { type GatewayRoute, gatewayRoutes } from '@kalnet/contracts/gateway'
import { InvalidArgumentError } from 'commander'
import type { AddCommand, Context } from '../context.ts'
import { applyTable, assertPossible, removeTable } from '../firewall/apply.ts'
import { nftables } from '../firewall/nftables.ts'
import { firewallRules } from '../firewall/rules.ts'
import { ufwRules, ufwText } from '../firewall/ufw.ts'
import { usage } from '../problem.ts'
import { readConfig } from '../settings.ts'
import { everything } from './people-found.ts'

interface Flags {
  print?: boolean
  apply?: boolean
  remove?: boolean
  format: string
  network: string[]
}

const addNetwork = (text: string, before: string[]): string[] => {
  const [address = '', bits] = text.split('/')
  const most = isIP(address) === 6 ? 128 : 32
  if (isIP(address) === 0 || !/^\d{1,3}$/.test(bits ?? '') || Number(bits) > most)
    throw new InvalidArgumentError('It must be a network such as 2001:db8:7::/64.')
  return [...before, text]
}

async function rulesOf({ api, env, folders }: Context) {
  const config = await readConfig({ folders, env, flags: {} })
  const routes = await everything<GatewayRoute>((after) =>
    api.call(gatewayRoutes.list, { query: { after, limit: 200 } }),
  )
  return firewallRules(config, routes)
}

export const addFirewall: AddCommand = (program, context) => {
  program
    .command('firewall')
    .description('who may come to which port of this machine, as rules for its firewall')
    .option('--print', 'print the rules and change nothing (default)')
    .option('--apply', 'put them into nftables, as one table of our own; again after routes have changed')
    .option('--remove', 'take that table out again')
    .option('--format <format>', 'nftables or ufw', 'nftables')
    .option('--network <network>', 'another network that counts as this house', addNetwork, [])
    .addHelpText(
      'after',
      `
Only ports of Kalnet are named; ssh and everything else stay as they are. A port that is for this network alone
drops what comes from elsewhere. Open ports also need the machine's other rules and your router to let them pass.

Examples:
  kalnet firewall                                          look at the rules
  sudo kalnet firewall --apply                             use them, until the machine starts again
  kalnet firewall --print > /etc/nftables.d/kalnet.nft     keep them, where /etc/nftables.conf includes that folder
  kalnet firewall --format ufw                             the same as lines for ufw
  kalnet firewall --network 2001:db8:7::/64                where devices of this house have such addresses
  sudo kalnet firewall --remove`,
    )
    .action(async (flags: Flags) => {
      const it = context()
      const { output, signal } = it
      if ([flags.print, flags.apply, flags.remove].filter(Boolean).length > 1)
        throw usage('Choose one of --print, --apply and --remove.')
      if (flags.format !== 'nftables' && flags.format !== 'ufw')
        throw usage(`${flags.format} is not a format; nftables and ufw are.`)
      if (flags.format === 'ufw' && (flags.apply || flags.remove))
        throw usage('Rules for ufw are printed only: run the lines yourself, after you have read them.')
      if (flags.apply || flags.remove) await assertPossible()
      if (flags.remove) {
        const removed = await removeTable(signal)
        return output.result(removed ? 'The rules are gone.' : 'There were no rules of Kalnet.', { removed })
      }
      const rules = await rulesOf(it)
      const text =
        flags.format === 'ufw' ? ufwText(ufwRules(rules, flags.network)) : nftables(rules, flags.network)
      if (!flags.apply) return output.result(text.trimEnd(), { rules, text })
      await applyTable(text, signal)
      output.result(
        rules.map(
          (rule) =>
            `${rule.protocol} ${rule.port}: ${rule.exposure === 'external' ? 'from everywhere' : 'from this network only'} (${rule.why})`,
        ),
        { rules, applied: true },
      )
    })
}
