/** The audit through the real pipeline: who may read what, filters, pages, files, the record of reaching things. */
import { randomBytes } from 'node:crypto'
import { RECORDED_UPGRADES } from '@kalnet/contracts/audit'
import type { AnyRoute } from '@kalnet/contracts/route'
import { ROUTES } from '@kalnet/contracts/routes'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSecrets } from '../core/secrets.ts'
import { sql } from '../core/store.ts'
import { entryOf, eventually, log } from '../testing/audit.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { type AuditKeeper, createAudit } from './audit.ts'

type Person = Awaited<ReturnType<TestServer['person']>>
interface Item {
  id: string
  action: string
  outcome: string
  userName: string | null
  object: string | null
  objectName: string | null
  organisationId: string | null
  seal: { position: string } | null
  address: string
  details: Record<string, unknown>
}
const asItems = (body: Record<string, unknown>) => body.items as Item[]

describe('[GOV-1.search] the audit over HTTP', () => {
  let server: TestServer
  let keeper: AuditKeeper
  let audit: ReturnType<typeof createAudit>
  let owner: Person
  let member: Person
  let stranger: Person

  beforeAll(async () => {
    server = await testServer({ listen: false })
    const { store, events } = server
    audit = createAudit({ store })
    const secrets = createSecrets({ masterKey: randomBytes(32), clock: systemClock })
    keeper = await audit.keep({ events, secrets, log, version: 'test', anchorFile: null })
    server.http.add(keeper.routes)
    await server.http.listen()
    owner = await server.person('owner')
    member = await server.person('member', owner.organisationId)
    stranger = await server.person('owner')
    const put = (more: Parameters<typeof entryOf>[0]) =>
      audit.record(
        null,
        entryOf({ organisationId: owner.organisationId, userId: owner.userId, ...more }),
        false,
      )
    for (let at = 0; at < 30; at++) await put({ details: { name: `Desk ${at}`, templateId: 'terminal' } })
    await put({ action: 'stream.opened', object: member.userId, details: {}, userId: member.userId })
    await put({ outcome: 'permission.denied', action: 'controller.revoked', userId: member.userId })
    await put({
      action: 'user.signed-in',
      outcome: 'sign-in.wrong',
      userId: null,
      actorKind: 'nobody',
      organisationId: null,
      address: '203.0.113.9',
    })
    await put({ organisationId: stranger.organisationId, userId: stranger.userId, action: 'secret.thing' })
    await put({
      action: 'note.made',
      details: { text: '=HYPERLINK("http://x")', other: 'a|b=c\\d\ne, "f"' },
      object: '@SUM(1)',
    })
    await eventually(async () => {
      const { items } = (await ask('/api/audit?limit=200')).body as { items: Item[] }
      return items.length >= 34 && items.every((it) => it.seal !== null)
    }, 'everything is sealed')
  })
  afterAll(async () => {
    await keeper.close()
    await server.end()
  })
  const ask = (path: string, as = owner.secret) => server.ask('GET', path, { as })
  const actions = async (query: string) =>
    asItems((await ask(`/api/audit?limit=200&${query}`)).body).map((it) => it.action)

  it('newest first, page by page, each row once', async () => {
    const seen: string[] = []
    let next: string | null = ''
    do {
      const { body }: { body: Record<string, unknown> } = await ask(
        `/api/audit?limit=7${next ? `&after=${next}` : ''}`,
      )
      seen.push(...asItems(body).map((it) => it.id))
      next = body.next as string | null
    } while (next)
    const whole = asItems((await ask('/api/audit?limit=200')).body)
    expect(seen).toEqual(whole.map((it) => it.id))
    expect(new Set(seen).size).toBe(seen.length)
    expect(whole[0]).toMatchObject({ action: 'note.made', userName: 'Ada' })
    expect((await ask('/api/audit?after=nonsense')).status).toBe(400)
    expect((await ask('/api/audit?after=99999999999999999999.1')).status).toBe(400)
  })

  it.each<[string, () => string, string[] | number]>([
    ['an actor', () => `actor=${member.userId}`, ['controller.revoked', 'stream.opened']],
    ['an action', () => 'action=stream.opened', ['stream.opened']],
    ['a group of actions', () => 'action=session.', 30],
    ['a sign that is a pattern elsewhere', () => 'action=%25.', 0],
    ['a thing', () => `object=${member.userId}`, ['stream.opened']],
    ['refusals', () => 'outcome=refused', ['user.signed-in', 'controller.revoked']],
    ['one refusal', () => 'outcome=sign-in.wrong', ['user.signed-in']],
    ['words, by their beginning', () => 'text=term%20desk', 30],
    ['a number in the details', () => 'text=17', 1],
    ['an address', () => 'text=203.0.113.9', ['user.signed-in']],
    ['signs that tsquery knows', () => `text=${encodeURIComponent("'a' & !b:* | (c) \\")}`, 0],
    ['a time that is over', () => 'to=2020-01-01T00:00:00.000Z', 0],
    ['a week', () => `from=${new Date(Date.now() - 7 * 86_400_000).toISOString()}`, 34],
    ['since then', () => 'from=2020-01-01T00:00:00.000Z&action=stream.opened', ['stream.opened']],
  ])('is filtered by %s', async (_name, query, expected) => {
    const found = await actions(query())
    if (typeof expected === 'number') expect(found.length).toBe(expected)
    else expect(found).toEqual(expected)
  })

  it('[IDN-3.tenancy] nobody reads another organisation’s; who was nobody is on record of the installation’s own', async () => {
    expect(await actions('action=secret.thing')).toEqual([])
    const theirs = asItems((await ask('/api/audit?limit=200', stranger.secret)).body)
    expect(theirs.map((it) => it.action)).toEqual(['secret.thing'])
    const { text } = await ask('/api/audit/export', stranger.secret)
    expect(text).not.toContain(owner.organisationId)
    expect(text).not.toContain('203.0.113.9')
  })

  it('[IDN-3.tenancy] raw SQL with another tenant’s setting sees no row, seal, head or setting of ours', async () => {
    for (const table of ['audit', 'audit_seals', 'audit_segments', 'audit_settings']) {
      const { rows } = await server.store.as(stranger.organisationId).read((tx) =>
        sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}
            where organisation_id is distinct from ${stranger.organisationId}::uuid`.execute(tx),
      )
      expect([table, rows[0]?.n]).toEqual([table, 0])
    }
    await expect(
      server.store.as(stranger.organisationId).read((tx) => sql`select * from audit_sealer`.execute(tx)),
    ).rejects.toThrow(/permission denied/)
  })

  it('a member reads what they did themselves, and nothing else', async () => {
    expect((await ask('/api/audit', member.secret)).body.error?.code).toBe('permission.denied')
    const mine = asItems((await ask('/api/activity', member.secret)).body).map((it) => it.action)
    expect(mine).toContain('stream.opened')
    expect(mine).not.toContain('session.launched')
    expect(
      (await server.ask('GET', `/api/activity?actor=${owner.userId}`, { as: member.secret })).status,
    ).toBe(400)
  })

  it('[GOV-1.export] JSON lines, whole and with their heads; the export itself is on record', async () => {
    const answer = await ask('/api/audit/export?format=json')
    expect(answer.headers['content-disposition']).toMatch(
      /attachment; filename="kalnet-audit-\d{4}-\d\d-\d\d\.jsonl"/,
    )
    const lines = answer.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; rows?: number })
    const rows = lines.filter((it) => it.type === 'row')
    expect(lines[0]).toMatchObject({ type: 'kalnet.audit', version: 1 })
    expect(lines.filter((it) => it.type === 'head').length).toBe(2)
    expect(lines.at(-1)).toEqual({ type: 'end', rows: rows.length })
    expect(rows.length).toBeGreaterThanOrEqual(34)
    expect(await actions('action=audit.exported')).toEqual(['audit.exported'])
  })

  it('[GOV-1.export] CSV: quoted by the rules, and no cell is a formula', async () => {
    const { text } = await ask('/api/audit/export?format=csv&action=note.made')
    const [head, row] = [text.slice(0, text.indexOf('\r\n')), text.slice(text.indexOf('\r\n') + 2)]
    expect(head.split(',')).toContain('hash')
    expect(row).toContain(`,"'@SUM(1)",`)
    expect(row).toContain('""=HYPERLINK(\\""http://x\\"")""')
    expect(row.endsWith('\r\n')).toBe(true)
  })

  it('[GOV-1.export] CEF: pipes, equals signs, backslashes and line breaks of people end nothing', async () => {
    const { text } = await ask('/api/audit/export?format=cef&action=note.made')
    expect(text.trimEnd().split('\n')).toHaveLength(1)
    expect(text).toMatch(
      /^CEF:0\|Kalnet\|Kalnet\|test\|note\.made\|note made\|3\|rt=\d+ act=note\.made outcome=done /,
    )
    expect(text).toContain('a|b\\=c')
    expect(text).toContain('src=10.0.0.5')
  })

  it('[GOV-1.verify] the chain says how far it is sealed, and is checked on demand', async () => {
    const state = (await ask('/api/audit/chain')).body
    expect(state).toMatchObject({ retentionDays: 400, last: null })
    const checked = (await server.ask('POST', '/api/audit/verify', { as: owner.secret })).body
    expect(checked).toMatchObject({ break: null })
    expect((await ask('/api/audit/chain')).body.last).toMatchObject({ break: null })
  })

  it('[GOV-1.retention] only an owner sets how long it is kept; at least 30 days', async () => {
    const set = (days: number, as: string) =>
      server.ask('PUT', '/api/audit/retention', { as, body: { days } })
    expect((await set(100, member.secret)).body.error?.code).toBe('permission.denied')
    expect((await set(29, owner.secret)).status).toBe(400)
    expect((await set(100, owner.secret)).status).toBe(200)
    expect((await ask('/api/audit/chain')).body.retentionDays).toBe(100)
    const [row] = asItems((await ask('/api/audit?action=audit.retention-changed&outcome=done')).body)
    expect(row?.details).toEqual({ days: 100, before: 400 })
  })

  it('[GOV-1.access] a wrong password is on record of the account’s organisation, an unknown account only as a hash', async () => {
    const signIn = (email: string) =>
      server.ask('POST', '/api/sign-in', { body: { email, password: 'wrong-canary-7731' } })
    await signIn(`${member.userId}@example.org`)
    await signIn('nobody-here@example.org')
    const [unknown, known] = asItems(
      (await ask('/api/audit?action=user.signed-in&outcome=sign-in.wrong')).body,
    )
    expect(known).toMatchObject({
      object: member.userId,
      objectName: 'Ada',
      organisationId: owner.organisationId,
    })
    expect(unknown).toMatchObject({ object: null, organisationId: null })
    expect(unknown?.details.account).toMatch(/^[0-9a-f]{16}$/)
    const { text } = await ask('/api/audit?limit=200')
    expect(text).not.toContain('nobody-here')
    expect(text).not.toContain('canary')
  })
})

describe('[GOV-1.access] every change and every reach to something of somebody’s has its words', () => {
  /** Changes nothing of anybody's, or is too often to tell: each with its reason. */
  const SILENT: Record<string, string> = {
    'POST /api/sessions/:id/first-frame':
      'a time that one’s own viewer measures; opening the screen is on record',
    'POST /api/sessions/:id/keep-awake':
      'only that somebody is at one’s own screen, as each key there says; opening it is on record',
    'POST /api/sessions/:id/viewings':
      'figures that one’s own viewer measures; opening the screen is on record',
    'POST /api/sessions/:id/thumbnail':
      'one’s own screen only, every ten seconds while Home is looked at, kept nowhere',
  }
  const all = Object.values(ROUTES).flatMap((group) => Object.values(group as Record<string, AnyRoute>))
  const name = (route: AnyRoute) => `${route.method} ${route.path}`
  const REACHES = /logs|\/files|recordings|secrets|tickets|export$/

  it.each(all.filter((route) => route.method !== 'GET').map((route) => [name(route), route] as const))(
    '%s',
    (key, route) => {
      if (key in SILENT) expect(route.audit).toBeNull()
      else if (route.audit === null)
        expect(`${route.summary} ${route.path}`, 'a POST that only asks').toMatch(ASKS)
      else expect(route.audit).toMatch(/^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$/)
    },
  )
  it('reading what is somebody’s is on record too', () => {
    const reaching = all.filter((route) => REACHES.test(route.path))
    expect(reaching.map(name)).toContain('GET /api/sessions/:id/logs')
    // The names of a service's passwords; seeing one is a call of its own, and on record.
    expect(reaching.filter((route) => route.audit === null).map(name)).toEqual([
      'GET /api/services/:id/secrets',
    ])
  })
  it('every door of WebSockets and streams is known to the audit', () => {
    expect(Object.keys(RECORDED_UPGRADES).sort()).toEqual(
      [
        '/api/controllers/link',
        '/api/gateway/tunnel',
        '/api/live',
        '/api/streams/connect',
        '/api/streams/dial',
      ].sort(),
    )
  })
  /** Questions that are asked by POST because the answer begins a proof, or the address would be a secret. */
  const ASKS = /^(What|Whether|Look|The options|Options|How|Who)|\/\.search$/
})
