/**
 * Network for root: a namespace and a veth pair per instance, filtered in chains that are this installation's alone.
 * Only this machine itself reaches in; outbound goes only what is neither this machine nor its LAN, or nothing at all (local).
 * Every step can be done twice.
 */
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { must, run } from '@kalnet/io/spawn'
import { hasRule } from '../has-rule.ts'
import { createMutex } from '../mutex.ts'
import { freePiece, routesHere, takenBy } from '../pieces.ts'
import { blockedRanges, resolvers, toAddress, toNumber } from './blocked.ts'
import type { InstancePaths } from './layout.ts'

/** Pieces of this range are handed out, four addresses each, where the machine has no route of its own. */
const RANGE = '10.213.0.0/16'
const BITS = 30

export interface RootNetworkMade {
  namespace: string
  address: string
  resolvers: string[]
}

export interface RootNetwork {
  /** Answers the namespace's path, the instance's address and the resolvers it reaches. */
  make(paths: InstancePaths, kind: 'internet' | 'local', signal: AbortSignal): Promise<RootNetworkMade>
  remove(paths: InstancePaths): Promise<void>
  /** Sets the filter again where somebody took some of it away and an instance needs it; answers whether that was so. */
  mend(): Promise<boolean>
  /** Takes the rules away, unless an instance still needs them. */
  clear(): Promise<void>
}

interface Chains {
  forward: string
  input: string
  nat: string
}

/** Several steps of one `ip`; the first that fails ends it. */
const batch = (where: string[], steps: string[]) =>
  must('ip', [...where, '-batch', '-'], { input: `${steps.join('\n')}\n` })

const namespacePath = (paths: InstancePaths) => `/run/netns/${paths.name}`

/** Rules as iptables-restore reads them; one commit a table, so there is never half a filter. */
export function filterRules(
  chains: Chains,
  { all, local }: { all: string; local: string },
  blocked: string[],
  dns: string[],
): string {
  // Refused at once, so that programs do not hang; the kernel limits how many ICMP answers it sends, but not resets.
  const refusals = [
    '-p tcp -j REJECT --reject-with tcp-reset',
    '-j REJECT --reject-with icmp-admin-prohibited',
  ]
  const forward = [
    `-o ${all} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
    `-o ${all} -j DROP`,
    ...refusals.map((refusal) => `-i ${local} ${refusal}`),
    ...dns.flatMap((address) =>
      ['udp', 'tcp'].map((protocol) => `-d ${address}/32 -p ${protocol} --dport 53 -j ACCEPT`),
    ),
    ...blocked.flatMap((range) => refusals.map((refusal) => `-d ${range} ${refusal}`)),
    '-j ACCEPT',
  ]
  return [
    '*filter',
    `:${chains.forward} - [0:0]`,
    `:${chains.input} - [0:0]`,
    ...forward.map((rule) => `-A ${chains.forward} ${rule}`),
    // What this machine asked of an instance is answered; what an instance begins is not heard.
    `-A ${chains.input} -m conntrack --ctstate ESTABLISHED --ctdir REPLY -j ACCEPT`,
    ...refusals.map((refusal) => `-A ${chains.input} ${refusal}`),
    'COMMIT',
    '*nat',
    `:${chains.nat} - [0:0]`,
    `-A ${chains.nat} -s ${RANGE} ! -o ${all} -j MASQUERADE`,
    'COMMIT',
    '',
  ].join('\n')
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

  async function setFilter(dns: string[]) {
    await must('iptables-restore', ['-w', '10', '--noflush'], {
      input: filterRules(chains, { all: devices, local: `kn${installation}l+` }, blockedRanges(), dns),
    })
    for (const table of ['filter', 'nat']) {
      const { stdout } = await must('iptables', ['-w', '10', '-t', table, '-S'])
      const there = stdout.split('\n')
      for (const [of, chain, rule] of jumps) {
        if (of !== table || there.some((it) => it === `-A ${chain} ${rule.join(' ')}`)) continue
        await must('iptables', ['-w', '10', '-t', table, '-I', chain, ...rule])
      }
    }
  }

  async function isNeeded(): Promise<boolean> {
    const names = await readdir('/sys/class/net')
    return names.some((it) => it.startsWith(devices.slice(0, -1)))
  }

  async function stands(): Promise<boolean> {
    // A chain is set in one commit: while its last rule is there, all are.
    const marks: typeof jumps = [
      ...jumps,
      ['filter', chains.forward, ['-j', 'ACCEPT']],
      ['filter', chains.input, ['-j', 'REJECT', '--reject-with', 'icmp-admin-prohibited']],
      ['nat', chains.nat, ['-s', RANGE, '!', '-o', devices, '-j', 'MASQUERADE']],
    ]
    for (const [table, chain, rule] of marks) if (!(await hasRule([chain, ...rule], table))) return false
    return true
  }

  async function clearFilter() {
    if (await isNeeded()) return
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
  async function forwardOn(device: string, known: { dst?: string; dev?: string }[]) {
    const ways = known.filter((it) => it.dst === 'default' && it.dev).map((it) => it.dev!)
    for (const it of new Set([device, ...ways]))
      await writeFile(`/proc/sys/net/ipv4/conf/${it}/forwarding`, '1')
  }

  async function take(paths: InstancePaths) {
    // Deleting the namespace alone leaves the pair for a moment: both by name, and neither need be there.
    for (const device of [paths.networkDevice, paths.localDevice])
      if (existsSync(`/sys/class/net/${device}`)) await run('ip', ['link', 'delete', device])
    if (existsSync(namespacePath(paths))) await run('ip', ['netns', 'delete', paths.name])
  }

  return {
    async make(paths, kind, signal) {
      return exclusively(async () => {
        signal.throwIfAborted()
        await take(paths)
        const namespace = paths.name
        const outside = kind === 'local' ? paths.localDevice : paths.networkDevice
        await mkdir('/run/netns', { recursive: true })
        await must('ip', ['netns', 'add', namespace])
        const known = await routesHere()
        const piece = freePiece(RANGE, BITS, takenBy(known))
        const ours = toAddress(toNumber(piece) + 1)
        const its = toAddress(toNumber(piece) + 2)
        const pair = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]
        await must('ip', ['link', 'add', outside, ...pair])
        const dns = await resolvers()
        // The filter stands before the first packet can pass.
        await setFilter(dns)
        // No IPv6 address on either end: what is not filtered must not exist.
        await batch(
          [],
          [
            `link set ${outside} addrgenmode none`,
            `addr add ${ours}/30 dev ${outside}`,
            `link set ${outside} up`,
          ],
        )
        await batch(
          ['-n', namespace],
          [
            'link set eth0 addrgenmode none',
            `addr add ${its}/30 dev eth0`,
            'link set lo up',
            'link set eth0 up',
            ...(kind === 'local' ? [] : [`route add default via ${ours}`]),
          ],
        )
        if (kind === 'internet') await forwardOn(outside, known)
        // A new device may begin with it, where this machine is a router.
        else await writeFile(`/proc/sys/net/ipv4/conf/${outside}/forwarding`, '0')
        return {
          namespace: namespacePath(paths),
          address: its,
          resolvers: kind === 'internet' ? dns : [],
        }
      })
    },
    async remove(paths) {
      await exclusively(async () => {
        await take(paths)
        await clearFilter()
      })
    },
    mend: () =>
      exclusively(async () => {
        if (!(await isNeeded()) || (await stands())) return false
        await setFilter(await resolvers())
        return true
      }),
    clear: () => exclusively(clearFilter),
  }
}
