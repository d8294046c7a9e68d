/** Puts the table into the kernel, or takes it out. As root, on Linux with nftables. */
import { must, run } from '@kalnet/io/spawn'
import { failed, refused } from '../problem.ts'
import { TABLE } from './nftables.ts'

/** Asked first: who may not change it anyway is told so whatever else is wrong. */
export async function assertPossible(): Promise<void> {
  if (process.getuid?.() !== 0)
    throw refused('Only root changes the firewall of a machine.', 'Run the same with sudo.')
  const { code } = await run('nft', ['--version'], { timeoutMs: 10_000 }).catch(() => ({ code: null }))
  if (code !== 0)
    throw refused(
      'nftables is not installed here.',
      'Install it (Debian: apt install nftables), or use `--format ufw --print`.',
    )
}

/** All of it or nothing; twice is once. */
export async function applyTable(text: string, signal: AbortSignal): Promise<void> {
  await must('nft', ['-f', '-'], { input: text, timeoutMs: 30_000, signal }).catch((error: unknown) => {
    throw failed(
      `The rules were not taken: ${error instanceof Error ? error.message : 'unknown'}.`,
      'Nothing was changed. Look at `kalnet firewall --print`.',
    )
  })
}

/** False when there was none. */
export async function removeTable(signal: AbortSignal): Promise<boolean> {
  const { code } = await run('nft', ['list', 'table', ...TABLE], { timeoutMs: 10_000, signal })
  if (code !== 0) return false
  await must('nft', ['delete', 'table', ...TABLE], { timeoutMs: 10_000, signal })
  return true
}
