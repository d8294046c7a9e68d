/** Keeps the log files small: past the limit the text moves to `<name>.1` and the file begins anew. */
import { copyFile, stat, truncate } from 'node:fs/promises'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'

const LIMIT_BYTES = 20 * 2 ** 20
const EVERY_MS = 600_000

/** Copied and truncated, not renamed: whoever writes has it open for appending and goes on at its new end. */
export async function trim(file: string, limit = LIMIT_BYTES): Promise<boolean> {
  const size = await stat(file).then(
    (it) => it.size,
    () => 0,
  )
  if (size <= limit) return false
  await copyFile(file, `${file}.1`)
  await truncate(file, 0)
  return true
}

/** Looks now and then until the signal fires. A disk that is full must not end the supervisor. */
export async function keepSmall(
  files: readonly string[],
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    for (const file of files)
      await trim(file).catch((error) => log.warn({ file, err: error }, 'a log file could not be shortened'))
    // Aborted while waiting: the loop's condition ends it.
    await clock.sleep(EVERY_MS, signal).catch(() => undefined)
  }
}
