/** An instance spec as a pod: the restricted profile of the Pod Security Standards, and nothing of the cluster inside. */
import { id } from '@kalnet/contracts/basics'
import { HOME, type InstanceSpec } from '@kalnet/contracts/instance'
import type { V1Container, V1Pod, V1Volume, V1VolumeMount } from '@kubernetes/client-node'
import { givenFolders } from '../given.ts'
import { keepsHome } from '../home.ts'
import { linkPlaces } from '../links.ts'
import type { EnsureRequest, Handle } from '../platform.ts'
import { CONTAINER, GATE, LABELS, NOTES, ownerLabels, podName, volumeName } from './names.ts'
import { DIRECT, DISPLAY_PORT, hasScreen, portsOf } from './ports.ts'
import { screenNames, screenPath } from './screen.ts'

export const UID = 1000
/** What programs get to end by themselves; a cluster lets it be chosen only at the start. */
export const GRACE_SECONDS = 5

export interface Surroundings {
  installation: string
  namespace: string
  image: string
  pullSecret?: string
  /** It is reached by its address. */
  direct?: boolean
}

const own = (name: string, sizeLimit?: string): V1Volume => ({
  name,
  emptyDir: sizeLimit ? { sizeLimit } : {},
})
const memory = (name: string, bytes: number): V1Volume => ({
  name,
  emptyDir: { medium: 'Memory', sizeLimit: String(bytes) },
})
const at = (name: string, mountPath: string): V1VolumeMount => ({ name, mountPath })

/** Its home, what it may write, its volumes, and what is given to it. */
function storage(request: EnsureRequest, around: Surroundings) {
  const { spec } = request
  const { sharedMemoryBytes } = spec.resources
  const secret = podName(around.installation, request.instanceId, request.generation)
  const given = [...givenFolders(spec), ...(hasScreen(spec) ? ['display'] : [])]
  const volumes: V1Volume[] = [
    ...(keepsHome(spec) ? [] : [own('home')]),
    own('temporary', '2Gi'),
    own('temporary-kept', '2Gi'),
    own('run'),
    ...(sharedMemoryBytes > 0 ? [memory('shared-memory', sharedMemoryBytes)] : []),
    ...given.map((folder) => ({
      name: `given-${folder}`,
      secret: {
        secretName: secret,
        // By its group alone: the owner is the machine's root, so that nothing inside can change it.
        defaultMode: 0o440,
        optional: true,
        items: itemsOf(request, folder, Boolean(around.direct)),
      },
    })),
    ...spec.volumes.map((it, index) => ({
      name: `volume-${index}`,
      persistentVolumeClaim: { claimName: volumeName(around.installation, it.id) },
    })),
  ]
  const volumeMounts: V1VolumeMount[] = [
    ...(keepsHome(spec) ? [] : [at('home', HOME)]),
    at('temporary', '/tmp'),
    at('temporary-kept', '/var/tmp'),
    at('run', '/run/kalnet'),
    ...(sharedMemoryBytes > 0 ? [at('shared-memory', '/dev/shm')] : []),
    ...given.map((it) => ({ ...at(`given-${it}`, `/run/kalnet/${it}`), readOnly: true })),
    ...spec.volumes.map((it, index) => ({ ...at(`volume-${index}`, it.at), readOnly: it.readOnly })),
  ]
  return { volumes, volumeMounts }
}

/** One Secret holds all that is given; each folder shows its part. What an identity has is known only when it comes. */
function itemsOf({ spec }: EnsureRequest, folder: string, isDirect: boolean) {
  const named: { name: string; mode?: number }[] =
    folder === 'files'
      ? spec.files
      : folder === 'display'
        ? screenNames(isDirect)
        : ['cert.pem', 'key.pem', 'ca.pem'].map((name) => ({ name }))
  return named.map(({ name, mode }) => ({ key: givenKey(folder, name), path: name, ...(mode && { mode }) }))
}
export const givenKey = (folder: string, name: string): string => `${folder}.${name}`

/** A cluster fills in `$(NAME)` and makes one of two dollars: what is meant is what stands there. */
const asItIs = (text: string) => text.replace(/\$/g, () => '$$')

