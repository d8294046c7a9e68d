/** A builder's end, good and bad. */
import { tmpdir } from 'node:os'
import { run, start } from '@kalnet/io/spawn'
import { expect, test } from 'vitest'
import { buildProblem } from './build.ts'
import { supervise } from './supervise.ts'

const options = (
  changes: { signal?: AbortSignal; timeoutMs?: number; onLine?: (line: string) => void } = {},
) => ({
  cwd: tmpdir(),
  env: process.env,
  signal: new AbortController().signal,
  timeoutMs: 10_000,
  onLine: () => undefined,
  ...changes,
})

test('whole lines of both outputs arrive, and failure carries the last of them', async () => {
  const lines: string[] = []
  const onLine = (line: string) => lines.push(line)
  await supervise('sh', ['-c', 'printf "a"; sleep 0.05; echo b; echo c >&2'], options({ onLine }))
  expect(lines.sort()).toEqual(['ab', 'c'])
  await expect(supervise('sh', ['-c', 'echo it broke; exit 2'], options())).rejects.toThrow(
    /sh failed: it broke/,
  )
  await expect(supervise('/does/not/exist', [], options())).rejects.toThrow(/not found/)
})

test('[TPL-4.stopped-build] it is asked to end and may clean up; a limit of time counts as well', async () => {
  const lines: string[] = []
  const stop = new AbortController()
  const onLine = (line: string) => {
    lines.push(line)
    if (line === 'up') stop.abort(new Error('stopped'))
  }
  const script = 'trap "echo cleaned; exit 1" TERM; echo up; while :; do sleep 0.05; done'
  await expect(supervise('sh', ['-c', script], options({ signal: stop.signal, onLine }))).rejects.toThrow(
    'stopped',
  )
  expect(lines).toContain('cleaned')
  await expect(supervise('sleep', ['30'], options({ timeoutMs: 50 }))).rejects.toThrow(/timeout/)
})

test('[TPL-4.orphaned-build] a builder whose starter was killed ends with all its children', async () => {
  const mark = `41${process.pid}${Date.now() % 1e6}`
  const script = `sh -c 'trap "" HUP; sleep ${mark}' & echo up; wait`
  const program = `import('${new URL('./supervise.ts', import.meta.url)}').then(({ supervise }) =>
    supervise('sh', ['-c', ${JSON.stringify(script)}], { cwd: '/', env: process.env, signal: new AbortController().signal,
      timeoutMs: 60000, onLine: (line) => console.log(line) }))`
  const starter = start(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => starter.stdout?.once('data', resolve))
  const living = async () => (await run('pgrep', ['-f', `^sleep ${mark}`])).stdout
  // The shell says that it is up before its child has become the sleep.
  await expect.poll(living, { timeout: 10_000 }).not.toBe('')
  starter.kill('SIGKILL')
  await expect.poll(living, { timeout: 10_000 }).toBe('')
})

test.each([
  [
    'mmdebstrap failed: tar: ./x: Cannot write: No space left on device',
    /^the disk that holds the data is full \(/,
  ],
  ['mmdebstrap failed: W: Failed to fetch http://mirror.example/x', /^the packages could not be fetched/],
  ['mmdebstrap failed: E: invalid /etc/subuid', /add it to \/etc\/subuid/],
  ['something else', /^something else$/],
])('[TPL-4.build-problem] %s is said so that people can do something', (said, expected) => {
  expect(buildProblem(new Error(said)).message).toMatch(expected)
})
