/** Secrets go nowhere but to machines, and several servers look after services together. */
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { serviceTemplate, type TestServices, testServices, webPort } from '../testing/service-life.ts'

let log = ''
const listen = pino(
  { level: 'debug' },
  {
    write(line: string) {
      log += line
    },
  },
)
const sealed = serviceTemplate('sealed', {
  secrets: [{ name: 'key' }],
  parts: [
    {
      name: 'web',
      image: { reference: 'none' },
      command: ['program', '{{secret.key}}'],
      environment: { KEY: 'is {{secret.key}}' },
      files: [{ name: 'settings.json', content: '{"key": {{secret.key}}}' }],
      ports: [webPort],
      volumes: [{ name: 'data', at: '/home/user/data' }],
    },
  ],
})

let t: TestServices
let other: TestServices
beforeAll(async () => {
  t = await testServices({ sealed, page: serviceTemplate('page', {}) }, { log: listen })
  other = await testServices({}, { log: listen, beside: t })
  await t.machine('attic')
})
afterAll(async () => {
  await other.end()
  await t.end()
})

describe('[NET-5.secrets] a secret of a service', () => {
  it('is in what its machine is told, and in no row, event, log line or answer', async () => {
    const { id, instances } = await t.install('sealed')
    const instanceId = instances[0]?.id ?? ''
    const { spec } = await t.desired(instanceId)
    const secret = spec.command[1] ?? ''
    expect(secret).toMatch(/^[\w-]{32}$/)
    expect(spec.environment.KEY).toBe(`is ${secret}`)
    expect(JSON.parse(spec.files[0]?.content ?? '')).toEqual({ key: secret })
    const [all] = await t.instances.desiredFor(instances[0]?.controllerId ?? '')
    expect(all?.spec.command[1]).toBe(secret)

    await t.says(instanceId, 'running')
    await t.good('POST', `/api/services/${id}/restart`)
    await t.says(instanceId, 'failed', { reason: 'It crashed' })
    // The same one for the next release, and for what comes back to its data.
    await t.good('POST', `/api/services/${id}/update`)
    const said = [
      await t.ask('GET', `/api/services/${id}`),
      await t.ask('GET', `/api/services/${id}/releases`),
    ]
    await t.ask('DELETE', `/api/services/${id}`)
    const again = await t.install('sealed')
    expect((await t.desired(again.instances[0]?.id ?? '')).spec.command[1]).toBe(secret)

    expect(said.map((it) => it.text).join()).not.toContain(secret)
    expect(log).not.toContain(secret)
    const rows = await t.store.system.read(async (tx) => {
      const { rows: tables } = await sql<{ name: string }>`
        select table_name as name from information_schema.tables where table_schema = 'public' and table_name <> 'throttles'`.execute(
        tx,
      )
      let text = ''
      for (const { name } of tables) {
        const { rows } = await sql<{ it: string | null }>`
          select string_agg(t::text, ' ') as it from ${sql.table(name)} t`.execute(tx)
        text += rows[0]?.it ?? ''
      }
      return text
    })
    expect(rows).toContain('{{secret:service/sealed/key}}')
    expect(rows).not.toContain(secret)
    // Removed with its data, the secret goes too.
    await t.ask('DELETE', `/api/services/${again.id}?data=remove`)
    const third = await t.install('sealed')
    expect((await t.desired(third.instances[0]?.id ?? '')).spec.command[1]).not.toBe(secret)
    await t.ask('DELETE', `/api/services/${third.id}?data=remove`)
  })
  it('of another service is not put in, whatever stands in a row', async () => {
    const { instances } = await t.install('page')
    const id = instances[0]?.id ?? ''
    await t.store.system.transaction((tx) =>
      sql`update instances set spec = jsonb_set(spec, '{command}', '["x", "{{secret:service/sealed/key}}"]') where id = ${id}`.execute(
        tx,
      ),
    )
    const { spec } = await t.desired(id)
    expect([spec.command[1], spec.wants]).toEqual(['{{secret:service/sealed/key}}', ['privileged']])
  })
})

describe('[NET-5.once] two servers', () => {
  it('start what is due once', async () => {
    const installed = []
    for (let count = 0; count < 6; count++) installed.push(await t.install('page'))
    for (const it of installed) await t.says(it.instances[0]?.id ?? '', 'failed')
    t.clock.move(2_000)
    await Promise.all([t.services.tick(), other.services.tick(), t.services.tick(), other.services.tick()])
    for (const { id } of installed) {
      const [it] = (await t.read(id)).instances
      expect([it?.generation, it?.restarts, it?.nextStartAt]).toEqual([2, 1, null])
    }
  })
  it('a report and a wish at the same moment wait for each other', async () => {
    const { id, instances } = await t.install('page')
    const it = instances[0]?.id ?? ''
    for (let round = 0; round < 5; round++)
      await Promise.all([
        t.says(it, 'running'),
        other.says(it, 'creating'),
        t.good('POST', `/api/services/${id}/restart`),
        t.services.tick(),
      ])
    expect((await t.calm(id)).state).toBe('running')
    expect(log).not.toContain('deadlock')
  })
})
