/** A screen that is open, through server, controller and back: cut within seconds when its person may look no more. */
import { SCOPES } from '@kalnet/contracts/permission'
import { SCIM_PATH, SCIM_TYPE } from '@kalnet/contracts/scim'
import type { Session } from '@kalnet/contracts/session'
import { STREAM_CLOSE, STREAM_PATH, STREAM_PROTOCOL, TICKET_PREFIX } from '@kalnet/contracts/stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Machine, type Person, type Plane, startPlane, WAIT } from './support.ts'

/** What is taken away is away within this time. */
const WITHIN = { timeout: 5_000, interval: 15 }

let plane: Plane
let machine: Machine
let ada: Person
let directory = ''
const sockets: WebSocket[] = []
beforeAll(async () => {
  plane = await startPlane()
  ada = await plane.claim()
  machine = await plane.machine()
  const as = ada.secret
  const account = await plane.ask('POST', '/api/service-accounts', {
    as,
    body: { name: 'Directory', role: 'admin' },
  })
  const key = await plane.ask('POST', `/api/service-accounts/${account.body.id}/keys`, {
    as,
    body: { name: 'SCIM', scopes: SCOPES.filter((it) => it === 'scim.use'), expiresInDays: 30 },
  })
  directory = String(key.body.token)
})
afterAll(async () => {
  for (const socket of sockets) socket.terminate()
  await plane.end()
})

/** The echo of the fake display has come: bytes pass the whole way and back. */
async function look(person: Person, id: string) {
  const { body } = await plane.ask('POST', `/api/sessions/${id}/tickets`, { as: person.secret, body: {} })
  const socket = new WebSocket(
    `${plane.url.replace('http', 'ws')}${STREAM_PATH}`,
    [STREAM_PROTOCOL, `${TICKET_PREFIX}${String(body.ticket)}`],
    { origin: plane.url, headers: { cookie: `kalnet=${person.secret}` } },
  )
  sockets.push(socket)
  const line = { heard: '', closed: null as number | null }
  socket.on('error', () => undefined)
  socket.on('message', (piece) => {
    line.heard += String(piece)
  })
  socket.on('close', (code) => {
    line.closed = code
  })
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(Buffer.from('are you there?'))
  await expect.poll(() => line.heard, WAIT).toContain('are you there?')
  return line
}
const scim = (method: string, id: string, body?: object) =>
  plane.ask(method, `${SCIM_PATH}/Users/${id}`, {
    headers: { authorization: `Bearer ${directory}`, ...(body && { 'content-type': SCIM_TYPE }) },
    ...(body && { raw: JSON.stringify(body) }),
  })
const switchedOff = {
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [{ op: 'replace', path: 'active', value: false }],
}
const own =
  (what: string, body: object = {}) =>
  (id: string) =>
    plane.ask('POST', `/api/people/${id}/${what}`, { as: ada.secret, body })
const remove = (id: string) => plane.ask('DELETE', `/api/people/${id}`, { as: ada.secret })
const lives = ({ instanceId }: Session) =>
  [...machine.world.runtimes.values()].some((it) => it.instanceId === instanceId && !it.ended)

describe('[SEC-2.within-seconds] an open screen', () => {
  it.each<[string, 'stays' | 'stops' | 'goes', (id: string) => Promise<{ status: number }>]>([
    ['signed out by a steward', 'stays', own('sign-out')],
    ['given another role', 'stays', own('role', { role: 'child' })],
    ['switched off', 'stays', own('off')],
    ['removed', 'goes', remove],
    ['switched off by another directory', 'stops', (id) => scim('PATCH', id, switchedOff)],
    ['taken away by another directory', 'stops', (id) => scim('DELETE', id)],
  ])('of somebody who is %s is cut; what runs %s', async (_, becomes, act) => {
    const grace = await plane.person('member', ada.organisationId)
    const session = await plane.run(grace)
    const mine = await plane.run(ada)
    const [hers, other] = [await look(grace, session.id), await look(ada, mine.id)]
    expect((await act(grace.userId)).status).toBeLessThan(300)
    await expect.poll(() => hers.closed, WITHIN).not.toBeNull()
    // Whichever comes first: the sign-in's end or the session's.
    expect([STREAM_CLOSE.revoked, STREAM_CLOSE.ended]).toContain(hers.closed)
    expect(other.closed).toBeNull()
    if (becomes === 'stays') expect(await plane.read(ada, session.id)).toMatchObject({ state: 'running' })
    if (becomes === 'stops') {
      const stopped = await plane.until(ada, session.id, { state: 'stopped' })
      expect(stopped.reason).toMatch(/directory/)
    }
    if (becomes === 'goes')
      expect((await plane.ask('GET', `/api/sessions/${session.id}`, { as: ada.secret })).status).toBe(404)
    await expect.poll(() => lives(session), WAIT).toBe(becomes === 'stays')
    await plane.act(ada, mine.id, 'stop')
  })

  it('[IDN-2.scim] whoever comes back finds what stopped, and starts it again', async () => {
    const grace = await plane.person('member', ada.organisationId)
    const { id } = await plane.run(grace)
    expect((await scim('PATCH', grace.userId, switchedOff)).status).toBe(200)
    await plane.until(ada, id, { state: 'stopped' })
    // Said once more, nothing happens; told to come back, nothing starts by itself.
    expect((await scim('PATCH', grace.userId, switchedOff)).status).toBe(200)
    expect((await own('on')(grace.userId)).status).toBe(200)
    expect(await plane.read(ada, id)).toMatchObject({ state: 'stopped', generation: 1 })
    expect((await plane.act(ada, id, 'restart')).status).toBe(200)
    await plane.until(ada, id, { state: 'running', generation: 2 })
  })

  it('[SES-1.clean] nothing of all this was logged as an error', () => expect(plane.errors).toEqual([]))
})
