/** Passwords of services: those that people chose are sealed and come back to nobody; those that were made are shown to who may see them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { serviceTemplate, type TestServices, testServices, webPort } from '../testing/service-life.ts'

const CHOSEN = 'he said "{{secret.key}}" \\ twice'
const folder = serviceTemplate('folder', {
  inputs: [
    { name: 'password', label: 'Password', type: 'secret', required: true, environment: 'PASSWORD' },
    { name: 'extra', label: 'Extra', type: 'secret', pattern: '[a-z]{6,}', environment: 'EXTRA' },
    { name: 'title', label: 'Title', type: 'text', environment: 'TITLE' },
  ],
  secrets: [{ name: 'admin', label: 'Password of the admin' }, { name: 'key' }],
  parts: [
    {
      name: 'web',
      image: { reference: 'none' },
      command: ['program', '{{answer.password}}'],
      environment: { KEY: '{{secret.key}}', ADMIN: '{{secret.admin}}' },
      files: [{ name: 'settings.json', content: '{"password": {{answer.password}}}' }],
      ports: [webPort],
    },
  ],
})

let t: TestServices
beforeAll(async () => {
  t = await testServices({ folder })
  await t.machine('attic')
})
afterAll(() => t.end())

const specOf = async (id: string) => {
  const it = await t.calm(id)
  const newest = it.instances.find(({ release }) => release === it.release)
  return (await t.desired(newest?.id ?? '')).spec
}
/** Every row there is, as text. */
const everything = () =>
  t.store.system.read(async (tx) => {
    const { rows: tables } = await sql<{ name: string }>`
      select table_name as name from information_schema.tables where table_schema = 'public'`.execute(tx)
    let text = ''
    for (const { name } of tables)
      text +=
        (
          await sql<{
            it: string | null
          }>`select string_agg(t::text, ' ') as it from ${sql.table(name)} t`.execute(tx)
        ).rows[0]?.it ?? ''
    return text
  })

describe('[NET-5.chosen] a password that somebody chose', () => {
  it('is what its program gets, as it was typed, and stands in no row and no answer', async () => {
    const installed = await t.ask('POST', '/api/services', {
      templateId: 'folder',
      answers: { password: CHOSEN },
    })
    expect([installed.status, installed.text]).toEqual([200, expect.any(String)])
    const id = String(installed.body.id)
    const spec = await specOf(id)
    expect([spec.environment.PASSWORD, spec.command[1]]).toEqual([CHOSEN, CHOSEN])
    expect(JSON.parse(spec.files[0]?.content ?? '')).toEqual({ password: CHOSEN })
    expect(spec.environment.EXTRA).toBeUndefined()
    const said = [installed, await t.ask('GET', `/api/services/${id}/releases`)].map((it) => it.text).join()
    for (const place of [said, await everything()]) {
      expect(place).not.toContain('he said')
      expect(place).not.toContain('twice')
    }

    // Not given again, it stays; given anew, it is the new one; nothing takes an optional one away.
    const update = async (answers: object) => {
      await t.good('POST', `/api/services/${id}/update`, { answers })
      return (await specOf(id)).environment
    }
    expect(await update({ title: 'Ours', extra: 'lantern' })).toMatchObject({
      PASSWORD: CHOSEN,
      EXTRA: 'lantern',
      TITLE: 'Ours',
    })
    await t.good('POST', `/api/services/${id}/update`, {})
    expect((await specOf(id)).environment).toMatchObject({ PASSWORD: CHOSEN, EXTRA: 'lantern' })
    const changed = await update({ password: 'another', extra: '' })
    expect([changed.PASSWORD, changed.EXTRA]).toEqual(['another', undefined])
  })
  it.each([
    ['left out', {}, 'Password is needed'],
    ['claimed to be kept', { password: true }, 'Password is not text'],
    ['no text', { password: 3 }, 'Password is not text'],
    ['of other letters', { password: 'x', extra: 'A' }, 'Extra has letters that do not fit'],
    ['with a line end', { password: 'a\nb' }, 'Password contains control characters'],
  ])('%s is refused', async (_what, answers, problem) => {
    const { status, body } = await t.ask('POST', '/api/services', { templateId: 'folder', answers })
    expect([status, body.error?.code, body.error?.details.problem]).toEqual([422, 'answers.invalid', problem])
  })
})

describe('[NET-5.shown] a password that was made', () => {
  it('is shown to who manages services and has just proved who that is, if it is for people; and put on record', async () => {
    const { id } = await t.install('folder', { answers: { password: CHOSEN } })
    const made = (await specOf(id)).environment.ADMIN
    const path = `/api/services/${id}/secrets`
    expect((await t.ask('GET', path)).body).toEqual({
      items: [{ name: 'admin', label: 'Password of the admin' }],
    })
    expect((await t.ask('POST', `${path}/admin`)).body).toEqual({ secret: made })
    // Between programs, chosen by somebody, of the sign-in, of nothing.
    for (const name of ['key', 'password', 'answer-password', 'openid', 'none'])
      expect((await t.ask('POST', `${path}/${name}`)).status, name).toBe(404)
    const member = await t.server.person('member', t.owner.organisationId)
    const stranger = await t.server.person('owner')
    expect((await t.ask('POST', `${path}/admin`, {}, member.secret)).status).toBe(403)
    expect((await t.ask('GET', path, undefined, member.secret)).status).toBe(403)
    expect((await t.ask('POST', `${path}/admin`, {}, stranger.secret)).status).toBe(404)
    const old = await t.server.person('admin', t.owner.organisationId)
    await t.store.system.transaction((tx) =>
      sql`update sign_ins set proved_at = now() - interval '1 day' where id = ${old.signInId}`.execute(tx),
    )
    expect((await t.ask('POST', `${path}/admin`, {}, old.secret)).body.error?.code).toBe('step-up.required')
    const key = { ...t.owner, kind: 'service-key', role: 'owner', scopes: ['service.manage'] } as const
    await expect(t.services.showSecret(key, id, 'admin')).rejects.toThrow(/may not/)
    const { rows } = await t.store.system.read((tx) =>
      sql<{ details: object; outcome: string }>`
        select details, outcome from audit where action = 'service.secret-shown' and outcome = 'done'`.execute(
        tx,
      ),
    )
    expect(rows).toEqual([{ details: { name: 'admin' }, outcome: 'done' }])
  })
})
