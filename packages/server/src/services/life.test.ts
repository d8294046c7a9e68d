/** The life of services, by what machines report and the clock brings, through the real pipeline. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { probe, serviceTemplate, type TestServices, testServices, webPort } from '../testing/service-life.ts'
import { AWAY_MS, HELD_MS, RETIRE_MS, UNHEALTHY_MS } from './plan.ts'

const web = { name: 'web', image: { reference: 'none' }, command: ['program'], ports: [webPort] }
const db = { ...web, name: 'db', ports: [{ name: 'sql', kind: 'tcp', at: { tcp: 5432 } }] }
const data = { volumes: [{ name: 'data', at: '/home/user/data' }] }

let t: TestServices
let attic: string
let cellar: string
beforeAll(async () => {
  t = await testServices({
    page: serviceTemplate('page', { replicas: { most: 3 } }),
    packed: serviceTemplate('packed', { replicas: { most: 4 }, placing: 'pack' }),
    probed: serviceTemplate('probed', { parts: [{ ...web, probe }] }),
    keeper: serviceTemplate('keeper', { parts: [{ ...web, ...data }] }),
    pair: serviceTemplate('pair', {
      parts: [
        { ...web, needs: ['db'], links: [{ name: 'db', part: 'db', port: 'sql' }] },
        { ...db, ...data },
      ],
    }),
    user: serviceTemplate('user', {
      dependencies: [{ name: 'store', label: 'A place to keep things' }],
      parts: [{ ...web, links: [{ name: 'store', dependency: 'store', port: 'web' }] }],
    }),
    round: serviceTemplate('round', {
      parts: [
        { ...web, needs: ['db'] },
        { ...db, needs: ['web'] },
      ],
    }),
  })
  attic = await t.machine('attic')
  cellar = await t.machine('cellar')
})
afterAll(() => t.end())
const code = async (method: string, path: string, body?: object) => {
  const { status, body: answer } = await t.ask(method, path, body)
  return `${status} ${answer.error?.code ?? ''}`
}
const only = <T>(list: readonly T[]): T => {
  if (list.length !== 1) throw new Error(`${list.length} instead of one`)
  return list[0] as T
}

describe('[NET-5.life] what people see', () => {
  it('every wish and every report changes what is told', async () => {
    const { id, state, instances } = await t.install('page')
    const first = only(instances)
    expect([state, first.state, first.generation]).toEqual(['starting', 'waiting', 1])
    expect(t.pushed).toContain(first.id)
    await t.says(first.id, 'creating', { progress: { step: 'create', text: 'Starting', share: null } })
    expect(only((await t.read(id)).instances).progress?.text).toBe('Starting')
    await t.says(first.id, 'running')
    expect((await t.read(id)).state).toBe('running')
    expect((await t.good('POST', `/api/services/${id}/stop`)).state).toBe('stopping')
    await t.says(first.id, 'stopped')
    expect((await t.read(id)).state).toBe('stopped')
    expect((await t.good('POST', `/api/services/${id}/start`)).state).toBe('starting')
    expect((await t.calm(id)).state).toBe('running')
    const again = await t.good('POST', `/api/services/${id}/restart`)
    expect([again.state, only(again.instances).generation]).toEqual(['starting', 3])
    expect((await t.calm(id)).state).toBe('running')
    const changed = await t.good('PATCH', `/api/services/${id}`, {
      title: 'Our page',
      metadata: { tags: ['home'] },
    })
    expect([changed.title, changed.metadata.tags]).toEqual(['Our page', ['home']])
    for (const [query, found] of [
      ['search=our', 1],
      ['search=nothing', 0],
      ['tag=home', 1],
      ['tag=work', 0],
    ] as const) {
      const list = (await t.ask('GET', `/api/services?${query}`)).body as unknown as {
        items: { id: string }[]
      }
      expect(list.items.filter((it) => it.id === id).length, query).toBe(found)
    }
    expect((await t.ask('GET', `/api/services/${id}/logs`)).body).toEqual({
      lines: [`printed by ${first.id}`],
    })
    await t.ask('DELETE', `/api/services/${id}`)
    expect(t.forgotten).toContain(first.id)
    expect(await code('GET', `/api/services/${id}`)).toBe('404 thing.unknown')
  })
})

describe('[NET-5.names] names', () => {
  it('are host names of their own', async () => {
    const names = []
    for (let count = 0; count < 3; count++) names.push((await t.install('page')).name)
    expect(names).toEqual(['page', 'page-2', 'page-3'])
    const both = await Promise.all([t.install('probed'), t.install('probed')])
    expect(both.map((it) => it.name).sort()).toEqual(['probed', 'probed-2'])
    for (const name of ['page', 'kalnet', 'www'])
      expect(await code('POST', '/api/services', { templateId: 'page', name }), name).toBe(
        '409 service.name-taken',
      )
    expect(await code('POST', '/api/services', { templateId: 'page', name: 'ends-' })).toBe(
      '400 request.invalid',
    )
    expect(await code('POST', '/api/services', { templateId: 'nothing' })).toBe('404 template.unknown')
  })
})

describe('[NET-5.restart] what ends is started again', () => {
  it('later each time, and how often is shown', async () => {
    const { id, instances } = await t.install('page', { name: 'falls' })
    const it = only(instances)
    let pause = 0
    for (let times = 1; times <= 3; times++) {
      await t.says(it.id, 'running')
      await t.says(it.id, 'failed', { reason: 'It crashed' })
      const ended = only((await t.read(id)).instances)
      expect([ended.state, ended.restarts]).toEqual(['failed', times - 1])
      const wait = Date.parse(ended.nextStartAt ?? '') - t.clock.now().getTime()
      expect(wait).toBeGreaterThan(pause)
      expect(wait).toBeLessThanOrEqual(1000 * 2 ** (times - 1))
      pause = wait
      t.clock.move(wait - 1)
      await t.services.tick()
      expect(only((await t.read(id)).instances).generation).toBe(times)
      t.clock.move(1)
      await t.services.tick()
      const begun = only((await t.read(id)).instances)
      expect([begun.generation, begun.restarts, begun.nextStartAt]).toEqual([times + 1, times, null])
    }
    await t.says(it.id, 'failed', { reason: 'It crashed' })
    const failed = await t.read(id)
    expect([failed.state, failed.reason]).toEqual(['failed', 'It crashed.'])
    // It ran well for a while: what was before is forgotten.
    t.clock.move(60_000)
    await t.services.tick()
    await t.says(it.id, 'running')
    t.clock.move(601_000)
    await t.says(it.id, 'stopped')
    expect(only((await t.read(id)).instances).restarts).toBe(0)
    await t.ask('DELETE', `/api/services/${id}`)
  })
  it('and so is what stays unhealthy', async () => {
    const { id, instances } = await t.install('probed', { name: 'sick' })
    const it = only(instances)
    await t.healthy(it.id)
    expect((await t.read(id)).state).toBe('running')
    await t.unhealthy(it.id)
    expect([(await t.read(id)).state, (await t.read(id)).reason]).toEqual(['unhealthy', 'It answered 500.'])
    t.clock.move(UNHEALTHY_MS)
    await t.services.tick()
    t.clock.move(1_000)
    await t.services.tick()
    expect(only((await t.read(id)).instances)).toMatchObject({ generation: 2, restarts: 1, state: 'waiting' })
    const history = (await t.ask('GET', `/api/services/${id}/health`)).body as unknown as {
      items: { state: string }[]
    }
    expect(history.items.map((one) => one.state)).toEqual(['unhealthy', 'healthy'])
    await t.ask('DELETE', `/api/services/${id}`)
  })
})

describe('[NET-5.needs] who needs whom', () => {
  it('parts start in order', async () => {
    const { id, instances } = await t.install('pair')
    const first = only(instances)
    expect(first.part).toBe('db')
    await t.says(first.id, 'running')
    expect((await t.read(id)).instances.map((it) => it.part)).toEqual(['db', 'web'])
    expect((await t.calm(id)).state).toBe('running')
    await t.good('POST', `/api/services/${id}/stop`)
    await t.calm(id)
    await t.good('POST', `/api/services/${id}/start`)
    expect((await t.read(id)).instances.map((it) => [it.part, it.state])).toEqual([
      ['db', 'waiting'],
      ['web', 'stopped'],
    ])
    expect((await t.calm(id)).state).toBe('running')
    await t.ask('DELETE', `/api/services/${id}?data=remove`)
  })
  it('circles are named, and what is used stays', async () => {
    const round = await t.ask('POST', '/api/services', { templateId: 'round' })
    expect(round.body.error?.message).toContain('web → db → web')
    const store = await t.install('page', { name: 'store' })
    expect(await code('POST', '/api/services', { templateId: 'user' })).toBe('422 service.dependency')
    const user = await t.install('user', { dependencies: { store: store.id } })
    expect(user.dependencies).toEqual(['store'])
    const refused = await t.ask('DELETE', `/api/services/${store.id}`)
    expect([refused.status, refused.body.error?.message]).toEqual([409, 'store is used by user.'])
    await t.ask('DELETE', `/api/services/${user.id}`)
    expect((await t.ask('DELETE', `/api/services/${store.id}`)).status).toBe(200)
  })
})

describe('[NET-5.links] where links lead', () => {
  it('to healthy ones of a dependency, the near one first', async () => {
    const store = await t.install('page', { name: 'store', replicas: 2 })
    const user = await t.install('user', { dependencies: { store: store.id } })
    const caller = only(user.instances)
    const links = async () =>
      (await t.services.links.linksFor(caller.controllerId)).find((it) => it.instanceId === caller.id)?.links
    expect(await links()).toEqual([{ name: 'store', targets: [] }])
    const address = { host: '10.9.0.2', port: 8080 }
    for (const it of store.instances) await t.says(it.id, 'running', { addresses: { web: address } })
    const targets = (await links())?.[0]?.targets ?? []
    expect(targets.map((it) => [it.port, it.address])).toEqual([
      ['web', address],
      ['web', address],
    ])
    expect(targets[0]?.controllerId).toBe(caller.controllerId)
    await t.says(targets[0]?.instanceId ?? '', 'failed')
    expect((await links())?.[0]?.targets.map((it) => it.instanceId)).toEqual([targets[1]?.instanceId])
    expect((await t.desired(caller.id)).spec.links).toEqual([{ name: 'store', port: 8080 }])
    for (const { id } of [user, store]) await t.ask('DELETE', `/api/services/${id}`)
  })
})

describe('[NET-5.replicas] several instances', () => {
  it('are spread, more and fewer as asked for, and no more than allowed', async () => {
    const { id } = await t.install('page', { name: 'many', replicas: 2 })
    const two = await t.calm(id)
    expect(new Set(two.instances.map((it) => it.controllerId))).toEqual(new Set([attic, cellar]))
    expect(await code('PATCH', `/api/services/${id}`, { replicas: 4 })).toBe('422 service.replicas')
    await t.good('PATCH', `/api/services/${id}`, { replicas: 3 })
    expect((await t.calm(id)).instances.map((it) => it.number)).toEqual([0, 1, 2])
    await t.good('PATCH', `/api/services/${id}`, { replicas: 1 })
    expect((await t.calm(id)).instances.map((it) => it.number)).toEqual([0])
    await t.ask('DELETE', `/api/services/${id}`)
  })
  it('[CTL-5.replicas] [CTL-5.why] are apart though everything else is packed, and why is told to who may see machines', async () => {
    const { id } = await t.install('packed', { replicas: 4 })
    const four = (await t.calm(id)).instances
    expect(four.map((it) => it.controllerId).sort()).toEqual([attic, attic, cellar, cellar].sort())
    const [first, second] = four
    expect(first?.placed).toMatchObject({
      placing: 'pack',
      considered: [{ problem: null }, { problem: null }],
    })
    expect(second?.placed?.considered.map((it) => it.problem)).toEqual([
      null,
      `${first?.controllerName} runs a replica of it`,
    ])
    const { secret } = await t.server.person('member', t.owner.organisationId)
    const { body } = await t.ask('GET', `/api/services/${id}`, undefined, secret)
    expect(JSON.stringify(body)).not.toContain('considered')
    await t.ask('DELETE', `/api/services/${id}`)
  })
})

describe('[NET-5.away] a machine is away', () => {
  it('what keeps no data goes elsewhere after a while; what keeps some waits', async () => {
    const free = await t.install('page', { name: 'free' })
    const kept = await t.install('keeper')
    await t.calm(free.id)
    await t.calm(kept.id)
    const before = only(free.instances)
    for (const id of new Set([before.controllerId, only(kept.instances).controllerId])) {
      // Both of them may be on one machine: the other one stays.
      if (id === before.controllerId || id === only(kept.instances).controllerId) await t.reachable(id, false)
    }
    const spare = await t.machine('spare')
    await t.services.tick()
    expect([(await t.read(free.id)).state, (await t.read(kept.id)).state]).toEqual(['unhealthy', 'unhealthy'])
    t.clock.move(AWAY_MS)
    await t.services.tick()
    const moved = only((await t.read(free.id)).instances)
    expect(moved.controllerId).not.toBe(before.controllerId)
    expect(only((await t.read(kept.id)).instances).id).toBe(only(kept.instances).id)
    for (const id of [attic, cellar]) await t.reachable(id, true)
    expect((await t.calm(kept.id)).state).toBe('running')
    for (const { id } of [free, kept]) await t.ask('DELETE', `/api/services/${id}?data=remove`)
    await t.reachable(spare, false)
  })
})

describe('[NET-5.update] a new release', () => {
  const releasesOf = async (id: string) =>
    (
      (await t.ask('GET', `/api/services/${id}/releases`)).body as unknown as {
        items: { number: number; state: string }[]
      }
    ).items.map((it) => `${it.number} ${it.state}`)
  it('[NET-5.finishing] starts beside the old one and takes over when it is healthy', async () => {
    const { id } = await t.install('probed', { name: 'rolls' })
    const old = only((await t.calm(id)).instances)
    const updating = await t.good('POST', `/api/services/${id}/update`)
    expect([updating.state, updating.release, updating.instances.length]).toEqual(['updating', 1, 2])
    expect(await code('POST', `/api/services/${id}/update`)).toBe('409 service.state')
    const fresh = updating.instances.find((it) => it.release === 2)
    await t.says(fresh?.id ?? '', 'running')
    expect((await t.read(id)).release).toBe(1)
    await t.healthy(fresh?.id ?? '')
    const live = await t.read(id)
    expect([live.release, live.state, live.instances.length]).toEqual([2, 'running', 2])
    // Something is open there: it lives on, for a while, or until somebody ends it.
    t.clock.move(RETIRE_MS)
    await t.services.busy([old.id], null)
    await t.services.tick()
    expect((await t.desired(old.id)).state).toBe('running')
    expect((await t.read(id)).instances.map((it) => `${it.release} ${it.state}`).toSorted()).toEqual([
      '1 finishing',
      '2 running',
    ])
    await t.good('POST', `/api/services/${id}/finish`)
    expect((await t.desired(old.id)).state).toBe('stopped')
    expect((await t.calm(id)).instances.map((it) => it.id)).toEqual([fresh?.id])
    expect(await releasesOf(id)).toEqual(['2 live', '1 replaced'])
    // Unhealthy: the old one never went away.
    const bad = (await t.good('POST', `/api/services/${id}/update`)).instances.find((it) => it.release === 3)
    await t.unhealthy(bad?.id ?? '')
    const stayed = await t.calm(id)
    expect([stayed.release, stayed.state, stayed.instances.map((it) => it.id)]).toEqual([
      2,
      'running',
      [fresh?.id],
    ])
    expect(stayed.reason).toContain('Release 3 did not work')
    // And back to the first.
    await t.good('POST', `/api/services/${id}/update`, { release: 1 })
    await t.calm(id)
    t.clock.move(RETIRE_MS)
    const back = await t.calm(id)
    expect([back.release, back.instances.length, back.reason]).toEqual([4, 1, null])
    for (const number of [5, 6]) {
      await t.good('POST', `/api/services/${id}/update`)
      await t.calm(id)
      t.clock.move(RETIRE_MS)
      expect((await t.calm(id)).release).toBe(number)
    }
    expect(await code('POST', `/api/services/${id}/update`, { release: 1 })).toBe('404 thing.unknown')
    expect(await releasesOf(id)).toEqual([
      '6 live',
      '5 replaced',
      '4 replaced',
      '3 failed',
      '2 replaced',
      '1 replaced',
    ])
    await t.ask('DELETE', `/api/services/${id}`)
  })
  it('[NET-5.data] [TPL-1.volumes] with data: one after the other on the same machine, and back by itself', async () => {
    const { id } = await t.install('keeper')
    const old = only((await t.calm(id)).instances)
    const volume = (await t.desired(old.id)).spec.volumes[0]?.id
    const updating = await t.good('POST', `/api/services/${id}/update`)
    expect(updating.instances.map((it) => [it.release, it.state])).toEqual([[1, 'stopping']])
    await t.says(old.id, 'stopped')
    const fresh = (await t.read(id)).instances.find((it) => it.release === 2)
    expect(fresh?.controllerId).toBe(old.controllerId)
    expect((await t.desired(fresh?.id ?? '')).spec.volumes[0]?.id).toBe(volume)
    await t.says(fresh?.id ?? '', 'failed', { reason: 'It crashed', logTail: ['no such table'] })
    const back = await t.calm(id)
    expect([back.release, back.state, back.instances.map((it) => it.id)]).toEqual([1, 'running', [old.id]])
    expect(back.reason).toContain('web did not start: It crashed (no such table)')
    await t.good('POST', `/api/services/${id}/update`)
    const done = await t.calm(id)
    expect([done.release, done.state, done.instances.length]).toEqual([3, 'running', 1])
    const now = async (it: { id: string }) =>
      (await t.desired(only((await t.read(it.id)).instances).id)).spec.volumes[0]?.id
    // Kept, it comes back to a service of the same name; removed, it does not.
    await t.ask('DELETE', `/api/services/${id}`)
    const again = await t.install('keeper')
    expect(await now(again)).toBe(volume)
    await t.ask('DELETE', `/api/services/${again.id}?data=remove`)
    expect(t.forgotten).toContain(`volume ${volume}`)
    expect(await t.services.volumesLeaving(old.controllerId)).toContain(volume)
    const other = await t.install('keeper')
    expect(await now(other)).not.toBe(volume)
    await t.services.volumeGone(old.controllerId, volume ?? '')
    expect(await t.services.volumesLeaving(old.controllerId)).not.toContain(volume)
    await t.ask('DELETE', `/api/services/${other.id}?data=remove`)
  })
  it('tried by a share of the visitors first, it takes over when that is done', async () => {
    const { id } = await t.install('page', { name: 'tried' })
    await t.calm(id)
    const share = (canary: object[]) =>
      t.store.system.transaction((tx) =>
        sql`insert into gateway_routes (id, organisation_id, service_id, port, kind, host, exposure, access, policy, created_at, changed_at)
          values (${id}, ${t.owner.organisationId}, ${id}, 'web', 'http', 'tried', 'internal', 'people',
            ${JSON.stringify({ canary })}::jsonb, now(), now())
          on conflict (id) do update set policy = excluded.policy`.execute(tx),
      )
    await share([{ release: 2, percent: 10 }])
    await t.good('POST', `/api/services/${id}/update`)
    const both = await t.calm(id)
    expect([both.state, both.release, both.instances.map((it) => it.state)]).toEqual([
      'updating',
      1,
      ['running', 'running'],
    ])
    await share([])
    t.clock.move(HELD_MS)
    await t.services.tick()
    expect((await t.read(id)).release).toBe(2)
    await t.ask('DELETE', `/api/services/${id}`)
  })
  it('[MSH-1.deployments] all releases, newest first', async () => {
    const { id } = await t.install('page', { name: 'listed' })
    await t.calm(id)
    const { items } = (await t.ask('GET', '/api/deployments?limit=1')).body as unknown as {
      items: { serviceName: string; byName: string; state: string }[]
    }
    expect(items[0]).toMatchObject({ serviceName: 'listed', byName: 'Ada', state: 'live' })
    await t.ask('DELETE', `/api/services/${id}`)
  })
})
