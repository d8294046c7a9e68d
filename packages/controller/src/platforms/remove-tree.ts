/** Takes away folders that an instance wrote in: it may have left some that even their owner cannot enter. */
import { rm } from 'node:fs/promises'
import { run } from '@kalnet/io/spawn'

export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
  } catch {
    await run('chmod', ['-R', 'u+rwX', '--', folder])
    await rm(folder, { recursive: true, force: true })
  }
}
