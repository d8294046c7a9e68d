/** Firewall rules for nftables: one table of our own, replaced as a whole. Pure. */
import { isIPv6 } from 'node:net'
import { type FirewallRule, HOME_NETWORKS } from './rules.ts'

export const TABLE = ['inet', 'kalnet'] as const

/**
 * The policy is accept and only our own ports are named, so that no other way into this machine (ssh) can be closed by it. What
 * another table drops stays dropped: a port that is open here is open where the machine's other rules let it be.
 */
export function nftables(rules: readonly FirewallRule[], networks: readonly string[] = []): string {
  const home = [...HOME_NETWORKS, ...networks]
  const table = TABLE.join(' ')
  const line = ({ protocol, port, exposure, why }: FirewallRule) =>
    exposure === 'external'
      ? `    ${protocol} dport ${port} accept comment "${why}: everywhere"`
      : `    ${protocol} dport ${port} counter drop comment "${why}: this network only"`
  const set = (name: string, type: string, all: string[]) => [
    `  set ${name} {`,
    `    type ${type}`,
    '    flags interval',
    '    auto-merge',
    `    elements = { ${all.join(', ')} }`,
    '  }',
  ]
  return [
    '# Made by `kalnet firewall`. Applied at once or not at all: the table is emptied and filled in one step.',
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    ...set(
      'home4',
      'ipv4_addr',
      home.filter((it) => !isIPv6(it.split('/')[0] ?? '')),
    ),
    ...set(
      'home6',
      'ipv6_addr',
      home.filter((it) => isIPv6(it.split('/')[0] ?? '')),
    ),
    '  chain input {',
    '    type filter hook input priority filter; policy accept;',
    '    iif "lo" accept',
    '    ct state established,related accept',
    '    ip saddr @home4 accept',
    '    ip6 saddr @home6 accept',
    ...rules.map(line),
    '  }',
    '}',
    '',
  ].join('\n')
}
