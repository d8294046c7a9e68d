/** Migrations: once each, with several starters, and never changed after a release. */
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@kalnet/io/log'
import { afterEach, describe, expect, it } from 'vitest'
import { MIGRATIONS, migrate, migrationFiles } from './migrate.ts'
import { createStore, sql } from './store.ts'
import { testDatabase } from './testing.ts'

const log = createLog('test', 'silent')
const after: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const undo of after.splice(0)) await undo()
})
async function empty() {
  const database = await testDatabase({ migrated: false })
  after.push(database.drop)
  return database.url
}
async function folderWith(name: string, text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-migrations-'))
  after.push(() => rm(folder, { recursive: true }))
  await cp(MIGRATIONS, folder, { recursive: true })
  await writeFile(join(folder, name), text)
  return folder
}
const tables = async (url: string) => {
  const store = await createStore({ url, log, connections: 1 })
  const { rows } = await store.system.read((tx) =>
    sql<{ name: string; owner: string }>`
    select tablename as name, tableowner as owner from pg_tables where schemaname = 'public' order by 1`.execute(
      tx,
    ),
  )
  await store.close()
  return rows
}

describe('[CTL-1.migrations] the schema', () => {
  it('eight starters at the same moment, then again: every file once, all tables are the owner role’s', async () => {
    const url = await empty()
    await Promise.all(Array.from({ length: 8 }, () => migrate({ url, log })))
    await migrate({ url, log })
    const found = await tables(url)
    expect(found.map((table) => table.name)).toEqual(
      expect.arrayContaining(['organisations', 'events', 'audit']),
    )
    expect(new Set(found.map((table) => table.owner))).toEqual(new Set(['kalnet_owner']))
  })
  it('a file that fails leaves everything as it was', async () => {
    const url = await empty()
    const folder = await folderWith('9000-broken.sql', 'CREATE TABLE half (id int); SELECT nonsense;')
    await expect(migrate({ url, log, folder })).rejects.toThrow(/nonsense/)
    expect((await tables(url)).map((table) => table.name)).not.toContain('half')
    await migrate({ url, log })
  })
  it('a database of a newer release is refused in words', async () => {
    const url = await empty()
    await migrate({ url, log, folder: await folderWith('9000-newer.sql', 'CREATE TABLE newer (id int);') })
    await expect(migrate({ url, log })).rejects.toThrow(/newer release/)
  })
  it('what was released never changes', async () => {
    const released = JSON.parse(await readFile(join(MIGRATIONS, 'released.json'), 'utf8')) as Record<
      string,
      string
    >
    const files = await migrationFiles()
    for (const [name, sum] of Object.entries(released)) {
      const text = files.find((file) => file.name === name)?.text
      expect(text, `${name} was released and is gone`).toBeDefined()
      expect(
        createHash('sha256')
          .update(text ?? '')
          .digest('hex'),
        `${name} was released and has changed`,
      ).toBe(sum)
    }
  })
  it('files are numbered without a hole', async () => {
    const numbers = (await migrationFiles()).map((file) => Number(file.name.slice(0, 4)))
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  })
})
