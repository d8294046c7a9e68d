/** What instances with a network may reach: one set of rules for all bridges of an installation, however many there are. */
import { must, run } from '@kalnet/io/spawn'
import { hasRule } from '../has-rule.ts'
import { createMutex } from '../mutex.ts'
import { blockedRanges, resolvers } from '../process/blocked.ts'

/**
 * Bridges of an installation begin with this; whoever lists the machine's own addresses passes over `kal…`. Those that lead
 * nowhere go on with an l, which no number has.
 */
export const bridgePrefix = (installation: string, kind: 'internet' | 'local' = 'internet') =>
  `kal${installation.slice(0, 4)}${kind === 'local' ? 'l' : ''}`

/** As iptables-restore reads them; one commit, so there is never half a filter. */
export function bridgeRules(
  chains: { forward: string; input: string },
  local: string,
  blocked: string[],
  dns: string[],
): string {
  const forward = [
    `-i ${local} -j REJECT --reject-with icmp-admin-prohibited`,
    ...dns.flatMap((address) =>
      ['udp', 'tcp'].map((protocol) => `-d ${address}/32 -p ${protocol} --dport 53 -j RETURN`),
    ),
    ...blocked.map((range) => `-d ${range} -j REJECT --reject-with icmp-admin-prohibited`),
    '-j RETURN',
  ]
  return [
    '*filter',
    `:${chains.forward} - [0:0]`,
    `:${chains.input} - [0:0]`,
    ...forward.map((rule) => `-A ${chains.forward} ${rule}`),
    // What this machine asked of an instance is answered; what an instance begins is not heard.
    `-A ${chains.input} -m conntrack --ctstate ESTABLISHED --ctdir REPLY -j ACCEPT`,
    `-A ${chains.input} -j DROP`,
    'COMMIT',
    '',
  ].join('\n')
}

export interface BridgeFilter {
  /** The rules stand when this resolves; answers the resolvers they let through. Can be done twice. */
  set(): Promise<string[]>
  /** Whether all that keeps sessions out stands: a few lookups, nothing is changed. */
  stands(): Promise<boolean>
  /** Takes them away, unless `isNeeded` says at that moment that a bridge is left. */
  clear(isNeeded: () => Promise<boolean>): Promise<void>
}

export function createBridgeFilter(installation: string): BridgeFilter {
  const devices = `${bridgePrefix(installation)}+`
  const name = installation.toUpperCase()
  const chains = { forward: `KALNET-DOCKER-${name}`, input: `KALNET-DOCKER-IN-${name}` }
  const jumps: [chain: string, rule: string[]][] = [
    // The engine leaves DOCKER-USER to its users and asks it first.
    ['DOCKER-USER', ['-i', devices, '-j', chains.forward]],
    ['INPUT', ['-i', devices, '-j', chains.input]],
  ]
  const iptables = ['-w', '10']
  /** Shared by all instances: one change at a time. */
  const exclusively = createMutex()

  async function ifThere(...words: string[]) {
    try {
      await run('iptables', [...iptables, ...words])
    } catch (error) {
      // Without the program no rule was ever made.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  return {
    set: () =>
      exclusively(async () => {
        const dns = await resolvers()
        await must('iptables-restore', [...iptables, '--noflush'], {
          input: bridgeRules(chains, `${bridgePrefix(installation, 'local')}+`, blockedRanges(), dns),
        })
        // Whoever restarted a firewall or the engine may have thrown the jumps away: looked at each time.
        for (const [chain, rule] of jumps) {
          if (!(await hasRule([chain, ...rule]))) await must('iptables', [...iptables, '-I', chain, ...rule])
        }
        return dns
      }),
    stands: () =>
      exclusively(async () => {
        // An emptied chain lets everything through: its last rules stand only while all do, as they are set in one commit.
        const marks: typeof jumps = [
          ...jumps,
          [chains.forward, ['-j', 'RETURN']],
          [chains.input, ['-j', 'DROP']],
        ]
        for (const [chain, rule] of marks) if (!(await hasRule([chain, ...rule]))) return false
        return true
      }),
    clear: (isNeeded) =>
      exclusively(async () => {
        if (await isNeeded()) return
        // Those that are not there need not go.
        for (const [chain, rule] of jumps) await ifThere('-D', chain, ...rule)
        for (const chain of Object.values(chains)) {
          await ifThere('-F', chain)
          await ifThere('-X', chain)
        }
      }),
  }
}
