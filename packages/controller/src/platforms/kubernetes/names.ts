/** What our things are called in a cluster and by what we know them again. Names are hashes: nothing of an instance can bend them. */
import { createHash } from 'node:crypto'

export const LABELS = {
  installation: 'kalnet.io/installation',
  instance: 'kalnet.io/instance',
  generation: 'kalnet.io/generation',
  organisation: 'kalnet.io/organisation',
  volume: 'kalnet.io/volume',
} as const
/** What is too long or too free for a label. */
export const NOTES = { ports: 'kalnet.io/ports', changed: 'kalnet.io/files-changed' } as const
/** A pod waits at it until everything that must stand before it does. */
export const GATE = 'kalnet.io/prepared'
export const CONTAINER = 'instance'

const hash = (...words: string[]) => createHash('sha256').update(words.join('\n')).digest('hex').slice(0, 32)

/** The same for the same id and generation, so that creating twice is one thing for the API itself. */
export const podName = (installation: string, instanceId: string, generation: number) =>
  `kalnet-${hash(installation, instanceId, String(generation))}`
export const volumeName = (installation: string, volumeId: string) =>
  `kalnet-volume-${hash(installation, volumeId)}`

export interface Owned {
  instanceId: string
  generation: number
  organisationId: string
}

export const ownerLabels = (of: { installation: string } & Partial<Owned>): Record<string, string> => ({
  'app.kubernetes.io/managed-by': 'kalnet',
  [LABELS.installation]: of.installation,
  ...(of.instanceId && { [LABELS.instance]: of.instanceId }),
  ...(of.generation && { [LABELS.generation]: String(of.generation) }),
  ...(of.organisationId && { [LABELS.organisation]: of.organisationId }),
})

/** A selector as the API takes it in an address. */
export const selector = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')

const core = (namespace: string, kind: string, name = '') =>
  `/api/v1/namespaces/${namespace}/${kind}${name && `/${name}`}`
export const paths = {
  pods: (namespace: string) => core(namespace, 'pods'),
  pod: (namespace: string, name: string) => core(namespace, 'pods', name),
  secret: (namespace: string, name: string) => core(namespace, 'secrets', name),
  claim: (namespace: string, name: string) => core(namespace, 'persistentvolumeclaims', name),
  claims: (namespace: string) => core(namespace, 'persistentvolumeclaims'),
  policy: (namespace: string, name: string) =>
    `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/${name}`,
}
