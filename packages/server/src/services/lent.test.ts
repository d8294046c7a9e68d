/** What a service shares with those that use it: declared on both sides, in one household, and put in only on the way to a machine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { serviceTemplate, type TestServices, testServices, webPort } from '../testing/service-life.ts'

const store = (secrets: object[]) => ({
  secrets,
  parts: [
    {
      name: 'database',
      image: { reference: 'none' },
      command: ['database', '{{secret.password}}', '{{secret.root}}'],
      ports: [{ name: 'sql', kind: 'tcp', at: { tcp: 5432 } }],
    },
  ],
})
const SHARING = [{ name: 'password', shared: true }, { name: 'root' }]
const app = (asks: string[], word: string, required = true) => ({
  dependencies: [{ name: 'store', label: 'Database', required, secrets: asks }],
  parts: [
    {
      name: 'web',
      image: { reference: 'none' },
      command: ['program'],
      environment: { PASSWORD: word },
      files: [{ name: 'settings.json', content: `{"password": ${word}}` }],
      links: [{ name: 'db', dependency: 'store', port: 'sql' }],
      ports: [webPort],
    },
  ],
})
const WORD = '{{dependency.store.password}}'

let t: TestServices
beforeAll(async () => {
  t = await testServices({
    store: serviceTemplate('store', store(SHARING)),
    miser: serviceTemplate('miser', store([{ name: 'password' }, { name: 'root' }])),
    app: serviceTemplate('app', app(['password'], WORD)),
    free: serviceTemplate('free', app(['password'], WORD, false)),
    greedy: serviceTemplate('greedy', app(['root'], '{{dependency.store.root}}')),
    silent: serviceTemplate('silent', app([], WORD)),
  })
  await t.machine('attic')
})
afterAll(() => t.end())

const specOf = async (id: string) => {
  const it = await t.calm(id)
  return (await t.desired(it.instances[0]?.id ?? '')).spec
}

describe('[NET-5.shared] a password that a service shares', () => {
  it('[SEC-3.injection] is what its database has, in the environment and in files, and stands in no row', async () => {
    const database = await t.install('store')
    const [, password = '', root = ''] = (await specOf(database.id)).command
    const { id } = await t.install('app', { dependencies: { store: database.id } })
    const spec = await specOf(id)
    expect(spec.environment.PASSWORD).toBe(password)
    expect(JSON.parse(spec.files[0]?.content ?? '')).toEqual({ password })
    expect(JSON.stringify(spec)).not.toContain(root)
    const kept = await t.store.system.read(
      async (tx) =>
        (await sql<{ spec: string }>`select string_agg(spec::text, ' ') as spec from instances`.execute(tx))
          .rows[0]?.spec,
    )
    expect(kept).toContain('{{secret:service/store/password}}')
    expect(kept).not.toContain(password)
  })
  it('is nothing where nothing was chosen', async () => {
    const { id } = await t.install('free')
    expect((await specOf(id)).environment.PASSWORD).toBe('')
  })
  it.each([
    ['what is kept to itself', 'greedy', 'store', 'service.dependency'],
    ['what another one shares', 'app', 'miser', 'service.dependency'],
    ['what was not asked for', 'silent', 'store', 'template.invalid'],
  ])('%s is refused', async (_what, templateId, other, code) => {
    const { items } = (await t.ask('GET', '/api/services')).body as { items: { id: string; name: string }[] }
    const id = items.find((it) => it.name === other)?.id ?? (await t.install(other)).id
    const { status, body } = await t.ask('POST', '/api/services', { templateId, dependencies: { store: id } })
    expect([status, body.error?.code]).toEqual([422, code])
  })
  it.each([
    ['of a service that it does not use', 'free', 'service/store/password'],
    ['that is not shared', 'app', 'service/store/root'],
  ])('a mark in a row for one %s is not filled in', async (_what, name, mark) => {
    const { items } = (await t.ask('GET', '/api/services')).body as {
      items: { name: string; instances: { id: string }[] }[]
    }
    const id = items.find((it) => it.name === name)?.instances[0]?.id ?? ''
    await t.store.system.transaction((tx) =>
      sql`update instances set spec = jsonb_set(spec, '{command}', ${JSON.stringify(['x', `{{secret:${mark}}}`])}::jsonb)
        where id = ${id}`.execute(tx),
    )
    const { spec } = await t.desired(id)
    expect([spec.command[1], spec.wants]).toEqual([`{{secret:${mark}}}`, ['privileged']])
  })
})
