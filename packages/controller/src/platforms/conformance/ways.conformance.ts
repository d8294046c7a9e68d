/** What every platform must do, III: the ways into an instance, and the few out of it. */
import { type AddressInfo, connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Duplex } from 'node:stream'
import type { InstanceSpecInput } from '@kalnet/contracts/instance'
import { expect, test } from 'vitest'
import { linkPlaces } from '../links.ts'
import type { Handle } from '../platform.ts'
import { type Fixture, firstBytes, firstOf, LONG_MS, never, poll, wait } from './fixture.ts'

const WEB = { name: 'web', kind: 'http', at: { tcp: 8080 } } as const
const GAME = { name: 'game', kind: 'udp', at: { udp: 9090 } } as const

/** Told `host port patience, …` on 8080 it answers what it got at each; echoes what comes on 9090. */
const REACHER = `use IO::Socket::INET;
if (!fork) {
  my $u = IO::Socket::INET->new(Proto => "udp", LocalAddr => "0.0.0.0:9090") or die;
  while (defined $u->recv(my $m, 9000)) { $u->send("echo $m") }
  exit;
}
sub reach {
  my ($host, $port, $patience) = split " ", shift;
  my $t = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => $patience) or return "no";
  my $said = <$t>;
  $said =~ s/\\s+$//;
  return $said;
}
my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "0.0.0.0:8080", ReuseAddr => 1) or die;
while (my $c = $s->accept) {
  my $line = <$c>;
  print $c join(" ", "here", map { reach($_) } grep { /\\S/ } split /,/, $line), "\\n";
  close $c;
}`

