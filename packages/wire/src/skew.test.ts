/** [CTL-4.skew] Two releases on one link: the highest protocol that both speak, and nothing lost by what only one of them knows. */
import {
  type FromController,
  fromController,
  LINK_PATH,
  SPOKEN,
  type ToController,
  toController,
} from '@kalnet/contracts/controller'
import { instanceSpec } from '@kalnet/contracts/instance'
import { createLog } from '@kalnet/io/log'
import { afterEach, describe, expect, it } from 'vitest'
import { connectLink } from './link.ts'
import { createReader } from './messages.ts'
import { acceptLink, proveHello, type ServerLink } from './server-link.ts'
import { createKeys, listen, until } from './testing.ts'

const ID = '01890000-0000-7000-8000-00000000c000'
const AT = '2026-01-02T03:04:05.678Z'
const log = createLog('test', 'silent')
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function meet(ours: readonly number[], theirs: readonly number[]) {
  const keys = createKeys()
  const links: ServerLink[] = []
  const refusals: string[] = []
  const at = await listen((request, socket, head) => {
    void acceptLink(request, socket, head, {
      log,
      protocols: ours,
      authenticate: (hello, nonce) =>
        proveHello(hello, nonce, { publicKeyOf: async () => keys.publicKey, allowUrl: () => true }),
      onUp: (link) => void links.push(link),
      onMessage: () => undefined,
      onClose: () => undefined,
    })
  })
  const stop = new AbortController()
  const link = connectLink({
    url: at.url,
    identity: { controllerId: ID, sign: keys.sign },
    hello: { version: '0.0.0', hostname: 'box' },
    protocols: theirs,
    onMessage: () => undefined,
    onUp: () => undefined,
    onDown: () => undefined,
    signal: stop.signal,
    log: { ...log, error: (_: object, text: string) => refusals.push(text) } as unknown as typeof log,
  })
  ends.push(at.close, async () => {
    stop.abort()
    await link.ended
  })
  await until(() => links.length > 0 || refusals.length > 0, 'an answer')
  return { protocol: links[0]?.protocol ?? null, refusal: refusals[0] ?? null }
}

describe('[CTL-4.skew] the protocol', () => {
  it.each([
    [[1], [1], 1],
    [[2, 1], [1], 1],
    [[1], [2, 1], 1],
    [[3, 2], [2, 1], 2],
    [[2, 1], [3, 2], 2],
  ])('we speak %j, they speak %j: %i', async (ours, theirs, expected) => {
    expect(await meet(ours, theirs)).toEqual({ protocol: expected, refusal: null })
  })

  it.each([
    [[3, 2], [1], 'The controller speaks protocol 1; this control plane speaks 3.'],
    [[1], [3, 2], 'The controller speaks protocol 3; this control plane speaks 1.'],
  ])('we speak %j, they speak %j: refused in words', async (ours, theirs, words) => {
    const { protocol, refusal } = await meet(ours, theirs)
    expect(protocol).toBeNull()
    expect(refusal).toContain(words)
  })

  it('this release and the one before are spoken', () => {
    expect(SPOKEN).toEqual([SPOKEN[0], (SPOKEN[0] ?? 0) - 1].filter((one) => Number(one) > 0))
    expect(LINK_PATH).toBe('/api/controllers/link')
  })
})

const spec = instanceSpec.parse({
  image: { recipe: [{ name: 'base' }] },
  command: ['x'],
  ports: [{ name: 'web', kind: 'http', at: { tcp: 80 } }],
  ready: { port: 'web' },
  volumes: [{ id: ID, name: 'data', at: '/data' }],
  files: [{ name: 'a', content: 'b' }],
  links: [{ name: 'db', port: 5432 }],
  probe: { kind: 'tcp', port: 'web' },
})
const desired = {
  id: ID,
  generation: 1,
  organisationId: ID,
  platform: 'fake' as const,
  state: 'running' as const,
  spec,
}
const capacity = { cpus: 1, memoryBytes: 1, memoryFreeBytes: 1, diskFreeBytes: 1, load1: 0 }
const observed = {
  id: ID,
  generation: 1,
  platform: 'fake' as const,
  state: 'running' as const,
  times: { created: AT },
  progress: { step: 'image' as const, text: 'x', share: 0.5 },
  reason: null,
  logTail: ['x'],
  addresses: { web: { host: '127.0.0.1', port: 1 } },
  health: { state: 'healthy' as const, detail: 'x', changedAt: AT, tookMs: 1 },
}
const fingerprint = {
  platform: 'fake' as const,
  usable: true,
  detail: '',
  version: '1',
  isolation: 'none' as const,
  limits: false,
  network: false,
  images: [],
}
const asked = { requestId: ID }

