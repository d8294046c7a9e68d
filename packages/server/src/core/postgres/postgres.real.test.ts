/** The embedded database started, killed, frozen out, orphaned and filled: on the pinned programs and on the system's. */

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KalnetError } from '@kalnet/contracts/errors'
import { createLog } from '@kalnet/io/log'
import { run, start } from '@kalnet/io/spawn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate } from '../migrate.ts'
import { createStore, sql } from '../store.ts'
import { type Postgres, startPostgres } from './postgres.ts'

const log = createLog('test', 'silent')
const hasSystem = existsSync('/usr/lib/postgresql')
if (!hasSystem)
  console.log('skipped: the same on the system PostgreSQL (none is installed): that its majors work too')
const here = fileURLToPath(new URL('.', import.meta.url))

/** A process that runs; one that only waits to be buried has no words left. */
const runs = async (pid: number) => (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== ''

const until = async (what: () => boolean | Promise<boolean>, limit = 15_000) => {
  for (let waited = 0; waited < limit; waited += 50) {
    if (await what()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('waited too long')
}

const kinds: [string, boolean][] = [['the pinned programs', false]]
if (hasSystem) kinds.push(['the programs of the system', true])
describe.each(kinds)('[CTL-1.postgres] embedded PostgreSQL by %s', (_, system) => {
  let home: string
  let postgres: Postgres
  const options = () => ({ dataFolder: join(home, 'data'), runtimeFolder: join(home, 'run'), log, system })
  beforeAll(async () => {
    home = await mkdtemp('/tmp/kalnet-pg-')
    postgres = await startPostgres(options())
    await migrate({ url: postgres.url, log })
  })
  afterAll(async () => {
    await postgres.stop()
    await rm(home, { recursive: true, force: true })
  })

  it('listens on its socket only, in folders that nobody else enters, and not as root', async () => {
    const store = await createStore({ url: postgres.url, log })
    const { rows } = await store.system.read((tx) =>
      sql<{ listen: string; wal: string; senders: string }>`
      select current_setting('listen_addresses') as listen, current_setting('wal_level') as wal, current_setting('max_wal_senders') as senders`.execute(
        tx,
      ),
    )
    await store.close()
    expect(rows).toEqual([{ listen: '', wal: 'replica', senders: '0' }])
    for (const folder of ['data/postgres', 'data/postgres/cluster', 'run/postgres'])
      expect((await stat(join(home, folder))).mode & 0o777).toBe(0o700)
    const status = await readFile(`/proc/${postgres.pid}/status`, 'utf8')
    expect(status).not.toMatch(/^Uid:\s+0\b/m)
  })
  it('a second supervisor is refused while the first one lives', async () => {
    await writeFile(
      join(home, 'data/postgres/supervisor.json'),
      JSON.stringify({
        pid: 1,
        startedAt: (await readFile('/proc/1/stat', 'utf8')).split(') ')[1]?.split(' ')[19],
      }),
    )
    await expect(startPostgres(options())).rejects.toThrow(/Another Kalnet \(process 1\)/)
    await rm(join(home, 'data/postgres/supervisor.json'))
  })
  it('kill -9: it is told, started again, and every acknowledged write is there; the store recovers by itself', async () => {
    const store = await createStore({ url: postgres.url, log })
    let written = 0
    const stopped = new AbortController()
    const codes = new Set<string>()
    const writing = (async () => {
      while (!stopped.signal.aborted) {
        try {
          await store.system.transaction((tx) =>
            sql`insert into throttles values (${`kept ${written}`}, 1, now())`.execute(tx),
          )
          written++
        } catch (error) {
          codes.add(error instanceof KalnetError ? error.code : String(error))
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
    })()
    await until(() => written > 50)
    process.kill(postgres.pid, 'SIGKILL')
    expect((await postgres.exited).signal).toBe('SIGKILL')
    postgres = await startPostgres(options())
    const before = written
    await until(() => written > before + 50)
    stopped.abort()
    await writing
    const { rows } = await store.system.read((tx) =>
      sql<{ count: number }>`select count(*)::int as count from throttles where key like 'kept %'`.execute(
        tx,
      ),
    )
    await store.close()
    expect(rows[0]?.count).toBeGreaterThanOrEqual(written)
    expect([...codes].filter((code) => code !== 'store.unavailable')).toEqual([])
  })
  it('stop and start again: the same data; stopping twice does no harm', async () => {
    await postgres.stop()
    await postgres.stop()
    postgres = await startPostgres(options())
    const store = await createStore({ url: postgres.url, log })
    const { rows } = await store.system.read((tx) =>
      sql<{ count: number }>`select count(*)::int as count from throttles`.execute(tx),
    )
    await store.close()
    expect(rows[0]?.count).toBeGreaterThan(50)
  })
  it('data of another major is refused with what to do', async () => {
    await postgres.stop()
    const file = join(home, 'data/postgres/cluster/PG_VERSION')
    const kept = await readFile(file, 'utf8')
    await writeFile(file, '12\n')
    await expect(startPostgres(options())).rejects.toThrow(/PostgreSQL 12.*restore/)
    await writeFile(file, kept)
    postgres = await startPostgres(options())
  })
  it('its supervisor killed: it ends cleanly by itself, and the next one starts at once', async () => {
    await postgres.stop()
    const script = `
      import { createLog } from '@kalnet/io/log'
      import { startPostgres } from './postgres.ts'
      const postgres = await startPostgres({ ...JSON.parse(process.argv[1]), log: createLog('child', 'silent') })
      console.log(postgres.pid)
      setInterval(() => undefined, 1000)`
    const child = start(
      process.execPath,
      ['--input-type=module-typescript', '-e', script, JSON.stringify({ ...options(), log: undefined })],
      { cwd: here, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const pid = await new Promise<number>((resolve) =>
      child.stdout?.once('data', (text) => resolve(Number(String(text)))),
    )
    expect(await runs(pid)).toBe(true)
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    postgres = await startPostgres(options())
    expect(await runs(pid)).toBe(false)
    expect(postgres.pid).not.toBe(pid)
  })
  it('a crash in the middle of making the cluster leaves nothing that hinders', async () => {
    const other = await mkdtemp('/tmp/kalnet-pg-')
    await mkdir(join(other, 'data/postgres/cluster.new/base'), { recursive: true })
    const again = await startPostgres({
      ...options(),
      dataFolder: join(other, 'data'),
      runtimeFolder: join(other, 'run'),
    })
    await again.stop()
    await rm(other, { recursive: true })
  })
  it('a path too long for a socket is explained', async () => {
    await expect(startPostgres({ ...options(), runtimeFolder: `/tmp/${'x'.repeat(100)}` })).rejects.toThrow(
      /too long for a socket/,
    )
  })
})

const mounts =
  process.getuid?.() === 0 && (await run('unshare', ['--mount', 'true']).catch(() => null))?.code === 0
describe.skipIf(!mounts)('[CTL-1.disk-full] a full disk', () => {
  it('writes say store.full, and work again when there is space', async () => {
    const home = await mkdtemp('/tmp/kalnet-pg-')
    await mkdir(join(home, 'data'))
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=130m', 'tmpfs', join(home, 'data')])
    expect(mounted.code).toBe(0)
    let postgres: Postgres | null = null
    try {
      postgres = await startPostgres({
        dataFolder: join(home, 'data'),
        runtimeFolder: join(home, 'run'),
        log,
      })
      await migrate({ url: postgres.url, log })
      const store = await createStore({ url: postgres.url, log })
      const write = (bytes: number) =>
        store.system
          .transaction((tx) =>
            sql`insert into throttles select gen_random_uuid()::text || repeat('x', 900), 1, now() from generate_series(1, ${bytes / 1000}::int)`.execute(
              tx,
            ),
          )
          .then(
            () => 'ok',
            (error: unknown) => (error instanceof KalnetError ? error.code : String(error)),
          )
      await writeFile(join(home, 'data/filler'), Buffer.alloc(25_000_000))
      const said = new Set<string>()
      for (let round = 0; round < 200 && !said.has('store.full'); round++) said.add(await write(1_000_000))
      expect([...said]).toContain('store.full')
      await rm(join(home, 'data/filler'))
      await until(async () => {
        // A log that could not be extended ends PostgreSQL itself: its supervisor starts it again.
        const over = await Promise.race([
          postgres?.exited,
          new Promise((resolve) => setTimeout(() => resolve(null), 10)),
        ])
        if (over)
          postgres = await startPostgres({
            dataFolder: join(home, 'data'),
            runtimeFolder: join(home, 'run'),
            log,
          })
        return (await write(1_000)) === 'ok'
      })
      await store.close()
    } finally {
      await postgres?.stop()
      await run('umount', [join(home, 'data')])
      await rm(home, { recursive: true, force: true })
    }
  })
})
