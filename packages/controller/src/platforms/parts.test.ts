/** The small parts that all platforms share. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLimit } from '../limit.ts'
import { createThrottle } from '../throttle.ts'
import { dialUnix } from './dial-unix.ts'
import { createKeyedMutex } from './mutex.ts'
import { lastLines, trim } from './process/output.ts'
import { endedInWords, problemInWords } from './reasons.ts'

const never = new AbortController().signal

test.each([
  [0, false, 'Its program ended'],
  [3, false, 'Its program ended with code 3'],
  [137, false, 'It was killed from outside (signal 9)'],
  [143, false, 'It was killed from outside (SIGTERM)'],
  [137, true, 'It ran out of memory'],
  [127, false, 'Its program was not found in the image'],
])('[SES-1.reasons] code %s, out of memory %s: %s', (code, outOfMemory, words) => {
  expect(endedInWords(code, outOfMemory)).toBe(words)
})

test('[SES-1.disk-full] a full disk is said in words', () => {
  expect(problemInWords(new Error('ENOSPC: no space left on device, write'))).toMatch(/disk .* is full/)
})

test('[STR-1.dial-unix] only a socket of that very name is connected to, also under a long path', async () => {
  const folder = mkdtempSync(join(tmpdir(), `kalnet-${'long-'.repeat(20)}`))
  const short = mkdtempSync(join(tmpdir(), 'k-'))
  const server = createServer((socket) => socket.end('told'))
  const path = join(short, 'real.sock')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  try {
    symlinkSync(path, join(folder, 'link.sock'))
    writeFileSync(join(folder, 'file.sock'), '')
    const socket = await dialUnix(short, 'real.sock', never)
    expect(await new Promise((resolve) => socket.once('data', (it) => resolve(String(it))))).toBe('told')
    for (const name of ['link.sock', 'file.sock', 'none.sock', '..', '../x'])
      await expect(dialUnix(folder, name, never)).rejects.toThrow()
  } finally {
    server.close()
    rmSync(folder, { recursive: true })
    rmSync(short, { recursive: true })
  }
})

test('[CTL-3.bounded] no more at once than the limit, and an aborted wait leaves the queue', async () => {
  const limit = createLimit(2)
  let running = 0
  let most = 0
  const work = async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise((resolve) => setTimeout(resolve, 5))
    running -= 1
  }
  const leaver = new AbortController()
  const all = Array.from({ length: 6 }, () => limit(work, never))
  const left = limit(work, leaver.signal)
  leaver.abort(new Error('left'))
  await expect(left).rejects.toThrow('left')
  await Promise.all(all)
  expect(most).toBe(2)
})

test('[CTL-3.progress-throttled] the newest is told after a pause, what is between is not', async () => {
  const told: number[] = []
  const throttle = createThrottle<number>(30, (it) => void told.push(it))
  for (let value = 1; value <= 50; value += 1) throttle.soon('one', value)
  expect(told).toEqual([1])
  await expect.poll(() => told, { timeout: 30_000 }).toEqual([1, 50])
  throttle.soon('one', 51)
  throttle.now('one', 52)
  expect(told.at(-1)).toBe(52)
  throttle.drop('one')
})

test('[CTL-3.one-at-a-time] work for one key never overlaps and survives a failure', async () => {
  const serial = createKeyedMutex()
  const order: string[] = []
  const slow = serial('a', async () => {
    await new Promise((resolve) => setTimeout(resolve, 10))
    order.push('first')
    throw new Error('broke')
  })
  const next = serial('a', async () => void order.push('second'))
  await expect(slow).rejects.toThrow('broke')
  await next
  expect(order).toEqual(['first', 'second'])
})

test('[CTL-6.log-size] a log that grew too large keeps its end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kalnet-log-'))
  const path = join(folder, 'log')
  try {
    writeFileSync(path, `${'x'.repeat(5 * 2 ** 20)}\nlast\n`)
    await trim(path)
    expect(await lastLines(path, 1)).toEqual(['last'])
    expect((await lastLines(path, 10)).length).toBeLessThanOrEqual(2)
    expect(await lastLines(join(folder, 'none'), 10)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