/** One of each; the compiler asks for those that are added. */
const TO: { [T in ToController['type']]: Omit<Extract<ToController, { type: T }>, 'type'> } = {
  challenge: { nonce: 'x', protocols: [1] },
  welcome: { protocol: 1, controllerId: ID, heartbeatMs: 5000, serverTime: AT },
  'desired.all': { instances: [desired] },
  desired: { instance: desired },
  forget: { id: ID, generation: 1 },
  'stream.open': { streamId: ID, instanceId: ID, port: 'web', token: 'x' },
  'logs.read': { ...asked, instanceId: ID, lines: 1 },
  'use.read': { ...asked, instances: [ID] },
  'screen.read': { ...asked, instanceId: ID, port: 'display', maxWidth: 1 },
  links: {
    instanceId: ID,
    links: [
      {
        name: 'db',
        targets: [{ instanceId: ID, port: 'web', controllerId: ID, address: { host: '127.0.0.1', port: 1 } }],
      },
    ],
  },
  'link.dialled': { ...asked, token: 'x', problem: null },
  'identity.given': { instanceId: ID, certificate: 'x', key: 'x', authority: 'x' },
  'volume.forget': { id: ID },
  refused: { code: 'x', message: 'x' },
  'key.rotate': asked,
  'volume.measure': { id: ID },
  'key.accepted': asked,
}
const FROM: { [T in FromController['type']]: Omit<Extract<FromController, { type: T }>, 'type'> } = {
  hello: {
    ...{ controllerId: ID, protocols: [1], version: '1', url: 'x', signature: 'x', hostname: 'x' },
    answers: ['use'],
  },
  inventory: { fingerprints: [fingerprint], capacity, instances: [observed] },
  heartbeat: { capacity, fingerprints: [fingerprint] },
  observed: { instance: observed },
  'link.dial': { ...asked, instanceId: ID, link: 'db', targetId: ID },
  'links.called': { calls: [{ instanceId: ID, link: 'db', targetId: null, calls: 1, failures: 0 }] },
  'stream.failed': { streamId: ID, problem: 'x' },
  logs: { ...asked, lines: ['x'] },
  'volume.gone': { id: ID, problem: null },
  'volume.measured': { id: ID, bytes: 1, reservedBytes: null, place: '/a' },
  screen: { ...asked, png: null },
  use: {
    ...asked,
    instances: [{ id: ID, generation: 1, measured: { cpus: 0.5, memoryBytes: 1, at: AT }, why: null }],
  },
  'key.new': { ...asked, publicKey: `${'A'.repeat(43)}=`, signature: 'x' },
}

/** Names that are data, not fields, where one more is one more of them; and recipes, which are done whole or not at all. */
const NAMED = new Set(['environment', 'labels', 'addresses', 'recipe'])
/** A field that nobody knows in each object, at every depth. */
function withMore(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => withMore(one, key))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, part]) => [name, withMore(part, name)])
  return Object.fromEntries(NAMED.has(key) ? fields : [...fields, ['ofLater', { a: [1] }]])
}

describe('[CTL-4.skew] what a later release adds is left out at every depth', () => {
  const every = [
    ...Object.entries(TO).map(
      ([type, rest]) => [type, { type, ...rest }, createReader(toController)] as const,
    ),
    ...Object.entries(FROM).map(
      ([type, rest]) => [type, { type, ...rest }, createReader(fromController)] as const,
    ),
  ]
  it.each(every)('%s', (_, message, read) => {
    expect(JSON.stringify(withMore(message))).not.toBe(JSON.stringify(message))
    expect(read(JSON.stringify(withMore(message)))).toEqual({ kind: 'message', message })
  })

  it('messages of a later release are named, and broken ones are told apart from them', () => {
    const read = createReader(toController)
    expect(read('{"type":"of.later","a":1}')).toEqual({ kind: 'unknown', type: 'of.later' })
    expect(read('{"type":"forget","id":1}').kind).toBe('invalid')
  })

  it.each([
    ['a value', { network: 'of a later release' }],
    ['a step of a recipe', { image: { recipe: [{ name: 'base', ofLater: true }] } }],
  ])('an instance with %s that cannot be read keeps nobody from the others', (_, change) => {
    const strange = { ...desired, spec: { ...spec, ...change } }
    const read = createReader(toController)(
      JSON.stringify({ type: 'desired.all', instances: [strange, desired] }),
    )
    const { id, generation, platform, state } = desired
    expect(read).toMatchObject({
      message: { instances: [{ id, generation, platform, state, unreadable: true }, desired] },
    })
  })
})