export function describeWays(fixture: Fixture): void {
  const { ensure, spec, onReal } = fixture

  test('[STR-1.dial-refused] an unknown port, and a port of something that ended, are refused', async () => {
    const handle = await ensure()
    await expect(fixture.platform.dial(handle, 'nothing', never)).rejects.toThrow(/no port/)
    await fixture.platform.stop(handle, 0)
    await expect(fixture.platform.dial(handle, 'display', never)).rejects.toThrow(/not running/)
    await fixture.platform.remove(handle)
  })

  test('[STR-1.dial-display] the display port answers with a banner', async () => {
    const handle = await ensure(spec(['/usr/lib/kalnet/session', 'sleep', '1000']))
    const banner = () => firstBytes(fixture.platform, handle, 'display').catch(() => '')
    await poll(banner, wait).toMatch(/^RFB 003\.008\n/)
    await fixture.platform.remove(handle)
  })

  onReal('[STR-1.dial-tcp] a TCP port on its loopback is reached', async () => {
    const script =
      'use IO::Socket; $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1:8080") or die; while ($c = $s->accept) { print $c "told\\n"; close $c }'
    const web = { name: 'web', kind: 'tcp', at: { tcp: 8080 } } as const
    const handle = await ensure(
      spec(['perl', '-e', script], {
        ports: [web],
      }),
    )
    await poll(() => firstBytes(fixture.platform, handle, 'web').catch(() => ''), wait).toBe('told\n')
    await fixture.platform.remove(handle)
  })

  onReal('[STR-1.planted-link] a link planted in place of the display is not followed', async () => {
    const handle = await ensure(
      spec(['bash', '-c', 'ln -s /run/docker.sock /run/kalnet/display.sock; sleep 1000']),
    )
    await poll(
      () => fixture.platform.dial(handle, 'display', never).catch((error: Error) => error.message),
      wait,
    ).toMatch(/not a socket|ELOOP|nobody listens/)
    await fixture.platform.remove(handle)
  })

  /** Everything is tried from inside, by a program that is told where to. */
  async function startReacher(changes: Partial<InstanceSpecInput>) {
    const handle = await ensure(spec(['perl', '-e', REACHER], { ports: [WEB, GAME], ...changes }))
    /** What it got at each. */
    const ask = async (...targets: string[]): Promise<string[]> => {
      const stream = await fixture.platform.dial(handle, 'web', AbortSignal.timeout(LONG_MS))
      stream.write(`${targets.join(',')}\n`)
      const [here, ...got] = (await firstOf(stream)).trim().split(' ')
      expect(here).toBe('here')
      return got
    }
    await poll(() => ask().catch(() => null), wait).toEqual([])
    return { handle, ask }
  }
  type Ask = Awaited<ReturnType<typeof startReacher>>['ask']

  /** Neither this machine nor what is around it; `outside` as it should be. */
  async function expectWalls(ask: Ask, outside: 'no' | 'reached') {
    const server = createServer((socket) => socket.end('reached\n'))
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
    const { port } = server.address() as AddressInfo
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
    // The far end of its own network among them: it is there by now.
    const here = own.filter((it) => it.family === 'IPv4' && !it.internal).map((it) => it.address)
    const targets = [...here, '10.0.0.1', '192.168.1.1', '169.254.169.254']
    expect(await ask(...targets.map((at) => `${at} ${port} 0.4`))).toEqual(targets.map(() => 'no'))
    server.close()
    const it = fixture.subject.outside
    const patience = outside === 'no' ? 0.4 : 5
    if (it) expect(await ask(`${it.address} ${it.port} ${patience}`)).toEqual([outside])
  }

  async function expectAddresses(handle: Handle) {
    const found = await fixture.platform.addresses?.(handle)
    expect(Object.keys(found ?? {}).sort()).toEqual(['game', 'web'])
    const { host = '', port = 0 } = found?.web ?? {}
    const stream = connect({ host, port })
    stream.write('\n')
    expect(await firstOf(stream)).toBe('here\n')
  }

  async function echoed(handle: Handle): Promise<void> {
    const stop = new AbortController()
    const datagrams = await fixture.platform.dialDatagrams?.(handle, 'game', stop.signal)
    const heard: string[] = []
    datagrams?.onMessage((payload) => heard.push(payload.toString()))
    await poll(() => {
      datagrams?.send(Buffer.from('ping'))
      return heard
    }, wait).toContain('echo ping')
    stop.abort()
  }

  onReal(
    '[NET-5.network-local] a local network leads nowhere; this machine reaches its TCP and UDP ports, and gets its answers',
    async (context) => {
      if (fixture.subject.local === 'none') return context.skip('no local networks on this machine')
      const { handle, ask } = await startReacher({ network: 'local' })
      await expectWalls(ask, 'no')
      if (fixture.subject.local === 'address') await expectAddresses(handle)
      else expect(await fixture.platform.addresses?.(handle)).toEqual({})
      await echoed(handle)
      await fixture.platform.remove(handle)
      expect(await fixture.platform.addresses?.(handle)).toEqual({})
    },
    60_000,
  )

  onReal(
    '[NET-5.network-internet] with a way out, too, its ports are reached from this machine, and this machine is not from inside',
    async (context) => {
      if (!fixture.subject.network) return context.skip('no network for instances on this machine')
      const { handle, ask } = await startReacher({ network: 'internet' })
      await expectWalls(ask, 'reached')
      if (fixture.subject.local === 'address') await expectAddresses(handle)
      await echoed(handle)
      await fixture.platform.remove(handle)
    },
    60_000,
  )

  onReal(
    '[NET-5.link-places] each link is a loopback address inside, whose connections we are given; after a restart of ours again',
    async (context) => {
      if (fixture.subject.local === 'none') return context.skip('no local networks on this machine')
      const links = [
        { name: 'db', port: 5432 },
        { name: 'other', port: 5432 },
        { name: 'web', port: 80 },
      ]
      const { handle, ask } = await startReacher({ network: 'local', links })
      const askAll = () => ask(...links.map(({ name, port }) => `${name} ${port} 5`))
      const nobody = links.map(() => 'no')
      expect(await askAll()).toEqual(nobody)
      const again = await fixture.subject.again()
      for (const platform of [fixture.platform, again]) {
        const stop = new AbortController()
        const take = (name: string, stream: Duplex) => void stream.end(`at-${name}\n`)
        const listen = () => platform.listenInside?.(handle, linkPlaces(links), take, stop.signal)
        await listen()
        expect(await askAll()).toEqual(links.map(({ name }) => `at-${name}`))
        await expect(listen()).rejects.toThrow('its place is taken')
        stop.abort()
        await poll(askAll, wait).toEqual(nobody)
      }
      await fixture.platform.remove(handle)
    },
    60_000,
  )
}
