/** Names as other devices hear them: dig on this machine and from another one, multicast between two machines. */
import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { run, start } from '@kalnet/io/spawn'
import { endpointOf, serviceOf } from '@kalnet/server/registry/dns/testing'
import { createResponder } from '@kalnet/server/registry/mdns/responder'
import { createNames, type Names } from '@kalnet/server/registry/names'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeNamespace, type Namespace } from '../support/namespace.ts'
import { lacking } from '../support/parts.ts'

const log = createLog('test', 'silent')
const stopping = new AbortController()
const photos = serviceOf('photos', [
  endpointOf(1),
  endpointOf(2, { direct: { host: '10.215.0.2', port: 8080, machine: 'here' } }),
])

async function freeUdp(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done))
  const { port } = socket.address()
  await new Promise<void>((done) => socket.close(done))
  return port
}
async function open(host: string): Promise<{ names: Names; port: number }> {
  const port = await freeUdp()
  const names = createNames({
    config: configSchema.parse({ dns: { enabled: true, host, port }, gateway: { host: '0.0.0.0' } }),
    registry: { version: () => 1, lookupAnywhere: (name) => (name === 'photos' ? photos : undefined) },
    isHost: () => false,
    machine: 'here',
    lookMs: 200,
    clock: systemClock,
    log,
    signal: stopping.signal,
  })
  await names.listen()
  expect(names.problems()).toEqual([])
  return { names, port }
}
const dig = async (port: number, ...words: string[]) =>
  (
    await run('dig', ['@127.0.0.1', '-p', String(port), '+time=20', '+tries=1', ...words], {
      timeoutMs: 60_000,
    })
  ).stdout

describe.skipIf(await lacking(['dig'], 'that dig accepts what our name server says'))('dig', () => {
  let it: Awaited<ReturnType<typeof open>>
  beforeAll(async () => {
    it = await open('127.0.0.1')
  })
  afterAll(() => it.names.close())

  test.each([
    ['A', ['photos.kalnet.home.arpa', 'A', '+short'], /^127\.0\.0\.1$/m],
    ['AAAA', ['photos.kalnet.home.arpa', 'AAAA', '+short'], /^::1$/m],
    [
      'SRV',
      ['_http._tcp.photos.kalnet.home.arpa', 'SRV', '+short'],
      /^0 1 8001 i-000000000001\.photos\.kalnet/m,
    ],
    // It is asked on this machine: the instance's own port is for it.
    [
      'SRV',
      ['_http._tcp.photos.kalnet.home.arpa', 'SRV', '+short'],
      /^0 1 8080 i-000000000002\.photos\.kalnet/m,
    ],
    ['TXT', ['photos.kalnet.home.arpa', 'TXT', '+short'], /"version=2\.1" "tags=media,family"/],
    ['by TCP', ['photos.kalnet.home.arpa', '+tcp', '+short'], /^127\.0\.0\.1$/m],
    ['authority', ['photos.kalnet.home.arpa'], /flags: qr aa rd/],
    ['NXDOMAIN', ['none.kalnet.home.arpa'], /status: NXDOMAIN[\s\S]*SOA\s+ns\.kalnet\.home\.arpa/],
    ['NODATA', ['photos.kalnet.home.arpa', 'MX'], /status: NOERROR[\s\S]*ANSWER: 0[\s\S]*SOA/],
    ['a zone', ['kalnet.home.arpa', 'AXFR'], /Transfer failed/],
    ['EDNS', ['photos.kalnet.home.arpa', '+bufsize=4096'], /EDNS: version: 0, flags:; udp: 1232/],
    ['a later EDNS', ['photos.kalnet.home.arpa', '+edns=1', '+noednsnegotiation'], /status: BADVERS/],
    ['a cookie', ['photos.kalnet.home.arpa', '+cookie=0123456789abcdef'], /status: NOERROR/],
    ['HTTPS', ['photos.kalnet.home.arpa', 'TYPE65'], /status: NOERROR/],
    ['capitals', ['PHOTOS.KalNet.home.arpa'], /PHOTOS\.KalNet\.home\.arpa\.\s+5\s+IN\s+A/],
    ['CHAOS', ['version.bind', 'TXT', 'CH'], /status: REFUSED/],
  ])('[MSH-2.dig] %s', async (_, words, expected) => {
    const said = await dig(it.port, ...words)
    expect(said).toMatch(expected)
    expect(said).not.toMatch(/WARN|malformed|mismatch/i)
  })

  test('[MSH-2.dig] a challenge of a certificate authority, while it is shown', async () => {
    const name = '_acme-challenge.photos.kalnet.home.arpa'
    it.names.setChallenge(name, ['abc', 'def'])
    expect(await dig(it.port, name, 'TXT', '+short')).toBe('"abc"\n"def"\n')
    it.names.setChallenge(name, [])
    expect(await dig(it.port, name, 'TXT')).toMatch(/NXDOMAIN/)
  })
})

