/** One bridge of our own in the engine: instances on it reach neither each other nor this machine nor its LAN. */
import { must, run } from '@kalnet/io/spawn'
import { createMutex } from '../mutex.ts'
import { blockedRanges, resolvers } from '../process/blocked.ts'
import { type Engine, statusOf } from './engine.ts'

export interface EngineNetwork {
  /** False where we may not set the filter: instances then have no network at all. */
  readonly isPossible: boolean
  /** Bridge and filter stand when this resolves. Can be done twice. */
  ensure(): Promise<{ network: string; resolvers: string[] }>
}

/** As iptables-restore reads them; one commit, so there is never half a filter. */
export function bridgeRules(
  chains: { forward: string; input: string },
  blocked: string[],
  dns: string[],
): string {
  const forward = [
    ...dns.flatMap((address) =>
      ['udp', 'tcp'].map((protocol) => `-d ${address}/32 -p ${protocol} --dport 53 -j RETURN`),
    ),
    ...blocked.map((range) => `-d ${range} -j REJECT --reject-with icmp-admin-prohibited`),
    '-j RETURN',
  ]
  return [
    '*filter',
    `:${chains.forward} - [0:0]`,
    `:${chains.input} - [0:0]`,
    ...forward.map((rule) => `-A ${chains.forward} ${rule}`),
    `-A ${chains.input} -j DROP`,
    'COMMIT',
    '',
  ].join('\n')
}

/**
 * One for all installations on an engine: it has room for about thirty networks only, and neighbours on this one do not see each
 * other anyway. It stays when the last instance goes, so that the next one starts faster.
 */
const NETWORK = 'kalnet'
const BRIDGE = 'kalnet0'
const chains = { forward: 'KALNET-DOCKER', input: 'KALNET-DOCKER-IN' }

export function createEngineNetwork(engine: Engine): EngineNetwork {
  const jumps: [chain: string, rule: string[]][] = [
    // The engine leaves DOCKER-USER to its users and asks it first.
    ['DOCKER-USER', ['-i', BRIDGE, '-j', chains.forward]],
    ['INPUT', ['-i', BRIDGE, '-j', chains.input]],
  ]
  const exclusively = createMutex()

  async function ensureBridge() {
    const client = await engine.client()
    try {
      await client.getNetwork(NETWORK).inspect()
      return
    } catch (error) {
      if (statusOf(error) !== 404) throw error
    }
    try {
      await client.createNetwork({
        Name: NETWORK,
        Driver: 'bridge',
        CheckDuplicate: true,
        Options: {
          'com.docker.network.bridge.name': BRIDGE,
          'com.docker.network.bridge.enable_icc': 'false',
        },
      })
    } catch (error) {
      // Somebody was faster; it is the same network.
      if (statusOf(error) !== 409) throw error
    }
  }

  async function ensureFilter(dns: string[]) {
    await must('iptables-restore', ['-w', '10', '--noflush'], {
      input: bridgeRules(chains, blockedRanges(), dns),
    })
    for (const [chain, rule] of jumps) {
      const there = await run('iptables', ['-w', '10', '-C', chain, ...rule])
      if (there.code !== 0) await must('iptables', ['-w', '10', '-I', chain, ...rule])
    }
  }

  return {
    isPossible: process.getuid?.() === 0,
    ensure: () =>
      exclusively(async () => {
        const dns = await resolvers()
        await ensureBridge()
        await ensureFilter(dns)
        return { network: NETWORK, resolvers: dns }
      }),
  }
}
