/**
 * Network for root: a namespace and a veth pair per instance, filtered in chains that are this installation's alone.
 * Nothing reaches in; outbound only what is neither this machine nor its LAN. Every step can be done twice.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { must, run } from '@kalnet/io/spawn'
import { createMutex } from '../mutex.ts'
import { blockedRanges, contains, resolvers, toAddress, toNumber } from './blocked.ts'
import type { InstancePaths } from './layout.ts'

/** Pieces of this range are handed out, four addresses each, where the machine has no route of its own. */
const RANGE = '10.213.0.0/16'
const PIECES = 2 ** 14

export interface RootNetwork {
  /** Answers the namespace's path and the resolvers reachable from it. */
  make(paths: InstancePaths, signal: AbortSignal): Promise<{ namespace: string; resolvers: string[] }>
  remove(paths: InstancePaths): Promise<void>
}

interface Chains {
  forward: string
  input: string
  nat: string
}

const namespacePath = (paths: InstancePaths) => `/run/netns/${paths.name}`

/** Rules as iptables-restore reads them; one commit a table, so there is never half a filter. */
export function filterRules(chains: Chains, devices: string, blocked: string[], dns: string[]): string {
  const forward = [
    `-o ${devices} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
    `-o ${devices} -j DROP`,
    ...dns.flatMap((address) =>
      ['udp', 'tcp'].map((protocol) => `-d ${address}/32 -p ${protocol} --dport 53 -j ACCEPT`),
    ),
    ...blocked.map((range) => `-d ${range} -j REJECT --reject-with icmp-admin-prohibited`),
    '-j ACCEPT',
  ]
  return [
    '*filter',
    `:${chains.forward} - [0:0]`,
    `:${chains.input} - [0:0]`,
    ...forward.map((rule) => `-A ${chains.forward} ${rule}`),
    `-A ${chains.input} -j REJECT --reject-with icmp-admin-prohibited`,
    'COMMIT',
    '*nat',
    `:${chains.nat} - [0:0]`,
    `-A ${chains.nat} -s ${RANGE} ! -o ${devices} -j MASQUERADE`,
    'COMMIT',
    '',
  ].join('\n')
}

/** A number of four addresses that nothing on this machine has a route to. */
export function freePiece(taken: string[], random = Math.random): string {
  const first = Math.floor(random() * PIECES)
  const base = toNumber(RANGE.split('/')[0]!)
  for (let offset = 0; offset < PIECES; offset += 1) {
    const start = toAddress(base + ((first + offset) % PIECES) * 4)
    const overlaps = taken.some(
      (range) => contains(`${start}/30`, range.split('/')[0]!) || contains(range, start),
    )
    if (!overlaps) return start
  }
  throw new Error('every address of 10.213.0.0/16 is taken')
}

export function createRootNetwork(installation: string): RootNetwork {
  const devices = `kn${installation}+`
  const name = installation.toUpperCase()
  const chains: Chains = {
    forward: `KALNET-FWD-${name}`,
    input: `KALNET-IN-${name}`,
    nat: `KALNET-NAT-${name}`,
  }
  const jumps: [table: string, chain: string, rule: string[]][] = [
    ['filter', 'FORWARD', ['-i', devices, '-j', chains.forward]],
    ['filter', 'FORWARD', ['-o', devices, '-j', chains.forward]],
    ['filter', 'INPUT', ['-i', devices, '-j', chains.input]],
    ['nat', 'POSTROUTING', ['-s', RANGE, '-j', chains.nat]],
  ]
  /** The chains are shared by all instances: one change at a time. */
  const exclusively = createMutex()

  const routes = async () => {
    const { stdout } = await must('ip', ['-j', '-4', 'route', 'show', 'table', 'all'])
    const list = JSON.parse(stdout || '[]') as { dst?: string; dev?: string }[]
    return list.filter((it) => it.dst && it.dst !== 'default')
  }

  async function setFilter(dns: string[]) {
    await must('iptables-restore', ['-w', '10', '--noflush'], {
      input: filterRules(chains, devices, blockedRanges(), dns),
    })
    for (const [table, chain, rule] of jumps) {
      const there = await run('iptables', ['-w', '10', '-t', table, '-C', chain, ...rule])
      if (there.code !== 0) await must('iptables', ['-w', '10', '-t', table, '-I', chain, ...rule])
    }
  }

  async function clearFilter() {
    const { stdout } = await must('ip', ['-j', 'link', 'show', 'type', 'veth'])
    const links = JSON.parse(stdout || '[]') as { ifname: string }[]
    if (links.some((it) => it.ifname.startsWith(devices.slice(0, -1)))) return
    // Those that are not there need not go.
    for (const [table, chain, rule] of jumps)
      await run('iptables', ['-w', '10', '-t', table, '-D', chain, ...rule])
    for (const [table, chain] of [
      ['filter', chains.forward],
      ['filter', chains.input],
      ['nat', chains.nat],
    ] as const) {
      await run('iptables', ['-w', '10', '-t', table, '-F', chain])
      await run('iptables', ['-w', '10', '-t', table, '-X', chain])
    }
  }

  /** Only between the instance and the way out; the machine does not become a router for others. */
  async function forwardOn(device: string) {
    const { stdout } = await must('ip', ['-j', '-4', 'route', 'show', 'default'])
    const ways = JSON.parse(stdout || '[]') as { dev: string }[]
    for (const it of [device, ...ways.map((way) => way.dev)])
      await writeFile(`/proc/sys/net/ipv4/conf/${it}/forwarding`, '1')
  }

  async function take(paths: InstancePaths) {
    // Deleting the namespace alone leaves the pair for a moment: both by name, and neither need be there.
    await run('ip', ['link', 'delete', paths.networkDevice])
    await run('ip', ['netns', 'delete', paths.name])
  }

  return {
    async make(paths, signal) {
      return exclusively(async () => {
        signal.throwIfAborted()
        await take(paths)
        const outside = paths.networkDevice
        const inside = ['-n', paths.name]
        await mkdir('/run/netns', { recursive: true })
        await must('ip', ['netns', 'add', paths.name])
        const piece = freePiece((await routes()).map((it) => it.dst!))
        const ours = toAddress(toNumber(piece) + 1)
        const its = toAddress(toNumber(piece) + 2)
        await must('ip', [
          'link',
          'add',
          outside,
          'type',
          'veth',
          'peer',
          'name',
          'eth0',
          'netns',
          paths.name,
        ])
        // No IPv6 address on either end: what is not filtered must not exist.
        await must('ip', ['link', 'set', outside, 'addrgenmode', 'none'])
        await must('ip', [...inside, 'link', 'set', 'eth0', 'addrgenmode', 'none'])
        const dns = await resolvers()
        // The filter stands before the first packet can pass.
        await setFilter(dns)
        await must('ip', ['addr', 'add', `${ours}/30`, 'dev', outside])
        await must('ip', [...inside, 'addr', 'add', `${its}/30`, 'dev', 'eth0'])
        await must('ip', [...inside, 'link', 'set', 'lo', 'up'])
        await must('ip', [...inside, 'link', 'set', 'eth0', 'up'])
        await must('ip', ['link', 'set', outside, 'up'])
        await must('ip', [...inside, 'route', 'add', 'default', 'via', ours])
        await forwardOn(outside)
        return { namespace: namespacePath(paths), resolvers: dns }
      })
    },
    async remove(paths) {
      await exclusively(async () => {
        await take(paths)
        await clearFilter()
      })
    },
  }
}
