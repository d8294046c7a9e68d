/**
 * A network of its own for each instance: a bridge that nothing else is on, with a few addresses out of one private range. Given
 * addresses it takes none of the engine's default pools, of which there are about thirty.
 */
import { createHash } from 'node:crypto'
import type { NetworkInspectInfo } from 'dockerode'
import { freePiece, routesHere, takenBy } from '../pieces.ts'
import { containerName, LABELS, type Owned, ownerLabels } from './container.ts'
import { type Engine, statusOf } from './engine.ts'
import { bridgePrefix, createBridgeFilter } from './filter.ts'

/** Where nothing else is configured; the sandboxes have the range before it. */
export const USUAL_RANGE = '10.214.0.0/16'
/** Eight addresses: the bridge, the instance, and those that mean a whole network. */
const BITS = 29
/** Pieces that somebody else holds without a route, or takes between our look and our asking. */
const ATTEMPTS = 64

/** local: leads nowhere. */
type NetworkKind = 'internet' | 'local'
/** What the engine's own resolver asks from inside: nobody, where nothing leads out. */
const NOBODY = ['127.0.0.1']

export interface InstanceNetworks {
  /** False where we may not set the filter: instances then have no network at all. */
  readonly isPossible: boolean
  /** Its network and the filter stand when this resolves. Can be done twice. */
  make(owned: Owned, kind?: NetworkKind): Promise<{ network: string; resolvers: string[] }>
  /** Takes it away; with the last one the filter goes too. Can be done twice. */
  remove(instanceId: string, generation: number): Promise<void>
  /** Sets the filter anew where networks are: whatever came back may have come back without it. */
  keep(): Promise<void>
  /** The same, where somebody took rules of it away: a firewall that was loaded anew. Answers whether that was so. */
  mend(): Promise<boolean>
  /** Takes all of this installation away, and the filter. Answers how many there were. */
  removeAll(): Promise<number>
  /** All of this installation, or of one instance, as the engine has them. */
  list(instanceId?: string): Promise<NetworkInspectInfo[]>
}

/** 15 letters, which is the most (IFNAMSIZ). */
export const bridgeName = (installation: string, network: string, kind: NetworkKind = 'internet') =>
  (bridgePrefix(installation, kind) + createHash('sha256').update(network).digest('hex').slice(0, 8)).slice(
    0,
    15,
  )

/** Older engines say 403, newer ones 400: what they agree on is the word. */
const isOverlap = (error: unknown) => statusOf(error) !== null && /overlap/i.test(String(error))

export function createInstanceNetworks(
  engine: Engine,
  installation: string,
  range = USUAL_RANGE,
): InstanceNetworks {
  const filter = createBridgeFilter(installation)
  const isPossible = process.getuid?.() === 0
  /** Those that rely on the filter but are not yet to be seen in the engine. */
  let making = 0

  async function list(instanceId?: string) {
    const label = Object.entries(ownerLabels({ installation, instanceId })).map((it) => it.join('='))
    return (await engine.client()).listNetworks({ filters: JSON.stringify({ label }) })
  }

  async function isThere(name: string): Promise<boolean> {
    try {
      const found: NetworkInspectInfo = await (await engine.client()).getNetwork(name).inspect()
      return found.Labels?.[LABELS.installation] === installation
    } catch (error) {
      if (statusOf(error) === 404) return false
      throw error
    }
  }

  async function create(name: string, owned: Owned, kind: NetworkKind): Promise<void> {
    const client = await engine.client()
    const taken = takenBy(await routesHere())
    for (let attempt = 1; ; attempt += 1) {
      const subnet = `${freePiece(range, BITS, taken)}/${BITS}`
      try {
        await client.createNetwork({
          Name: name,
          Driver: 'bridge',
          CheckDuplicate: true,
          EnableIPv6: false,
          // The engine then gives it no way out, and lets nothing of it pass: a second wall behind our own.
          Internal: kind === 'local',
          IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] },
          Labels: ownerLabels({ installation, ...owned }),
          Options: {
            'com.docker.network.bridge.name': bridgeName(installation, name, kind),
            'com.docker.network.bridge.enable_icc': 'false',
          },
        })
        return
      } catch (error) {
        // An earlier call of ours got this far.
        if (await isThere(name)) return
        // The engine is the judge: what it refuses is somebody's, and the next piece is tried.
        if (!isOverlap(error) || attempt === ATTEMPTS) throw error
        taken.push(subnet)
      }
    }
  }

  async function removeOne(id: string): Promise<void> {
    const network = (await engine.client()).getNetwork(id)
    try {
      await network.remove()
    } catch (error) {
      if (statusOf(error) === 404) return
      if (statusOf(error) !== 403) throw error
      // The engine died while a container was on it, or is still taking the container away.
      const held: NetworkInspectInfo = await network.inspect()
      for (const container of Object.keys(held.Containers ?? {}))
        await network.disconnect({ Container: container, Force: true }).catch(passOverGone)
      await network.remove().catch(passOverGone)
    }
  }

  return {
    isPossible,
    list,
    async make(owned, kind = 'internet') {
      const network = containerName(owned.instanceId, owned.generation)
      making += 1
      try {
        // Stands before the bridge does: there is no moment without it.
        const resolvers = await filter.set()
        if (!(await isThere(network))) await create(network, owned, kind)
        return { network, resolvers: kind === 'local' ? NOBODY : resolvers }
      } finally {
        making -= 1
      }
    },
    async remove(instanceId, generation) {
      const its = (await list(instanceId)).filter(
        (it) => it.Labels?.[LABELS.generation] === String(generation),
      )
      for (const { Id } of its) await removeOne(Id)
      if (isPossible && its.length > 0)
        await filter.clear(async () => making > 0 || (await list()).length > 0)
    },
    async keep() {
      if (isPossible && (await list()).length > 0) await filter.set()
    },
    async mend() {
      if (!isPossible || (await list()).length === 0 || (await filter.stands())) return false
      await filter.set()
      return true
    },
    async removeAll() {
      const all = await list()
      for (const { Id } of all) await removeOne(Id)
      if (isPossible) await filter.clear(async () => false)
      return all.length
    },
  }
}

const passOverGone = (error: unknown) => {
  if (statusOf(error) !== 404) throw error
}
