/** A new master key: whenever the process ends in the middle, every secret opens afterwards. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { run } from '@kalnet/io/spawn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRotation } from './key-rotation.ts'
import { createKeyRing, createSecrets, loadMasterKey } from './secrets.ts'
import { sql } from './store.ts'
import { type TestStore, testStore } from './testing.ts'

const HOME = '01920000-0000-7000-8000-00000000000a'
const log = createLog('test', 'silent')
const here = fileURLToPath(new URL('.', import.meta.url))

describe('a new master key', () => {
  let test: TestStore
  let folder: string
  const load = () => loadMasterKey({ configFolder: folder, env: {}, store: test.store })
  const envelopes = async () =>
    (
      await test.store.system.read((tx) =>
        sql<{ envelope: string }>`select envelope from secrets order by name`.execute(tx),
      )
    ).rows.map((row) => row.envelope)
  /** Everything opens with the key that a start finds, and nothing else does. */
  async function opens() {
    const secrets = createSecrets({ masterKey: await load(), clock: systemClock })
    const all = await test.store.system.read((tx) =>
      Promise.all([secrets.get(tx, HOME, 'mail'), secrets.get(tx, null, 'own')]),
    )
    expect(all).toEqual(['canary-mail', 'canary-own'])
    expect(new Set((await envelopes()).map((it) => it.split('.')[1])).size).toBe(1)
  }

  beforeAll(async () => {
    test = await testStore()
    folder = await mkdtemp(join(tmpdir(), 'kalnet-key-'))
    const secrets = createSecrets({ masterKey: await load(), clock: systemClock })
    await test.store.system.transaction(async (tx) => {
      await sql`insert into organisations values (${HOME}, 'Home', now())`.execute(tx)
      await secrets.put(tx, HOME, 'mail', 'canary-mail')
      await secrets.put(tx, null, 'own', 'canary-own')
    })
  })
  afterAll(async () => {
    await test.end()
    await rm(folder, { recursive: true })
  })

  it('[SEC-3.rotation] seals everything anew; the old key is kept beside it, and opens nothing here', async () => {
    const path = join(folder, 'master.key')
    const [before, old] = [await envelopes(), await readFile(path, 'utf8')]
    const ring = createKeyRing(await load())
    const secrets = createSecrets({ masterKey: ring, clock: systemClock })
    const rotation = createRotation({ store: test.store, ring, path, log })
    // Somebody stores one at the same moment: it waits, and is sealed with the new key.
    const [done] = await Promise.all([
      rotation.rotate(),
      test.store.as(HOME).transaction((tx) => secrets.put(tx, HOME, 'mail', 'canary-mail')),
    ])
    expect(done.secrets).toBe(2)
    expect((await envelopes()).filter((it) => before.includes(it))).toEqual([])
    expect(await readFile(done.oldKeyFile, 'utf8')).toBe(old)
    expect(await readFile(path, 'utf8')).not.toBe(old)
    for (const file of [path, done.oldKeyFile]) expect((await stat(file)).mode & 0o777).toBe(0o400)
    await opens()
  })

  it.each(['written', 'sealed', 'committed'])(
    '[SEC-3.rotation] kill -9 when it is %s: the next start opens everything',
    async (step) => {
      const program = `
        const { createRotation } = await import('${here}key-rotation.ts')
        const { createKeyRing, loadMasterKey } = await import('${here}secrets.ts')
        const { createStore } = await import('${here}store.ts')
        const { createLog } = await import('@kalnet/io/log')
        const log = createLog('child', 'silent')
        const store = await createStore({ url: process.env.URL, log })
        const ring = createKeyRing(await loadMasterKey({ configFolder: process.env.FOLDER, env: {}, store }))
        const reached = (step) => { if (step === '${step}') process.kill(process.pid, 'SIGKILL') }
        await createRotation({ store, ring, path: process.env.FOLDER + '/master.key', log, reached }).rotate()`
      const ended = await run(process.execPath, ['--input-type=module', '-e', program], {
        env: { ...process.env, URL: test.url, FOLDER: folder },
        cwd: here,
        timeoutMs: 30_000,
      })
      expect(ended.signal ?? ended.code, ended.stderr.toString()).toBe('SIGKILL')
      await opens()
      await load()
      // And it can be done again.
      const ring = createKeyRing(await load())
      await createRotation({ store: test.store, ring, path: join(folder, 'master.key'), log }).rotate()
      await opens()
      expect((await readdir(folder)).filter((name) => name.endsWith('.next'))).toEqual([])
    },
  )
})
