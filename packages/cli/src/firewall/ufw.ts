/** The same rules as lines for ufw (ufw(8)). ufw keeps everything out that is not allowed, so only what may come in is named. Pure. */
import { type FirewallRule, HOME_NETWORKS } from './rules.ts'

/** Words after `ufw`, one list for each rule. */
export function ufwRules(rules: readonly FirewallRule[], networks: readonly string[] = []): string[][] {
  return rules.flatMap(({ protocol, port, exposure, why }) => {
    const rest = ['to', 'any', 'port', String(port), 'proto', protocol, 'comment', why]
    return exposure === 'external'
      ? [['allow', 'from', 'any', ...rest]]
      : [...HOME_NETWORKS, ...networks].map((network) => ['allow', 'from', network, ...rest])
  })
}
/** As a person would type them. */
export const ufwText = (rules: readonly string[][]): string =>
  rules
    .map((words) => `ufw ${words.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ')}\n`)
    .join('')
