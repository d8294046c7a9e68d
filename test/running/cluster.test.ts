/** A cluster over HTTP: its manifest, what its controller tells, and who is shown what of it. */
import type { ClusterReport } from '@kalnet/contracts/cluster'
import { LIVE_PATH } from '@kalnet/contracts/event'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { parseAllDocuments } from 'yaml'
import { eventually } from '../support/eventually.ts'
import { type Bare, bareMachine, CAPACITY, FINGERPRINT } from './bare.ts'
import { type Person, type Plane, startPlane } from './support.ts'

let plane: Plane
let ada: Person
const links: Bare[] = []
beforeAll(async () => {
  plane = await startPlane()
  ada = await plane.claim()
})
afterEach(async () => {
  for (const link of links.splice(0)) link.close()
  await plane.calm()
})
afterAll(() => plane.end())

const report = (change: Partial<ClusterReport> = {}): ClusterReport => ({
  version: 'v1.34.4',
  namespaces: ['kalnet-instances'],
  machines: null,
  machineCount: 0,
  waiting: [],
  waitingCount: 0,
  missing: [],
  registry: { address: null, state: 'none', detail: '' },
  storageClasses: null,
  ...change,
})
const clusterOf = (id: string, as = ada) =>
  plane.ask('GET', `/api/controllers/${id}/cluster`, { as: as.secret })
const told = async (id: string, as = ada) =>
  (await clusterOf(id, as)).body as {
    toldAt: string | null
    cluster: { version: string; waiting: object[] } | null
  }

describe('the manifest', () => {
  it('[K8S-2.enrol] comes with a token that works once, for stewards only; what cannot be is refused without one', async () => {
    const body = { name: 'cloud', cluster: { registry: 'https://r.example.com/kalnet' } }
    const made = await plane.ask('POST', '/api/controllers/tokens', { as: ada.secret, body })
    expect(made.status).toBe(200)
    const text = String(made.body.manifest)
    expect(text).toContain(String(made.body.token))
    const kinds = parseAllDocuments(text).map((it) => (it.toJS() as { kind: string }).kind)
    expect(kinds).toEqual(
      expect.arrayContaining(['Namespace', 'Secret', 'Role', 'Deployment', 'NetworkPolicy']),
    )
    expect(String(made.body.command)).toMatch(/--platforms kubernetes/)
    const wrong = await plane.ask('POST', '/api/controllers/tokens', {
      as: ada.secret,
      body: { name: 'cloud', cluster: { namespace: 'a', instances: 'a' } },
    })
    expect([wrong.status, wrong.body.error?.code]).toEqual([400, 'request.invalid'])
    const child = await plane.person('child', ada.organisationId)
    expect((await plane.ask('POST', '/api/controllers/tokens', { as: child.secret, body })).status).toBe(403)
  })
})

describe('what a controller tells of its cluster', () => {
  it('[K8S-1.machines] is kept and shown, is news only when it is some, and follows heartbeats; one that tells nothing is tolerated', async () => {
    const { link, controllerId } = await bareMachine(plane, links, 'cloud', ada)
    expect(await told(controllerId)).toEqual({ toldAt: null, cluster: null })
    const news: string[] = []
    const socket = new WebSocket(`${plane.url.replace('http', 'ws')}${LIVE_PATH}`, {
      origin: plane.url,
      headers: { cookie: `kalnet=${ada.secret}` },
    })
    socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', after: null })))
    let isReady = false
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { type: string; event?: string; data?: { id?: string } }
      if (message.type === 'ready') isReady = true
      if (message.event === 'cluster.changed') news.push(message.data?.id ?? '')
    })
    await eventually('it is followed', async () => isReady)
    const beat = (cluster?: ClusterReport) =>
      link.say({ type: 'heartbeat', capacity: CAPACITY, ...(cluster && { cluster }) })
    beat(report())
    await eventually('it is told', async () => (await told(controllerId)).cluster?.version === 'v1.34.4')
    beat(report())
    beat()
    beat(report({ version: 'v1.35.0' }))
    await eventually('it is newer', async () => (await told(controllerId)).cluster?.version === 'v1.35.0')
    await eventually('both are news', async () => news.length === 2)
    expect(news).toEqual([controllerId, controllerId])
    socket.terminate()
    // Whoever comes back tells it with all it has.
    link.say({
      type: 'inventory',
      fingerprints: [FINGERPRINT],
      capacity: CAPACITY,
      instances: [],
      cluster: report({ version: 'v1.36.0' }),
    })
    await eventually('it is whole', async () => (await told(controllerId)).cluster?.version === 'v1.36.0')
    expect(plane.errors).toEqual([])
  })

  it('[K8S-1.machines] is nobody’s of another household, and no child’s', async () => {
    const { controllerId } = await bareMachine(plane, links, 'cloud', ada)
    const stranger = await plane.person('owner')
    const child = await plane.person('child', ada.organisationId)
    expect([
      (await clusterOf(controllerId, stranger)).status,
      (await clusterOf(controllerId, child)).status,
    ]).toEqual([404, 403])
  })

  it('[CTL-5.waiting] names what waits where it is one’s own, and nothing of others', async () => {
    const machine = await plane.machine(undefined, 'shared')
    const mine = await plane.run(ada, { name: 'Video editing' })
    await machine.stop()
    const { link, controllerId } = await bareMachine(plane, links, 'cloud')
    const since = '2026-01-02T03:04:05.000Z'
    const waiting = [{ instanceId: mine.instanceId, text: 'No machine has enough memory', since }]
    link.say({ type: 'heartbeat', capacity: CAPACITY, cluster: report({ waiting, waitingCount: 1 }) })
    await eventually('it is told', async () => (await told(controllerId)).cluster !== null)
    expect((await told(controllerId)).cluster?.waiting).toEqual([
      { ...waiting[0], of: { kind: 'session', id: mine.id, name: 'Video editing' } },
    ])
    const stranger = await plane.person('owner')
    expect((await told(controllerId, stranger)).cluster?.waiting).toEqual([{ ...waiting[0], of: null }])
  })
})
