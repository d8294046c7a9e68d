/** Secrets open with the right key for the right thing, and with nothing else. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seal, unseal } from './envelope.ts'
import { createSecrets, loadMasterKey } from './secrets.ts'
import { sql } from './store.ts'
import { type TestStore, testStore } from './testing.ts'

const HOME = '01920000-0000-7000-8000-00000000000a'

describe('envelopes', () => {
  const master = randomBytes(32)
  it('[SEC-3.secrets] any text comes back, never twice the same envelope', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 500 }), fc.string(), (secret, about) => {
        const one = seal(master, secret, about)
        expect(unseal(master, one, about)).toBe(secret)
        expect(seal(master, secret, about)).not.toBe(one)
      }),
      { numRuns: 50 },
    )
  })
  it.each<[string, (envelope: string) => [Buffer, string, string]]>([
    ['another key', (it) => [randomBytes(32), it, 'mail']],
    ['another thing', (it) => [master, it, 'other']],
    ['a changed end', (it) => [master, `${it.slice(0, -2)}${it.endsWith('AA') ? 'BB' : 'AA'}`, 'mail']],
    ['a cut tag', (it) => [master, it.split('.').with(3, 'AAAA').join('.'), 'mail']],
    ['another form', (it) => [master, it.replace('k1', 'k9'), 'mail']],
    ['nothing', () => [master, '', 'mail']],
  ])('[SEC-3.secrets] does not open with %s', (_, given) => {
    expect(() => unseal(...given(seal(master, 'hunter2', 'mail')))).toThrow()
  })
})

describe('the store of secrets', () => {
  let test: TestStore
  let folder: string
  beforeAll(async () => {
    test = await testStore()
    folder = await mkdtemp(join(tmpdir(), 'kalnet-key-'))
    await test.store.system.transaction((tx) =>
      sql`insert into organisations values (${HOME}, 'Home', now())`.execute(tx),
    )
  })
  afterAll(async () => {
    await test.end()
    await rm(folder, { recursive: true })
  })
  const load = (env: NodeJS.ProcessEnv = {}) =>
    loadMasterKey({ configFolder: folder, env, store: test.store })

  it('[SEC-3.secrets] the key is made once, 0400, also by two starters at the same moment', async () => {
    const [one, two] = await Promise.all([load(), load()])
    expect(one.equals(two)).toBe(true)
    expect((await stat(join(folder, 'master.key'))).mode & 0o777).toBe(0o400)
    await chmod(join(folder, 'master.key'), 0o644)
    await load()
    expect((await stat(join(folder, 'master.key'))).mode & 0o777).toBe(0o400)
  })
  it('[SEC-3.secrets] the row holds no plain text; it is replaced and removed', async () => {
    const secrets = createSecrets({ masterKey: await load(), clock: systemClock })
    const home = test.store.as(HOME)
    await home.transaction((tx) => secrets.put(tx, HOME, 'mail', 'canary-71f3'))
    await home.transaction((tx) => secrets.put(tx, HOME, 'mail', 'canary-82a4'))
    expect(await home.read((tx) => secrets.get(tx, HOME, 'mail'))).toBe('canary-82a4')
    const rows = await test.store.system.read((tx) =>
      sql`select secrets::text as row from secrets`.execute(tx),
    )
    expect(rows.rows.length).toBe(1)
    expect(JSON.stringify(rows.rows)).not.toContain('canary')
    await test.store.system.transaction((tx) => secrets.put(tx, null, 'own', 'x'))
    expect(await home.read((tx) => secrets.get(tx, null, 'own'))).toBeNull()
    expect(await home.read((tx) => secrets.get(tx, HOME, 'none'))).toBeNull()
  })
  it('[SEC-3.secrets] a missing, another or a damaged key refuses to start while secrets exist', async () => {
    const path = join(folder, 'master.key')
    const kept = await readFile(path, 'utf8')
    await rm(path)
    await expect(load()).rejects.toThrow(/is missing/)
    await writeFile(path, randomBytes(32).toString('base64'))
    await expect(load()).rejects.toThrow(/not the one/)
    await writeFile(path, 'short')
    await expect(load()).rejects.toThrow(/damaged/)
    await writeFile(join(folder, 'elsewhere'), kept)
    expect((await load({ KALNET_MASTER_KEY_FILE: join(folder, 'elsewhere') })).toString('base64')).toBe(
      kept.trim(),
    )
  })
})
