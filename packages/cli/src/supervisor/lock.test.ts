/** One supervisor per data folder, even when the last one was killed; processes are known by more than their id. */
import { spawnSync } from 'node:child_process'
import { start } from '@kalnet/io/spawn'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NO_HOME, temporaryHome } from '../testing.ts'
import { identify, lives } from './identity.ts'
import { liveRecord, takeLock, writeRecord } from './lock.ts'

let it = NO_HOME
beforeAll(async () => {
  it = await temporaryHome()
})
afterAll(() => it.remove())
const folders = () => ({ data: `${it.home}/data`, runtime: `${it.home}/run`, config: `${it.home}/config` })

const HOLD = `
  const { takeLock } = await import(process.argv[1])
  const lock = takeLock(JSON.parse(process.argv[2]))
  process.stdout.write(lock ? 'held\\n' : 'refused\\n')
  if (lock) setInterval(() => lock, 1000)
`
const words = () => [
  '--disable-warning=ExperimentalWarning',
  '--input-type=module',
  '-e',
  HOLD,
  `${import.meta.dirname}/lock.ts`,
  JSON.stringify(folders()),
]

test('[CTL-1.one-per-folder] a second one is refused; a killed one leaves nothing that could be in the way', async () => {
  const holder = start(process.execPath, words(), { stdio: ['ignore', 'pipe', 'inherit'] })
  const said = await new Promise<string>((resolve) =>
    holder.stdout?.once('data', (chunk) => resolve(String(chunk))),
  )
  expect(said).toBe('held\n')
  expect(spawnSync(process.execPath, words(), { encoding: 'utf8' }).stdout).toBe('refused\n')
  expect(takeLock(folders())).toBeNull()
  const ended = new Promise((resolve) => holder.once('exit', resolve))
  holder.kill('SIGKILL')
  await ended
  const lock = takeLock(folders())
  expect(lock).not.toBeNull()
  lock?.release()
})

test('a record counts only while exactly that process lives', async () => {
  const record = { ...identify(process.pid), version: '0', runtime: folders().runtime, children: [] }
  await writeRecord(folders(), record)
  expect(liveRecord(folders())).toMatchObject({ pid: process.pid })
  await writeRecord(folders(), { ...record, startTicks: '1' })
  expect(liveRecord(folders())).toBeNull()
})

test('a process that ended does not live, nor does another one with its id', () => {
  const { pid = 0 } = spawnSync('true')
  expect(lives({ ...identify(process.pid), pid })).toBe(false)
  expect(lives({ ...identify(process.pid), bootId: 'another boot' })).toBe(false)
  expect(lives(identify(process.pid))).toBe(true)
})
