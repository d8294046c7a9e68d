/** What our things are called in a cluster and by what we know them again. Names are hashes: nothing of an instance can bend them. */
import { createHash } from 'node:crypto'

export const LABELS = {
  installation: 'kalnet.io/installation',
  instance: 'kalnet.io/instance',
  generation: 'kalnet.io/generation',
  organisation: 'kalnet.io/organisation',
  volume: 'kalnet.io/volume',
  /** Of a pod that only brings an image: which. */
  brings: 'kalnet.io/brings',
} as const
/** What is too long or too free for a label. */
export const NOTES = {
  ports: 'kalnet.io/ports',
  changed: 'kalnet.io/files-changed',
  reach: 'kalnet.io/reach',
  /** Its policy as the cluster took it. */
  walls: 'kalnet.io/walls',
} as const
/** A pod waits at it until everything that must stand before it does. */
export const GATE = 'kalnet.io/prepared'
export const CONTAINER = 'instance'

/** Of a hash: twelve tell a million apart from each other. */
export const SPACE_LETTERS = 12
const hash = (...words: string[]) => createHash('sha256').update(words.join('\n')).digest('hex').slice(0, 32)

/** The same for the same id and generation, so that creating twice is one thing for the API itself. */
export const podName = (installation: string, instanceId: string, generation: number) =>
  `kalnet-${hash(installation, instanceId, String(generation))}`
/** Of one organisation: nobody else's controller comes to the same. */
export const spaceName = (prefix: string, installation: string, organisationId: string) =>
  `${prefix}-${hash(installation, organisationId).slice(0, SPACE_LETTERS)}`
export const volumeName = (installation: string, volumeId: string) =>
  `kalnet-volume-${hash(installation, volumeId)}`

/** One pod: its name alone says it only within its namespace. */
export interface Where {
  namespace: string
  name: string
}

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
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const WALLS = '/apis/networking.k8s.io/v1'
export const paths = {
  namespaces: '/api/v1/namespaces',
  namespace: (name: string) => `/api/v1/namespaces/${name}`,
  binding: (namespace: string, name: string) => `${RBAC}/namespaces/${namespace}/rolebindings/${name}`,
  quota: (namespace: string, name: string) => core(namespace, 'resourcequotas', name),
  limits: (namespace: string, name: string) => core(namespace, 'limitranges', name),
  /** Null: of all namespaces. */
  pods: (namespace: string | null) => (namespace === null ? '/api/v1/pods' : core(namespace, 'pods')),
  pod: (namespace: string, name: string) => core(namespace, 'pods', name),
  secret: (namespace: string, name: string) => core(namespace, 'secrets', name),
  claim: (namespace: string, name: string) => core(namespace, 'persistentvolumeclaims', name),
  claims: (namespace: string | null) =>
    namespace === null ? '/api/v1/persistentvolumeclaims' : core(namespace, 'persistentvolumeclaims'),
  /** What pods use, where somebody measures. */
  metrics: (namespace: string) => `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`,
  policies: (namespace: string | null) =>
    `${WALLS}/${namespace === null ? '' : `namespaces/${namespace}/`}networkpolicies`,
  policy: (namespace: string, name: string) => `${WALLS}/namespaces/${namespace}/networkpolicies/${name}`,
}
