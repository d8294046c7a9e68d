/** One builder per image on a machine, also across processes: a kernel lock that ends with its holder, however that ends. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { start } from '@kalnet/io/spawn'

/** Waits until the lock is ours or the signal aborts; gives the way to let go. A killed holder lets go by itself. */
export async function takeLock(path: string, signal: AbortSignal): Promise<() => void> {
  await mkdir(dirname(path), { recursive: true })
  // Last before we listen: an abort in between would never be heard.
  signal.throwIfAborted()
  // flock becomes cat and the lock lives as long as that; cat lives as long as our end of its input is open.
  const holder = start('flock', ['--no-fork', '--exclusive', path, 'cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const release = () => {
    holder.stdin?.destroy()
    holder.kill('SIGKILL')
  }
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      release()
      reject(signal.reason)
    }
    const settle = (finish: () => void) => {
      signal.removeEventListener('abort', onAbort)
      finish()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    holder.once('error', (error) => settle(() => reject(error)))
    holder.once('exit', () => settle(() => reject(new Error(`the lock ${path} cannot be taken`))))
    // The echo comes back only once the lock is held.
    holder.stdout?.once('data', () => settle(resolve))
    // A write after the holder's end is answered by its exit above.
    holder.stdin?.on('error', () => undefined)
    holder.stdin?.write('held\n')
  })
  return release
}
