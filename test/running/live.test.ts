/** What happens to a session reaches whoever may see it, and nobody else. */
import { LIVE_PATH, type LiveMessage } from '@kalnet/contracts/event'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Machine, type Person, type Plane, startPlane, WAIT } from './support.ts'

let plane: Plane
let machine: Machine
let ada: Person
const sockets: WebSocket[] = []
beforeAll(async () => {
  plane = await startPlane()
  ada = await plane.claim()
  machine = await plane.machine()
})
afterAll(async () => {
  for (const socket of sockets) socket.terminate()
  await plane.end()
})

type LiveEvent = Extract<LiveMessage, { type: 'event' }>
async function follow(person: Person) {
  const heard: LiveMessage[] = []
  const socket = new WebSocket(`${plane.url.replace('http', 'ws')}${LIVE_PATH}`, {
    origin: plane.url,
    headers: { cookie: `kalnet=${person.secret}` },
  })
  sockets.push(socket)
  socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', after: null })))
  socket.on('message', (data) => heard.push(JSON.parse(String(data)) as LiveMessage))
  await expect.poll(() => heard[0]?.type, WAIT).toBe('ready')
  const events = () => heard.filter((it): it is LiveEvent => it.type === 'event')
  return {
    /** Its states in order, once all that came before a change of one's own name has arrived. */
    async about(id: string): Promise<string[]> {
      const name = `Name ${Math.random()}`
      await plane.ask('PATCH', '/api/me', { as: person.secret, body: { name } })
      await expect
        .poll(() => events().some((it) => (it.data as { name?: string } | null)?.name === name), WAIT)
        .toBe(true)
      return events().flatMap((it) => {
        const data = it.data as { id?: string; state?: string; reachable?: boolean } | null
        if (data?.id !== id) return []
        return [it.event === 'session.removed' ? 'removed' : `${data.state}${data.reachable ? '' : ' away'}`]
      })
    },
    controllers: () => events().filter((it) => it.event.startsWith('controller.')).length,
  }
}

it('[SES-1.events] a session’s life reaches its person and the stewards, in order; nobody else', async () => {
  const [member, other, admin, guest] = [
    await plane.person('member', ada.organisationId),
    await plane.person('member', ada.organisationId),
    await plane.person('admin', ada.organisationId),
    await plane.person('guest', ada.organisationId),
  ]
  const stranger = await plane.person('owner')
  const seeing = await Promise.all([member, ada, admin].map(follow))
  const blind = await Promise.all([other, guest, stranger].map(follow))
  const { id, instanceId } = await plane.run(member)
  await plane.act(member, id, 'restart')
  await plane.until(member, id, { state: 'running', generation: 2 })
  await machine.stop()
  await plane.until(member, id, { reachable: false })
  await machine.start()
  await plane.until(member, id, { reachable: true })
  machine.world.end(instanceId, 3, 'It crashed')
  await plane.until(member, id, { state: 'failed' })
  await plane.ask('DELETE', `/api/sessions/${id}`, { as: member.secret })

  const unrepeated = (states: string[]) => states.filter((state, at) => state !== states[at - 1])
  for (const page of seeing)
    expect(unrepeated(await page.about(id))).toEqual([
      'pending',
      'starting',
      'running',
      'starting',
      'running',
      'running away',
      'running',
      'failed',
      'removed',
    ])
  for (const page of blind) expect(await page.about(id)).toEqual([])
  // A machine of the installation concerns stewards only.
  const counts = [...seeing, ...blind].map((page) => page.controllers() > 0)
  expect(counts).toEqual([false, true, true, false, false, true])
})

it('[CTL-2.revocation] the sessions of a revoked machine leave the page by themselves', async () => {
  const page = await follow(ada)
  await machine.stop()
  await plane.calm()
  await plane.machine(ada, 'short-lived')
  const { id, controllerId } = await plane.run(ada)
  await plane.ask('DELETE', `/api/controllers/${controllerId}`, { as: ada.secret })
  expect((await page.about(id)).at(-1)).toBe('removed')
})