describe.skipIf(await lacking(['root', 'iproute', 'dig'], 'that another machine is answered as it sees us'))(
  'another machine',
  () => {
    let device: Namespace
    beforeAll(async () => {
      device = await makeNamespace()
    })
    afterAll(() => device.remove())

    test('[MSH-2.seen] [NET-9.dns] it hears the address of the gateway on its own network, and no instance it cannot reach', async () => {
      // TEST-NET-1 is nobody's home: the piece between the two is given an address that is.
      const [here, there] = ['10.255.77.1', '10.255.77.2']
      const cable = Object.entries(networkInterfaces()).find(([, all]) =>
        all?.some((one) => one.address === device.here),
      )?.[0]
      await run('ip', ['addr', 'add', `${here}/30`, 'dev', cable ?? ''])
      const far = (await device.run('ip', ['-o', 'link'])).stdout.match(/\d+: (lan\w+)/)?.[1] ?? ''
      await device.run('ip', ['addr', 'add', `${there}/30`, 'dev', far])
      const it = await open(here)
      const asked = async (...words: string[]) =>
        (
          await device.run('dig', [
            `@${here}`,
            '-p',
            String(it.port),
            '+time=20',
            '+tries=1',
            '+short',
            ...words,
          ])
        ).stdout
      expect(await asked('photos.kalnet.home.arpa')).toContain(here)
      const places = await asked('_http._tcp.photos.kalnet.home.arpa', 'SRV')
      expect(places).toContain('8001')
      expect(places).not.toContain('8080')
      // From an address of the internet, to which an answer would find its way: silence.
      await device.run('ip', ['addr', 'add', '93.184.215.14/32', 'dev', far])
      await run('ip', ['route', 'add', '93.184.215.14/32', 'dev', cable ?? ''])
      expect(await asked('+time=2', '-b', '93.184.215.14', 'photos.kalnet.home.arpa')).toMatch(
        /timed out|no servers/,
      )
      await it.names.close()
    })

    test('[MSH-2.follows] a network that is joined later is answered on, and left when it goes', async () => {
      const later = '10.255.76.1'
      const cable = Object.entries(networkInterfaces()).find(([, all]) =>
        all?.some((one) => one.address === device.here),
      )?.[0]
      const it = await open('0.0.0.0')
      const isOpen = () => it.names.addresses().some(({ host }) => host === later)
      expect(isOpen()).toBe(false)
      await run('ip', ['addr', 'add', `${later}/30`, 'dev', cable ?? ''])
      const wait = { timeout: 15_000, interval: 100 }
      await expect.poll(isOpen, wait).toBe(true)
      const far = (await device.run('ip', ['-o', 'link'])).stdout.match(/\d+: (lan\w+)/)?.[1] ?? ''
      await device.run('ip', ['addr', 'add', '10.255.76.2/30', 'dev', far])
      const words = [
        `@${later}`,
        '-p',
        String(it.port),
        '+time=20',
        '+tries=2',
        '+short',
        'photos.kalnet.home.arpa',
      ]
      expect((await device.run('dig', words)).stdout).toContain(later)
      await run('ip', ['addr', 'del', `${later}/30`, 'dev', cable ?? ''])
      await expect.poll(isOpen, wait).toBe(false)
      await it.names.close()
    })

    test('[NET-9.mdns] [NET-9.conflict] kalnet.local is found by multicast; where somebody has the name, the next one', async () => {
      const script = join(import.meta.dirname, 'multicast-device.ts')
      const onCable = () => {
        const [name, all] =
          Object.entries(networkInterfaces()).find(([, all]) =>
            all?.some((one) => one.address === device.here),
          ) ?? []
        return name ? { [name]: all } : {}
      }
      const said = { port: 7400, secure: true, title: 'Kalnet' }
      const settled = async (responder: ReturnType<typeof createResponder>) => {
        while (!responder.name()) await systemClock.sleep(20)
      }
      const ask = async (name: string, type: string) => {
        const { stdout } = await device.run(process.execPath, [script, device.there, '1', 'ask', name, type])
        return stdout.split('\n').slice(1).join('\n')
      }

      const first = new AbortController()
      const one = createResponder({ said, clock: systemClock, log, interfaces: onCable })
      const running = one.run(first.signal).catch(() => undefined)
      await settled(one)
      expect(one.name()).toBe('kalnet.local')
      expect(await ask('kalnet.local', 'A')).toContain(device.here)
      const found = await ask('_https._tcp.local', 'PTR')
      expect(found).toContain('Kalnet._https._tcp.local')
      first.abort()
      await running

      // Another device has the name and says so.
      const holder = start('ip', [
        'netns',
        'exec',
        device.name,
        process.execPath,
        script,
        device.there,
        '6',
        'claim',
        'kalnet.local',
      ])
      await systemClock.sleep(1_000)
      const second = new AbortController()
      const two = createResponder({ said, clock: systemClock, log, interfaces: onCable })
      const again = two.run(second.signal).catch(() => undefined)
      await settled(two)
      expect(two.name()).toBe('kalnet-2.local')
      second.abort()
      await again
      holder.kill('SIGKILL')
    })
  },
)
