/** What the programs of an instance printed: they write to a file themselves (we may be restarted), we keep it small. */
import { open } from 'node:fs/promises'

const LIMIT_BYTES = 4 * 2 ** 20
const KEPT_BYTES = 2 ** 20
const READ_BYTES = 256 * 1024

async function tail(path: string, bytes: number): Promise<Buffer | null> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const start = Math.max(0, size - bytes)
      const buffer = Buffer.alloc(size - start)
      const { bytesRead } = await file.read(buffer, 0, buffer.length, start)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export async function lastLines(path: string, lines: number): Promise<string[]> {
  const text = (await tail(path, READ_BYTES))?.toString('utf8') ?? ''
  const all = text.split('\n').map((line) => line.replace(/\r$/, ''))
  if (all.at(-1) === '') all.pop()
  return all.slice(-lines)
}

/** Cuts the front off a file that grew too large. Its writers append, so they just go on; a line may be lost. */
export async function trim(path: string): Promise<void> {
  const file = await open(path, 'r+').catch(() => null)
  if (!file) return
  try {
    const { size } = await file.stat()
    if (size <= LIMIT_BYTES) return
    const kept = Buffer.alloc(KEPT_BYTES)
    const { bytesRead } = await file.read(kept, 0, KEPT_BYTES, size - KEPT_BYTES)
    await file.truncate(0)
    await file.write(kept, 0, bytesRead, 0)
  } finally {
    await file.close()
  }
}
