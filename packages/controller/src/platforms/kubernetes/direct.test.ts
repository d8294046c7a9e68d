/** Pods that are reached by their addresses, as tables: who is let in, what lies inside, and TLS to a screen. No cluster is needed. */
import { X509Certificate } from 'node:crypto'
import { type AddressInfo, connect, createServer } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { instanceSpec } from '@kalnet/contracts/instance'
import { describe, expect, test } from 'vitest'
import type { EnsureRequest } from '../platform.ts'
import { ingressOf, peerOf } from './callers.ts'
import { openDisplay } from './display.ts'
import { secretOf } from './given.ts'
import { handleFrom, podOf } from './pod.ts'
import { isDirect, waysOf } from './ports.ts'
import { newCertificate } from './screen-certificate.ts'
import { settingsOf } from './settings.ts'

const request: EnsureRequest = {
  instanceId: '01890000-0000-7000-8000-000000000001',
  generation: 3,
  organisationId: '01890000-0000-7000-8000-00000000a000',
  spec: instanceSpec.parse({
    image: { reference: 'registry.test/x@sha256:00' },
    command: ['x'],
    environment: { PATH: '/opt/x:/usr/bin' },
    ports: [
      { name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } },
      { name: 'web', kind: 'http', at: { tcp: 8080 } },
      { name: 'game', kind: 'udp', at: { udp: 9090 } },
      { name: 'talk', kind: 'tcp', at: { unix: '/run/kalnet/talk.sock' } },
    ],
  }),
}
const around = { installation: 'abc', namespace: 'kalnet', image: 'x', direct: true }
const signal = AbortSignal.timeout(20_000)

describe('[K8S-1.direct] who is let in', () => {
  test.each([
    ['10.9.0.4/32', { ipBlock: { cidr: '10.9.0.4/32' } }],
    [
      'kalnet/app.kubernetes.io/name=kalnet&role=controller',
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kalnet' } },
        podSelector: { matchLabels: { 'app.kubernetes.io/name': 'kalnet', role: 'controller' } },
      },
    ],
  ])('%s', (caller, peer) => expect(peerOf(caller)).toEqual(peer))

  test('controllers to what is declared, gateways to no screen; nobody is nobody', () => {
    const { ports } = request.spec
    const [one, two] = ['10.9.0.4/32', '10.9.0.5/32'] as const
    const rules = ingressOf(ports, { controllers: [one], gateways: [two] })
    const tcp = (port: number) => ({ protocol: 'TCP', port })
    const game = { protocol: 'UDP', port: 9090 }
    expect(rules).toEqual([
      { from: [{ ipBlock: { cidr: one } }], ports: [tcp(5900), tcp(8080), game] },
      { from: [{ ipBlock: { cidr: two } }], ports: [tcp(8080), game] },
    ])
    expect(ingressOf(ports, { controllers: [], gateways: [] })).toEqual([])
    // Without numbers a rule would mean every port.
    expect(ingressOf([], { controllers: [one], gateways: [two] })).toEqual([])
    expect(ingressOf(ports.slice(0, 1), { controllers: [one], gateways: [two] })).toHaveLength(1)
  })

  test.each([
    [['0.0.0.0'], /neither a network/],
    [['kalnet'], /neither a network/],
    [['Kalnet/app=x'], /neither a network/],
    [['kalnet/app'], /neither a network/],
    [['kalnet/app=x,role=y'], /neither a network/],
    [['kalnet/app=x y'], /neither a network/],
    [['10.0.0.0/33'], /neither a network/],
  ])('%j cannot be meant', (controllers, problem) => {
    expect(() => settingsOf({ enabled: true, direct: { controllers } })).toThrow(problem)
  })
  test('gateways alone cannot be meant', () => {
    expect(() => settingsOf({ enabled: true, direct: { gateways: ['10.0.0.1/32'] } })).toThrow(
      /no controllers/,
    )
  })
})

