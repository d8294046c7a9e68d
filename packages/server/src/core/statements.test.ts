/** Every SQL statement of every store is prepared against the migrated schema: a wrong column fails here, not at night. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestStore, testStore } from './testing.ts'

const SOURCE = fileURLToPath(new URL('..', import.meta.url))
const isStore = (file: string) => /(^|\/)(?:[\w-]+\.)?store\.ts$/.test(file) && file !== 'core/store.ts'

/** Compiles without a connection. */
const compiler = new Kysely<Record<string, never>>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

interface Compiled {
  compile(db: typeof compiler): { sql: string; parameters: readonly unknown[] }
}
const isCompiled = (it: unknown): it is Compiled => typeof it === 'object' && it !== null && 'compile' in it

/** Stands for any flat object of parameters: each field answers the same, so both sides of `x ? sql… : sql…` are seen. */
const sample = (value: unknown) => new Proxy({}, { get: () => value, has: () => true })
/** Fields of every kind that a statement may take apart: text, numbers, lists, objects, dates, and nothing. */
const SAMPLES: unknown[] = [
  sample(null),
  sample('sample'),
  sample(['sample']),
  sample(1),
  sample({}),
  new Date(0),
  'sample',
]

const files = (await readdir(SOURCE, { recursive: true })).filter((file) => isStore(file)).sort()
const found: { name: string; texts: string[] }[] = []
const incomplete: string[] = []
for (const file of files) {
  const module: Record<string, unknown> = await import(join(SOURCE, file))
  const statements = module.statements
  const hasSql = /(?<![\w.])sql(?:<[^`]*?>)?`/.test(await readFile(join(SOURCE, file), 'utf8'))
  if (typeof statements !== 'object' || statements === null) {
    if (hasSql) incomplete.push(`${file} exports no \`statements\``)
    continue
  }
  for (const [name, make] of Object.entries(statements)) {
    const texts = new Set<string>()
    for (const given of SAMPLES) {
      try {
        const made: unknown = (make as (...input: unknown[]) => unknown)(given, given, given)
        if (isCompiled(made)) texts.add(made.compile(compiler).sql)
      } catch {
        // This sample does not fit the statement (a list where it wants text); another does, or it is reported below.
      }
    }
    if (texts.size === 0) incomplete.push(`${file}: ${name} could not be compiled with any sample`)
    found.push({ name: `${file} ${name}`, texts: [...texts] })
  }
}

describe('[CTL-1.statements] every statement fits the schema', () => {
  let test: TestStore
  let client: pg.Client
  beforeAll(async () => {
    test = await testStore()
    client = new pg.Client({ connectionString: test.url })
    await client.connect()
    await client.query('set role kalnet_system')
  })
  afterAll(async () => {
    await client.end()
    await test.end()
  })
  it('all of them were found', () => {
    expect(incomplete).toEqual([])
    expect(found.length).toBeGreaterThan(30)
  })
  it.each(found)('$name', async ({ texts }) => {
    for (const text of texts) {
      await client.query(`prepare it as ${text}`)
      await client.query('deallocate it')
    }
  })
})
