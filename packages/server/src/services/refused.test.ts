/** What cannot be installed is said in words, and nothing of it stays; a service that signs people in by us is known as an app. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { serviceTemplate, type TestServices, testServices, webPort } from '../testing/service-life.ts'

const web = { name: 'web', image: { reference: 'none' }, command: ['program'], ports: [webPort] }
const apps: string[] = []
let t: TestServices
beforeAll(async () => {
  t = await testServices(
    {
      page: serviceTemplate('page', {
        inputs: [{ name: 'word', label: 'Word', type: 'text', required: true, environment: 'WORD' }],
      }),
      cover: serviceTemplate('cover', { parts: [{ ...web, volumes: [{ name: 'all', at: '/usr' }] }] }),
      lost: serviceTemplate('lost', { parts: [{ ...web, needs: ['nothing'] }] }),
      wrong: serviceTemplate('wrong', { parts: [{ ...web, environment: { A: '{{answer.none}}' } }] }),
      large: serviceTemplate('large', { parts: [{ ...web, resources: { memoryBytes: 2 ** 39 } }] }),
      chat: serviceTemplate('chat', {
        doors: [{ port: 'web' }],
        signIn: { openid: { callback: '/back', signOut: '/out' } },
        parts: [{ ...web, environment: { CLIENT: '{{openid.client}}', SECRET: '{{openid.secret}}' } }],
      }),
    },
    {
      given: {
        async openApp(_tx, { callback, signOut, service }) {
          apps.push(`${service.name} ${callback} ${signOut}`)
          return {
            appId: 'a',
            issuer: 'https://home.example.org/oidc',
            client: 'app-1',
            secret: 's'.repeat(43),
          }
        },
        async changeApp(_tx, { appId, signOut }) {
          apps.push(`changed ${appId} ${signOut}`)
        },
        async closeApp(_tx, appId) {
          apps.push(`closed ${appId}`)
        },
      },
    },
  )
})
afterAll(() => t.end())

const rows = () =>
  t.store.system.read(
    async (tx) =>
      (
        await sql<{
          count: number
        }>`select ((select count(*) from services) + (select count(*) from instances)
      + (select count(*) from releases) + (select count(*) from volumes) + (select count(*) from secrets))::int as count`.execute(
          tx,
        )
      ).rows[0]?.count,
  )
const words = { word: 'x' }

describe('[NET-5.life] what cannot be', () => {
  it('no machine is there', async () => {
    const { status, body } = await t.ask('POST', '/api/services', { templateId: 'page', answers: words })
    expect([status, body.error?.code, body.error?.message]).toEqual([
      503,
      'placement.none',
      expect.stringContaining('no controller is connected'),
    ])
    await t.machine('attic')
  })
  it.each([
    ['an answer is missing', { templateId: 'page' }, ['422 answers.invalid', 'Word is needed']],
    [
      'an answer to nothing',
      { templateId: 'page', answers: { ...words, other: 1 } },
      ['422 answers.invalid', 'other is not asked for'],
    ],
    [
      'another platform',
      { templateId: 'page', answers: words, platform: 'docker' },
      ['placement.none', 'page does not run on docker'],
    ],
    [
      'a label nobody has',
      { templateId: 'page', answers: words, labels: { room: 'x' } },
      ['placement.none', 'attic is not labelled room=x'],
    ],
    [
      'too many',
      { templateId: 'page', answers: words, replicas: 2 },
      ['422 service.replicas', 'page runs at most 1'],
    ],
    [
      'a volume over the system',
      { templateId: 'cover' },
      ['admission.refused', 'its volume all would cover /usr'],
    ],
    [
      'a part that is not there',
      { templateId: 'lost' },
      ['422 template.invalid', 'web needs nothing, which is no part of it'],
    ],
    [
      'an unknown placeholder',
      { templateId: 'wrong' },
      ['422 template.invalid', '{{answer.none}} is not a placeholder'],
    ],
    ['too much memory', { templateId: 'large' }, ['placement.none', 'attic has too little free memory']],
    [
      'a service for nothing',
      { templateId: 'page', answers: words, dependencies: { x: '01920000-0000-7000-8000-000000000001' } },
      ['422 service.dependency', 'page does not ask for x'],
    ],
  ] as const)('%s', async (_name, body, expected) => {
    const before = await rows()
    const { status, body: answer } = await t.ask('POST', '/api/services', body)
    const said = `${status} ${answer.error?.code} ${String(answer.error?.details.problem ?? '')} ${answer.error?.message}`
    const [code = '', problem] = expected
    expect(said).toContain(code)
    expect(said).toContain(problem)
    expect(await rows()).toBe(before)
  })
  it('what is not ours to run is only looked at', async () => {
    const id = '01920000-0000-7000-8000-000000000009'
    await t.store.system.transaction((tx) =>
      sql`insert into services (id, organisation_id, name, title, kind, desired, metadata, created_at, changed_at)
        values (${id}, ${t.owner.organisationId}, 'nas', 'NAS', 'outside', 'running',
          '{"version": null, "tags": [], "capabilities": []}', now(), now())`.execute(tx),
    )
    expect(await t.read(id)).toMatchObject({ kind: 'outside', state: 'unhealthy', instances: [] })
    for (const [method, path, body] of [
      ['POST', '/start', {}],
      ['POST', '/stop', {}],
      ['POST', '/restart', {}],
      ['POST', '/update', {}],
      ['PATCH', '', { replicas: 2 }],
      ['GET', '/logs', undefined],
    ] as const)
      expect((await t.ask(method, `/api/services/${id}${path}`, body)).body.error?.code, path).toBe(
        'service.not-managed',
      )
    expect((await t.good('PATCH', `/api/services/${id}`, { title: 'Store' })).title).toBe('Store')
    expect((await t.ask('DELETE', `/api/services/${id}`)).status).toBe(200)
  })
  it('a member sees services and may do nothing to them', async () => {
    const { id } = await t.install('page', { answers: words })
    const { secret } = await t.server.person('member', t.owner.organisationId)
    const status = async (method: string, path: string, body?: object) =>
      (await t.ask(method, path, body, secret)).status
    expect(await status('GET', `/api/services/${id}`)).toBe(200)
    expect(await status('POST', `/api/services/${id}/stop`)).toBe(403)
    expect(await status('GET', `/api/services/${id}/logs`)).toBe(403)
    expect(await status('POST', '/api/services', { templateId: 'page' })).toBe(403)
    const stranger = await t.server.person('owner')
    expect((await t.ask('POST', `/api/services/${id}/stop`, {}, stranger.secret)).status).toBe(404)
  })
})

describe('[NET-5.secrets] signing in by us', () => {
  it('is made with the service, kept by releases, and goes with it', async () => {
    const { id, instances } = await t.install('chat')
    const out = 'http://chat.localhost:8080/out'
    expect(apps).toEqual([`chat http://chat.localhost:8080/back ${out}`])
    // Of a service that has this app, at the port of its door; of no other app.
    expect(await t.services.signOutDoor('a')).toEqual({ serviceId: id, port: 'web', address: out })
    expect(await t.services.signOutDoor('b')).toBeNull()
    const { spec } = await t.desired(instances[0]?.id ?? '')
    expect(spec.environment).toEqual({ CLIENT: 'app-1', SECRET: 's'.repeat(43) })
    await t.calm(id)
    await t.good('POST', `/api/services/${id}/update`)
    expect(apps.length).toBe(1)
    await t.calm(id)
    // A newer template that is no longer told.
    const parts = [{ ...web, environment: { CLIENT: '{{openid.client}}' } }]
    const quiet = { signIn: { openid: { callback: '/back' } }, doors: [{ port: 'web' }], parts }
    await t.put('chat', serviceTemplate('chat', quiet, '1.1.0'))
    t.clock.move(3_000)
    await t.good('POST', `/api/services/${id}/update`)
    expect(apps[1]).toBe('changed a null')
    await t.calm(id)
    expect(await t.services.signOutDoor('a')).toBeNull()
    await t.ask('DELETE', `/api/services/${id}`)
    expect(apps[2]).toBe('closed a')
  })
})