describe('[K8S-1.direct] a pod that is reached by its address', () => {
  test('says so, and has what its screen needs in front of its path', () => {
    const pod = podOf(request, around)
    const handle = handleFrom(pod)!
    expect(isDirect(handle)).toBe(true)
    expect(waysOf(handle)).toEqual({
      display: { display: 5900 },
      web: { tcp: 8080 },
      game: { udp: 9090 },
      talk: { unix: '/run/kalnet/talk.sock' },
    })
    const path = pod.spec?.containers[0]?.env?.findLast((it) => it.name === 'PATH')?.value
    expect(path).toBe('/run/kalnet/display:/opt/x:/usr/bin')
    const shown = pod.spec?.volumes?.find((it) => it.name === 'given-display')?.secret?.items
    expect(shown?.map((it) => [it.path, it.mode])).toEqual([
      ['secret', undefined],
      ['Xvnc', 0o550],
      ['cert.pem', undefined],
      ['key.pem', undefined],
    ])
    const secret = secretOf(pod, request, {
      installation: 'abc',
      screenSecret: 'abcdefgh',
      screenTls: newCertificate(),
    })
    for (const it of shown ?? []) expect(secret.data).toHaveProperty([it.key])
  })
  test('and one that is not has nothing of it', () => {
    const pod = podOf(request, { ...around, direct: false })
    expect(isDirect(handleFrom(pod)!)).toBe(false)
    expect(JSON.stringify(pod)).not.toMatch(/Xvnc|display:\/opt/)
  })
})

/** A screen as Xvnc with X509Vnc talks; `shown` is what it says it is. Reached by a socket, or as through something in between. */
async function startScreen(
  shown: { certificate: string; key: string },
  { subtype = 261, between = false } = {},
): Promise<Duplex> {
  const server = createServer((far) => {
    const answers: [number, Buffer][] = [
      [12, Buffer.from([1, 19])],
      [1, Buffer.from([0, 2])],
      [2, Buffer.from([0, 1, 0, 0, subtype >> 8, subtype & 255])],
      [4, Buffer.from([1])],
    ]
    far.on('error', () => undefined)
    far.on('data', (bytes) => {
      const [takes, answer] = answers.shift() ?? [0, Buffer.alloc(0)]
      if (bytes.length !== takes) far.destroy()
      far.write(answer)
      if (answers.length > 0) return
      far.removeAllListeners('data')
      const secure = new TLSSocket(far, { isServer: true, cert: shown.certificate, key: shown.key })
      secure.on('error', () => far.destroy())
      secure.write(Buffer.alloc(16, 7))
      secure.once('data', () => secure.write(Buffer.from([0, 0, 0, 0])))
    })
    far.write('RFB 003.008\n')
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  near.on('error', () => undefined)
  if (!between) return near
  const [outer, inner] = duplexPair()
  inner.on('error', () => undefined)
  near.pipe(inner).pipe(near)
  return outer
}

describe('[K8S-1.display] a screen that is reached over the network', () => {
  const [its, another] = [newCertificate(), newCertificate()]
  test('has a certificate of its own, which says nothing but its key', () => {
    const read = new X509Certificate(its.certificate)
    expect(read.verify(read.publicKey)).toBe(true)
    expect(read.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
    expect(read.subject).toBe('CN=kalnet screen')
    expect(new X509Certificate(another.certificate).serialNumber).not.toBe(read.serialNumber)
  })
  test.each([false, true])('is spoken to inside TLS; something in between: %s', async (between) => {
    const screen = { secret: 'abcdefgh', certificate: its.certificate }
    const stream = await openDisplay(await startScreen(its, { between }), screen, signal)
    stream.destroy()
  })
  test.each([
    ['another certificate', () => startScreen(another), /not the one that was started/],
    ['TLS without a certificate', () => startScreen(its, { subtype: 258 }), /shows no certificate/],
    [
      'no TLS at all',
      () => {
        const [near, far] = duplexPair()
        far.write('RFB 003.008\n')
        far.write(Buffer.from([1, 2]))
        return near
      },
      /something else than its secret/,
    ],
  ])('%s is refused, and the secret is not proved to it', async (_, start, problem) => {
    const screen = { secret: 'abcdefgh', certificate: its.certificate }
    await expect(openDisplay(await start(), screen, signal)).rejects.toThrow(problem)
  })
})
