/** An instance spec as the engine is told it: read-only root, no rights, limits, and labels by which we find it again. */
import { join } from 'node:path'
import { HOME } from '@kalnet/contracts/instance'
import type { ContainerCreateOptions } from 'dockerode'
import { givenFolders } from '../given.ts'
import { keepsHome } from '../home.ts'
import { linkPlaces } from '../links.ts'
import type { EnsureRequest, Handle } from '../platform.ts'
import { needsName } from './folders.ts'
import { portsOf } from './ports.ts'

export const LABELS = {
  installation: 'io.kalnet.installation',
  instance: 'io.kalnet.instance',
  generation: 'io.kalnet.generation',
  organisation: 'io.kalnet.organisation',
  ports: 'io.kalnet.ports',
} as const

export interface Owned {
  instanceId: string
  generation: number
  organisationId: string
}

/** By what we know our things in the engine again; each part that is left out says less. */
export const ownerLabels = (of: { installation: string } & Partial<Owned>): Record<string, string> => ({
  [LABELS.installation]: of.installation,
  ...(of.instanceId && { [LABELS.instance]: of.instanceId }),
  ...(of.generation && { [LABELS.generation]: String(of.generation) }),
  ...(of.organisationId && { [LABELS.organisation]: of.organisationId }),
})

/** Made of id and generation: creating twice is refused by the engine itself. */
export const containerName = (instanceId: string, generation: number) => `kalnet-${instanceId}-${generation}`

export interface Surroundings {
  installation: string
  image: string
  uid: number
  /** The engine's network, or null for none. */
  network: string | null
  resolvers: string[]
  paths: { home: string; passwd: string; group: string; run: string; given: string }
  folderOf(volumeId: string): string
}

const PERIOD_NANO = 1_000_000_000
const LOG = { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } }

function mount(source: string, target: string, isReadOnly = false) {
  const how = { Propagation: 'rprivate' as const }
  return { Type: 'bind' as const, Source: source, Target: target, ReadOnly: isReadOnly, BindOptions: how }
}

export function createOptions(request: EnsureRequest, around: Surroundings): ContainerCreateOptions {
  const { spec } = request
  const { resources } = spec
  const environment = { HOME: '/home/user', LANG: 'C.UTF-8', ...spec.environment }
  const temporary = `rw,exec,nosuid,nodev,mode=1777,size=${resources.memoryBytes}`
  return {
    name: containerName(request.instanceId, request.generation),
    Image: around.image,
    // A command is whole as it is, whatever somebody else's image says; without one the image's own begins.
    ...(spec.command.length > 0 && { Entrypoint: [], Cmd: spec.command }),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    WorkingDir: spec.workdir,
    User: `${around.uid}:${around.uid}`,
    Hostname: 'kalnet',
    Labels: {
      ...ownerLabels({ installation: around.installation, ...request }),
      [LABELS.ports]: JSON.stringify(portsOf(spec, true)),
    },
    HostConfig: {
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      IpcMode: 'private',
      NanoCpus: Math.round(resources.cpus * PERIOD_NANO),
      Memory: resources.memoryBytes,
      // The same figure: no swap beyond it.
      MemorySwap: resources.memoryBytes,
      PidsLimit: resources.processes,
      ...(resources.sharedMemoryBytes > 0 && { ShmSize: resources.sharedMemoryBytes }),
      Tmpfs: { '/tmp': temporary, '/var/tmp': temporary },
      Mounts: [
        mount(around.paths.run, '/run/kalnet'),
        // A home of its own, where none is kept as a volume: the engine takes one for each place.
        ...(keepsHome(spec) ? [] : [mount(around.paths.home, HOME)]),
        ...givenFolders(spec).map((it) => mount(join(around.paths.given, it), `/run/kalnet/${it}`, true)),
        ...spec.volumes.map((it) => mount(around.folderOf(it.id), it.at, it.readOnly)),
        ...(needsName(around.uid)
          ? [mount(around.paths.passwd, '/etc/passwd', true), mount(around.paths.group, '/etc/group', true)]
          : []),
      ],
      NetworkMode: around.network ?? 'none',
      ...(around.network && { Dns: around.resolvers }),
      ExtraHosts: Object.entries(linkPlaces(spec.links)).map(([name, { host }]) => `${name}:${host}`),
      // Starting again is a new generation and the control plane's decision.
      RestartPolicy: { Name: 'no' },
      LogConfig: LOG,
    },
  }
}

/** Found again by its labels; null when they are not ours to read. */
export function handleFrom(containerId: string, labels: Record<string, string>): Handle | null {
  const instanceId = labels[LABELS.instance]
  const generation = Number(labels[LABELS.generation])
  if (!instanceId || !Number.isInteger(generation) || generation < 1) return null
  const ports = JSON.parse(labels[LABELS.ports] ?? '{}') as Record<string, string | number>
  const data: Handle['data'] = { container: containerId }
  for (const [name, at] of Object.entries(ports)) data[`port.${name}`] = at
  return { platform: 'docker', instanceId, generation, data }
}