const limitsOf = ({ cpus, memoryBytes }: InstanceSpec['resources']) => ({
  cpu: `${Math.round(cpus * 1000)}m`,
  memory: String(memoryBytes),
})

function container(request: EnsureRequest, around: Surroundings): V1Container {
  const { spec } = request
  const environment = {
    HOME: '/home/user',
    LANG: 'C.UTF-8',
    ...(hasScreen(spec) && { KALNET_DISPLAY_PORT: String(DISPLAY_PORT) }),
    ...spec.environment,
    ...(hasScreen(spec) && around.direct && screenPath(spec.environment)),
  }
  const limits = limitsOf(spec.resources)
  return {
    name: CONTAINER,
    image: around.image,
    // By its digest it can be nothing else; a name of somebody else's image may mean another one tomorrow.
    imagePullPolicy: 'IfNotPresent',
    ...(spec.command.length > 0 && { command: spec.command }),
    env: Object.entries(environment).map(([name, value]) => ({ name, value: asItIs(value) })),
    workingDir: spec.workdir,
    resources: {
      limits,
      requests: { ...limits, cpu: `${Math.max(10, Math.round(spec.resources.cpus * 100))}m` },
    },
    securityContext: {
      runAsNonRoot: true,
      runAsUser: UID,
      runAsGroup: UID,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      privileged: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: storage(request, around).volumeMounts,
    terminationMessagePolicy: 'File',
  }
}

export function podOf(request: EnsureRequest, around: Surroundings): V1Pod {
  const { spec, instanceId, generation } = request
  const links = Object.entries(linkPlaces(spec.links))
  const it = container(request, around)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(around.installation, instanceId, generation),
      namespace: around.namespace,
      labels: ownerLabels({ installation: around.installation, ...request }),
      annotations: {
        [NOTES.ports]: JSON.stringify(portsOf(spec)),
        ...(around.direct && { [NOTES.reach]: DIRECT }),
      },
    },
    spec: {
      // It waits for its walls and its files; the API starts nothing before.
      schedulingGates: [{ name: GATE }],
      containers: [{ ...it, ...(it.command && { command: it.command.map((word) => asItIs(word)) }) }],
      // Starting again is a new generation and the control plane's decision.
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: GRACE_SECONDS,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      hostname: 'kalnet',
      hostNetwork: false,
      hostPID: false,
      hostIPC: false,
      shareProcessNamespace: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: UID,
        runAsGroup: UID,
        fsGroup: UID,
        fsGroupChangePolicy: 'OnRootMismatch',
        // Its own links may have any port; nothing but its own network is meant by it.
        sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(around.pullSecret && { imagePullSecrets: [{ name: around.pullSecret }] }),
      ...(links.length > 0 && {
        hostAliases: links.map(([name, { host }]) => ({ ip: host, hostnames: [name] })),
      }),
      volumes: storage(request, around).volumes,
    },
  }
}

/** Found again by its labels; null when they are not ours to read. */
export function handleFrom(pod: V1Pod): Handle | null {
  const { name = '', namespace = '', labels = {}, annotations = {} } = pod.metadata ?? {}
  const instanceId = labels[LABELS.instance]
  const generation = Number(labels[LABELS.generation])
  if (!id.safeParse(instanceId).success || !instanceId) return null
  if (!Number.isInteger(generation) || generation < 1) return null
  // Whoever writes our labels on a pod of his own, or on another one of ours, makes it nobody's.
  if (name !== podName(labels[LABELS.installation] ?? '', instanceId, generation)) return null
  const data: Handle['data'] = { pod: name, namespace }
  if (annotations[NOTES.reach] === DIRECT) data.reach = DIRECT
  try {
    const ports = JSON.parse(annotations[NOTES.ports] ?? '{}') as Record<string, unknown>
    for (const [port, where] of Object.entries(ports))
      if (typeof where === 'string') data[`port.${port}`] = where
  } catch {
    // Somebody changed the note: its ports are not reached, but it is found and can be ended.
  }
  return { platform: 'kubernetes', instanceId, generation, data }
}
