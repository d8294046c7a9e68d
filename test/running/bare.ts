/** A controller of a few lines that says exactly what a test wants: lies, silence, and nothing by itself. */
import { generateKeyPairSync, sign } from 'node:crypto'
import {
  challengeText,
  type FromController,
  LINK_PATH,
  type ToController,
} from '@kalnet/contracts/controller'
import type { ObservedInstance } from '@kalnet/contracts/instance'
import { WebSocket } from 'ws'
import { eventually } from '../support/eventually.ts'
import type { Person, Plane } from './support.ts'

export const CAPACITY = { cpus: 2, memoryBytes: 8e9, memoryFreeBytes: 4e9, diskFreeBytes: 1e11, load1: 0 }
export const FINGERPRINT = {
  platform: 'fake' as const,
  usable: true,
  detail: 'made up',
  version: '1',
  isolation: 'none' as const,
  limits: false,
  network: false,
  images: [],
}
export const seen = (
  it: { instanceId: string; generation: number },
  state: ObservedInstance['state'],
  more: Partial<ObservedInstance> = {},
): ObservedInstance => ({
  id: it.instanceId,
  generation: it.generation,
  platform: 'fake',
  state,
  times: {},
  progress: null,
  reason: null,
  logTail: [],
  ...more,
})

/** A key of its own, enrolled with the token. */
export async function enrolBare(plane: Plane, token: string, name = 'bare') {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')
  const answer = await plane.ask('POST', '/api/controllers/enrol', { body: { token, name, publicKey: raw } })
  const controllerId = String(answer.body.controllerId ?? '')
  return {
    answer,
    controllerId,
    /** `answers: false`: it does not answer pings, as a machine that has frozen. `as`: it claims to be another. */
    connect: ({
      answers = true,
      as = controllerId,
      onMessage,
    }: {
      answers?: boolean
      as?: string
      onMessage?(message: ToController): void
    } = {}) =>
      connectBare(
        plane,
        as,
        (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
        answers,
        onMessage,
      ),
  }
}

export function connectBare(
  plane: Plane,
  controllerId: string,
  prove: (text: string) => string,
  autoPong: boolean,
  onMessage?: (message: ToController) => void,
) {
  const heard: ToController[] = []
  const socket = new WebSocket(`${plane.url.replace('http', 'ws')}${LINK_PATH}`, { autoPong })
  const say = (message: FromController) => socket.send(JSON.stringify(message))
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  socket.on('error', () => undefined)
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as ToController
    heard.push(message)
    onMessage?.(message)
    if (message.type !== 'challenge') return
    const signature = prove(challengeText(message.nonce, plane.url))
    say({
      type: 'hello',
      controllerId,
      protocols: [1],
      version: '1',
      url: plane.url,
      signature,
      hostname: 'bare',
    })
  })
  return {
    heard,
    closed,
    say,
    of: <T extends ToController['type']>(type: T) =>
      heard.filter((it): it is Extract<ToController, { type: T }> => it.type === type),
    inventory: (instances: ObservedInstance[] = []) =>
      say({ type: 'inventory', fingerprints: [FINGERPRINT], capacity: CAPACITY, instances }),
    close: () => socket.terminate(),
  }
}
export type Bare = ReturnType<typeof connectBare>

/** Enrolled, connected and its inventory recorded; `links` for whoever closes them. */
export async function bareMachine(plane: Plane, links: Bare[], name = 'bare', by?: Person) {
  const enrolled = await enrolBare(plane, await plane.token(by, name), name)
  const link = enrolled.connect()
  links.push(link)
  await eventually('it is welcome', async () => link.of('welcome').length === 1)
  link.inventory()
  await eventually('it is told what is desired', async () => link.of('desired.all').length === 1)
  await eventually(`${name} is online`, async () => (await plane.online()).includes(name))
  return { ...enrolled, link }
}
