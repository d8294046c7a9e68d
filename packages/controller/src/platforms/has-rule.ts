/** Whether a rule of the machine's filter is there; while others change the filter, the kernel says neither yes nor no. */
import { run } from '@kalnet/io/spawn'

const ATTEMPTS = 10
const PAUSE_MS = 50
/** iptables(8): not there (also its chain, or what it leads to); there is no answer now. */
const NOT_THERE = [1, 2]

/** `words` from the chain on, as after `iptables -C`. */
export async function hasRule(words: string[], table = 'filter'): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const { code, stderr } = await run('iptables', ['-w', '10', '-t', table, '-C', ...words])
    if (code === 0) return true
    if (code !== null && NOT_THERE.includes(code)) return false
    if (attempt === ATTEMPTS) throw new Error(`the filter cannot be read: ${stderr.trim()}`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
