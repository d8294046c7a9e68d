/** Somebody who installed Kalnet on a cluster and uses it: through the address of its gateway, by the authority that the control plane made. */
import { type Service, serviceRoutes } from '@kalnet/contracts/service'
import { type Session, sessionRoutes } from '@kalnet/contracts/session'
import { systemClock } from '@kalnet/io/clock'
import { grabScreen } from '@kalnet/wire/rfb-screen'
import { createWebSocketStream } from 'ws'
import { createVisitor } from '../compose/visitor.ts'
import { type Client, createClient } from '../support/client.ts'
import { tokenOf } from '../support/product.ts'
import { type Installation, NAMESPACE } from './installation.ts'

export const HOST = 'kalnet.home.arpa'
export const BASE = `https://${HOST}`
const PATIENCE_MS = 180_000

export interface House {
  client: Client
  visitor: ReturnType<typeof createVisitor>
  ca: string
}

export async function claimHouse(it: Installation): Promise<House> {
  const pod = ['-n', NAMESPACE, 'exec', 'deploy/kalnet-control-plane', '--']
  const ca = await it.kubectl(...pod, 'cat', '/var/kalnet/config/kalnet/ca/authority.crt')
  const at = it.cluster.there
  const client = createClient(BASE, ca, at)
  const { claim } = await it.kalnet<{ claim: string }>('claim')
  await client.claim(tokenOf(claim))
  return { client, visitor: createVisitor({ client, ca, at }), ca }
}

/** What is answered while a part comes back is waited through. */
export async function untilAnswers<T>(what: string, ask: () => Promise<T>): Promise<T> {
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (Date.now() > until) throw new Error(`${what} did not come true`, { cause: error })
      await systemClock.sleep(500)
    }
  }
}

const expectTrue = (holds: boolean, what: () => string) => {
  if (!holds) throw new Error(what())
}

/** The screen of a running session as its viewer draws it first; answers how many different bytes there are in it. */
export const seeScreen = ({ client }: House, id: string): Promise<{ width: number; height: number }> =>
  untilAnswers('a picture of the screen', async () => {
    const socket = await client.open(id)
    const stream = createWebSocketStream(socket)
    stream.on('error', () => undefined)
    try {
      const { width, height } = await grabScreen(stream, { signal: AbortSignal.timeout(60_000) })
      return { width, height }
    } finally {
      stream.destroy()
      socket.terminate()
    }
  })

export async function launchDesktop(
  house: House,
): Promise<{ session: Session; runningMs: number; frameMs: number }> {
  const began = performance.now()
  const { id } = await house.client.launch('terminal', 'kubernetes')
  const session = await house.client.until(id, ['running'], PATIENCE_MS)
  const runningMs = Math.round(performance.now() - began)
  await seeScreen(house, id)
  return { session, runningMs, frameMs: Math.round(performance.now() - began) }
}

/** The same program of the session as before: neither stopped nor started anew. */
export const stillRuns = ({ client }: House, session: Session): Promise<void> =>
  untilAnswers('the session runs', async () => {
    const now = await client.call(sessionRoutes.read, { params: { id: session.id } })
    expectTrue(
      now.state === 'running' && now.generation === session.generation,
      () => `it is ${now.state} (${now.generation})`,
    )
  })

export async function installSite(house: House): Promise<Service> {
  const { id } = await house.client.call(serviceRoutes.install, {
    body: { templateId: 'site', platform: 'kubernetes' },
  })
  const service = await untilAnswers('the service runs', async () => {
    const now = await house.client.call(serviceRoutes.read, { params: { id } })
    const isWell = now.instances.length > 0 && now.instances.every((one) => one.health?.state === 'healthy')
    expectTrue(now.state === 'running' && isWell, () => JSON.stringify(now))
    return now
  })
  await untilAnswers('its name is known', async () => {
    const { status } = await house.visitor.visit(service.url ?? '')
    expectTrue(status === 302, () => `${status}`)
  })
  expectTrue((await house.visitor.enter(service.url ?? '')) === 200, () => 'nobody is let in')
  return service
}

export const opensSite = ({ visitor }: House, { url }: Service): Promise<void> =>
  untilAnswers('its page', async () => {
    const { status, body } = await visitor.visit(url ?? '')
    expectTrue(status === 200 && /<html/i.test(String(body)), () => `${status} ${String(body).slice(0, 200)}`)
  })
