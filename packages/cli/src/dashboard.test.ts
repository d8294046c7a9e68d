/** The dashboard is built anew exactly when what it is built from has changed; purge measures what it takes. */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sourcesDigest } from './dashboard.ts'
import { folderSize, whatIsLost } from './purge.ts'
import { NO_HOME, temporaryHome } from './testing.ts'

let it = NO_HOME
const write = async (path: string, text: string) => {
  await mkdir(join(it.home, path, '..'), { recursive: true })
  await writeFile(join(it.home, path), text)
}
beforeAll(async () => {
  it = await temporaryHome()
  await write('packages/dashboard/src/main.tsx', 'one')
  await write('packages/contracts/src/session.ts', 'one')
  await write('package-lock.json', '{}')
})
afterAll(() => it.remove())

const changes: [string, string, boolean][] = [
  ['a source', 'packages/dashboard/src/main.tsx', true],
  ['a new source', 'packages/dashboard/src/new.tsx', true],
  ['a contract', 'packages/contracts/src/session.ts', true],
  ['the lock file', 'package-lock.json', true],
  ['a test', 'packages/dashboard/src/main.test.tsx', false],
  ['what was built', 'packages/dashboard/dist/index.html', false],
  ['the server', 'packages/server/src/server.ts', false],
]
test.each(changes)('%s changes', async (_name, path, expected) => {
  const before = await sourcesDigest(it.home)
  await write(path, 'two')
  expect((await sourcesDigest(it.home)) !== before).toBe(expected)
})

test('what is lost is named with its size; links are not followed', async () => {
  await write('data/a', 'x'.repeat(1000))
  await symlink('/', join(it.home, 'data/root'))
  const folders = {
    data: join(it.home, 'data'),
    config: join(it.home, 'none'),
    runtime: join(it.home, 'none'),
  }
  const lost = await whatIsLost(folders)
  expect(lost).toHaveLength(1)
  expect(lost[0]?.bytes).toBe(1000 + '/'.length)
  expect(await folderSize(join(it.home, 'none'))).toBe(0)
})
