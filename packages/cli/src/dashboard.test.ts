/** The dashboard is built anew exactly when what it is built from has changed; purge measures what it takes. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildDashboard, sourcesDigest } from './dashboard.ts'
import { createOutput } from './output.ts'
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

describe('building beside what else is to be done', () => {
  const output = createOutput(false, { out: new PassThrough(), err: new PassThrough() })
  const { signal } = new AbortController()
  const half = async () =>
    (await readdir(join(it.home, '.kalnet'))).filter((name) => name.startsWith('dashboard-'))
  /** A builder that waits for what is done beside it, so that one after the other would never end. */
  const BUILDER = `
    import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
    const folder = process.argv[process.argv.indexOf('--outDir') + 1]
    mkdirSync(folder, { recursive: true })
    writeFileSync(folder + '/index.html', 'built')
    writeFileSync('../../begun', '')
    while (!existsSync('../../done')) await new Promise((wake) => setTimeout(wake, 20))
  `
  const begun = async () => {
    while ((await readFile(join(it.home, 'begun'), 'utf8').catch(() => null)) === null)
      await new Promise((wake) => setTimeout(wake, 20))
  }
  beforeAll(async () => {
    await write('node_modules/vite/bin/vite.js', BUILDER)
    await write('node_modules/vite/package.json', '{"type":"module"}')
    await mkdir(join(it.home, '.kalnet'), { recursive: true })
  })

  test('[CTL-1.up] what fails beside it ends the build, and nothing half is left', async () => {
    const beside = async () => {
      await begun()
      throw new Error('no such package')
    }
    await expect(buildDashboard(output, signal, { root: it.home, beside })).rejects.toThrow('no such package')
    expect(await half()).toEqual([])
    await expect(readFile(join(it.home, 'packages/dashboard/dist/.built-from'))).rejects.toThrow('ENOENT')
  })
  test('[CTL-1.up] both go on at the same time', async () => {
    const beside = async () => {
      await begun()
      await write('done', '')
    }
    await buildDashboard(output, signal, { root: it.home, beside })
    expect(await readFile(join(it.home, 'packages/dashboard/dist/index.html'), 'utf8')).toBe('built')
    expect(await half()).toEqual([])
  })
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
