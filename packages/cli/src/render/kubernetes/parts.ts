/** What all parts of Kalnet on a cluster have alike: names, labels, and pods of the restricted profile. */
import { IMAGE_USER } from '../dockerfile.ts'
import { type Node, type Path, Text, text, when, whole } from './nodes.ts'

export type Fields = { readonly [key: string]: Node }
export const PORT = 7400

export const nameOf = (part: string): Text => new Text([{ path: 'release.name' }, `-${part}`])
/** Which pods are a part of this installation. */
export const selector = (part: string): Fields => ({
  'app.kubernetes.io/name': 'kalnet',
  'app.kubernetes.io/instance': text`${'release.name'}`,
  'app.kubernetes.io/component': part,
})
export const metadata = (part: string, more: Fields = {}): Fields => ({
  name: nameOf(part),
  namespace: text`${'release.namespace'}`,
  labels: selector(part),
  ...more,
})
export const variable = (name: string, value: Node): Fields => ({ name, value })
/** From the Secret that people make; `optional`: it may come later. */
export const secret = (name: string, key: string, optional = true): Fields => ({
  name,
  valueFrom: { secretKeyRef: { name: text`${'secret'}`, key, optional } },
})

const container: Fields = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}
const podSecurity = (user: Node): Fields => ({
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  // Large volumes are not gone through at every start.
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
})

interface Pod {
  part: string
  account?: Node
  user?: Node
  image: Path
  /** Fields of the container beside its image and security. */
  container: Fields
  volumes: readonly Node[]
  mounts: readonly Node[]
  resources: Path
  more?: Fields
}
/** A pod that may nothing: no rights, a root that is only read, no account of the cluster unless it is given one. */
export const podTemplate = (it: Pod): Fields => ({
  metadata: { labels: selector(it.part) },
  spec: {
    ...(it.account
      ? { serviceAccountName: it.account }
      : { serviceAccountName: nameOf('parts'), automountServiceAccountToken: false }),
    enableServiceLinks: false,
    imagePullSecrets: whole('imagePullSecrets'),
    securityContext: podSecurity(it.user ?? IMAGE_USER),
    ...it.more,
    containers: [
      {
        name: it.part,
        image: text`${it.image}`,
        ...it.container,
        securityContext: container,
        volumeMounts: [...it.mounts, { name: 'temporary', mountPath: '/tmp' }],
        resources: whole(it.resources),
      },
    ],
    volumes: [...it.volumes, { name: 'temporary', emptyDir: { sizeLimit: '256Mi' } }],
  },
})

/** What people's data lies in: helm takes it away neither with `uninstall` nor when a value says that it is no longer ours. */
export const KEPT: Fields = { 'helm.sh/resource-policy': 'keep' }

export const claim = (part: string, size: Path, storageClass: Path): Fields => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: metadata(part, { annotations: KEPT }),
  spec: claimSpec(size, storageClass),
})
export const claimSpec = (size: Path, storageClass: Path): Fields => ({
  accessModes: ['ReadWriteOnce'],
  storageClassName: when(storageClass, text`${storageClass}`),
  resources: { requests: { storage: text`${size}` } },
})

/** Where Kalnet keeps keys and data, and its sockets: it makes the folders itself, with their rights. */
export const HOME_MOUNTS: readonly Node[] = [
  { name: 'home', mountPath: '/var/kalnet' },
  { name: 'run', mountPath: '/run' },
]
export const HOME_VARIABLES: readonly Node[] = [
  variable('XDG_CONFIG_HOME', '/var/kalnet/config'),
  variable('XDG_DATA_HOME', '/var/kalnet/data'),
  variable('XDG_RUNTIME_DIR', '/run'),
  variable('HOME', '/var/kalnet'),
]
export const RUN_VOLUME: Node = { name: 'run', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } }

/** Who is trusted besides those everybody knows. */
const AUTHORITIES = '/var/kalnet-authorities'
export const TRUST_VARIABLE = when(
  'authorities',
  variable('NODE_EXTRA_CA_CERTS', `${AUTHORITIES}/authorities.crt`),
)
export const TRUST_MOUNT = when('authorities', {
  name: 'authorities',
  mountPath: AUTHORITIES,
  readOnly: true,
})
export const TRUST_VOLUME = when('authorities', {
  name: 'authorities',
  configMap: { name: text`${'authorities'}` },
})

export const probe = (how: Fields, more: Fields = {}): Fields => ({ timeoutSeconds: 5, ...how, ...more })
export const openPort = (port: Node): Fields => ({ tcpSocket: { port } })

export const healthy = (...words: string[]): Fields => ({
  exec: { command: ['node', '/opt/kalnet/packages/cli/src/healthy.ts', ...words] },
  // It gives up by itself before: a program is started each time, on a machine that may have much to do.
  timeoutSeconds: 15,
})
export const heldVolume = (name: Node): Node => ({ name: 'home', persistentVolumeClaim: { claimName: name } })
export const join: readonly Node[] = [
  '--join',
  text`https://${'release.name'}-control-plane.${'release.namespace'}.svc:7400`,
]
export const fingerprint: readonly Node[] = [
  when('authorityFingerprint', '--ca-fingerprint'),
  when('authorityFingerprint', text`${'authorityFingerprint'}`),
]
