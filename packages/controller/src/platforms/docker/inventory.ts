/** What this installation has in the engine, found by its labels: containers, and networks whose container a crash prevented. */
import type { ContainerInfo } from 'dockerode'
import type { Handle } from '../platform.ts'
import { handleFrom, ownerLabels } from './container.ts'
import type { Engine } from './engine.ts'
import type { InstanceNetworks } from './network.ts'

export interface Found {
  handle: Handle
  /** As the engine calls it; null when there is no container, only what was made for one. */
  state: string | null
}

export const containersOf = async (
  engine: Engine,
  of: { installation: string; instanceId?: string },
): Promise<ContainerInfo[]> => {
  const label = Object.entries(ownerLabels(of)).map((it) => it.join('='))
  return (await engine.client()).listContainers({ all: true, filters: JSON.stringify({ label }) })
}

export async function findOurs(
  parts: { engine: Engine; networks: InstanceNetworks; installation: string },
  instanceId?: string,
): Promise<Found[]> {
  const { engine, networks, installation } = parts
  // Networks first: a container that is made in between has one, and is then seen as what it is.
  const alone = await networks.list(instanceId)
  const containers = await containersOf(engine, { installation, instanceId })
  const found = containers.flatMap((it) => {
    const handle = handleFrom(it.Id, it.Labels)
    return handle ? [{ handle, state: it.State }] : []
  })
  const isHeld = (handle: Handle) =>
    found.some(({ handle: it }) => it.instanceId === handle.instanceId && it.generation === handle.generation)
  // By its name, which is the container's too: to the engine that is as good as an id, and nothing is there by it.
  const left = alone.flatMap(({ Name, Labels }) => handleFrom(Name, Labels ?? {}) ?? [])
  return [...found, ...left.filter((it) => !isHeld(it)).map((handle) => ({ handle, state: null }))]
}
