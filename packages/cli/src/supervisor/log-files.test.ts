/** Logs stay small without losing the writer. */
import { appendFileSync, closeSync, openSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NO_HOME, temporaryHome } from '../testing.ts'
import { trim } from './log-files.ts'

let it = NO_HOME
beforeAll(async () => {
  it = await temporaryHome()
})
afterAll(() => it.remove())

test('a long log moves aside and its writer goes on at the beginning', async () => {
  const file = join(it.home, 'server.log')
  appendFileSync(file, 'old\n'.repeat(10))
  const writer = openSync(file, 'a')
  expect(await trim(file, 1000)).toBe(false)
  expect(await trim(file, 10)).toBe(true)
  writeSync(writer, 'new\n')
  closeSync(writer)
  expect(await readFile(file, 'utf8')).toBe('new\n')
  expect(await readFile(`${file}.1`, 'utf8')).toBe('old\n'.repeat(10))
  expect(await trim(join(it.home, 'none'))).toBe(false)
})
