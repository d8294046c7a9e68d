/** Control plane, gateway and controller on a cluster: Kalnet's own parts. */
import { roleObjects } from '@kalnet/controller/platforms/kubernetes/rights'
import { type Node, text, when, whole } from './nodes.ts'
import { organisationVariables } from './organisations.ts'
import {
  claim,
  type Fields,
  HOME_MOUNTS,
  HOME_VARIABLES,
  metadata,
  nameOf,
  openPort,
  PORT,
  podTemplate,
  probe,
  RUN_VOLUME,
  secret,
  selector,
  TRUST_MOUNT,
  TRUST_VARIABLE,
  TRUST_VOLUME,
  variable,
} from './parts.ts'

const HTTP = 8080
const HTTPS = 8443
const healthy = (...words: string[]): Fields => ({
  exec: { command: ['node', '/opt/kalnet/packages/cli/src/healthy.ts', ...words] },
  // It gives up by itself before: a program is started each time, on a machine that may have much to do.
  timeoutSeconds: 15,
})
const heldVolume = (name: Node): Node => ({ name: 'home', persistentVolumeClaim: { claimName: name } })
const join: readonly Node[] = [
  '--join',
  text`https://${'release.name'}-control-plane.${'release.namespace'}.svc:7400`,
]
const fingerprint: readonly Node[] = [
  when('authorityFingerprint', '--ca-fingerprint'),
  when('authorityFingerprint', text`${'authorityFingerprint'}`),
]

const controlPlaneEnvironment: readonly Node[] = [
  ...HOME_VARIABLES,
  TRUST_VARIABLE,
  // Kubernetes puts a variable into those after it.
  when('postgres.own', secret('DATABASE_PASSWORD', 'database-password', false)),
  when(
    'postgres.own',
    variable(
      'KALNET_DATABASE_URL',
      text`postgres://kalnet:$(DATABASE_PASSWORD)@${'release.name'}-postgres.${'release.namespace'}.svc:5432/kalnet`,
    ),
  ),
  when('!postgres.own', secret('KALNET_DATABASE_URL', 'database-url', false)),
  when(
    'nats.own',
    variable('KALNET_NATS_URL', text`nats://${'release.name'}-nats.${'release.namespace'}.svc:4222`),
  ),
  when(['!nats.own', 'nats.url'], variable('KALNET_NATS_URL', text`${'nats.url'}`)),
  variable('KALNET_LISTEN_HOST', '0.0.0.0'),
  variable('KALNET_TLS_ENABLED', 'true'),
  variable(
    'KALNET_TLS_NAMES',
    text`localhost,${'release.name'}-control-plane,${'release.name'}-control-plane.${'release.namespace'}.svc,${'domain'}`,
  ),
  variable('KALNET_DOMAIN', text`${'domain'}`),
  variable('KALNET_PUBLIC_URL', text`https://${'domain'}`),
  variable('KALNET_GATEWAY_PUBLIC_HTTPS_PORT', '443'),
  when('gateway.enabled', variable('KALNET_GATEWAY_ENABLED', 'false')),
]

/** Where people come in: gateways of their own, or the control plane's. */
const entry = (part: string): Fields => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata('gateway'),
  spec: {
    type: text`${'gateway.service'}`,
    externalTrafficPolicy: when('gateway.keepAddresses', 'Local'),
    selector: selector(part),
    ports: [
      { name: 'http', port: 80, targetPort: 'http' },
      { name: 'https', port: 443, targetPort: 'https' },
    ],
  },
})

export const controlPlane: readonly Node[] = [
  claim('control-plane', 'controlPlane.storage', 'controlPlane.storageClass'),
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('settings'), data: whole('environment') },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata('control-plane'),
    spec: {
      replicas: 1,
      // Never two of them: the next one starts when the last has ended.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: selector('control-plane') },
      template: podTemplate({
        part: 'control-plane',
        image: 'image',
        container: {
          args: ['serve'],
          envFrom: [{ configMapRef: { name: nameOf('settings') } }],
          env: controlPlaneEnvironment,
          ports: [
            { name: 'api', containerPort: PORT },
            { name: 'http', containerPort: HTTP },
            { name: 'https', containerPort: HTTPS },
          ],
          startupProbe: probe(healthy(), { periodSeconds: 5, failureThreshold: 60 }),
          readinessProbe: probe(healthy(), { periodSeconds: 15 }),
          // The port alone: a database that is away is no reason to start anew.
          livenessProbe: probe(openPort('api'), { periodSeconds: 20, failureThreshold: 6 }),
        },
        mounts: [...HOME_MOUNTS, TRUST_MOUNT],
        volumes: [heldVolume(nameOf('control-plane')), RUN_VOLUME, TRUST_VOLUME],
        resources: 'controlPlane.resources',
      }),
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('control-plane'),
    spec: { selector: selector('control-plane'), ports: [{ name: 'api', port: PORT, targetPort: 'api' }] },
  },
  when('gateway.enabled', entry('gateway')),
  when('!gateway.enabled', entry('control-plane')),
]

export const gateway: readonly Node[] = [
  when('gateway.enabled', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata('gateway'),
    spec: {
      replicas: whole('gateway.replicas'),
      selector: { matchLabels: selector('gateway') },
      template: podTemplate({
        part: 'gateway',
        image: 'image',
        container: {
          args: ['gateway', ...join, '--key-file', '/var/kalnet-key/gateway-key', ...fingerprint],
          env: [
            ...HOME_VARIABLES,
            variable('KALNET_GATEWAY_HOST', '0.0.0.0'),
            variable('KALNET_TLS_ENABLED', 'true'),
            variable('KALNET_DOMAIN', text`${'domain'}`),
            variable('KALNET_GATEWAY_PUBLIC_HTTPS_PORT', '443'),
          ],
          ports: [
            { name: 'http', containerPort: HTTP },
            { name: 'https', containerPort: HTTPS },
          ],
          readinessProbe: probe(openPort('https'), { periodSeconds: 5 }),
          livenessProbe: probe(openPort('http'), { periodSeconds: 20, failureThreshold: 6 }),
        },
        mounts: [...HOME_MOUNTS, { name: 'key', mountPath: '/var/kalnet-key', readOnly: true }],
        volumes: [
          { name: 'home', emptyDir: { sizeLimit: '256Mi' } },
          RUN_VOLUME,
          {
            name: 'key',
            secret: {
              secretName: text`${'secret'}`,
              defaultMode: 0o440,
              items: [{ key: 'gateway-key', path: 'gateway-key' }],
            },
          },
        ],
        resources: 'gateway.resources',
        more: {
          // What is under way may end.
          terminationGracePeriodSeconds: 60,
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: selector('gateway') },
            },
          ],
        },
      }),
    },
  }),
  when('gateway.enabled', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata('gateway'),
    spec: { maxUnavailable: 1, selector: { matchLabels: selector('gateway') } },
  }),
]

/** Its rights are those of the driver's own table; here they get the namespace of instances, and the account stands beside Kalnet. */
function rights(): Node[] {
  const all = roleObjects({ namespace: 'n', account: 'a' }) as Record<string, unknown>[]
  const rules = (kind: string) => all.find((it) => it.kind === kind)?.rules as Node
  const labels = selector('controller')
  const subjects = [
    { kind: 'ServiceAccount', name: nameOf('controller'), namespace: text`${'release.namespace'}` },
  ]
  const here = { name: nameOf('controller'), namespace: text`${'instances.namespace'}`, labels }
  const everywhere = { name: text`${'release.namespace'}-${'release.name'}-controller`, labels }
  const rbac = 'rbac.authorization.k8s.io'
  const apiVersion = `${rbac}/v1`
  return [
    { apiVersion, kind: 'Role', metadata: here, rules: rules('Role') },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: here,
      roleRef: { apiGroup: rbac, kind: 'Role', name: here.name },
      subjects,
    },
    when('controller.readMachines', {
      apiVersion,
      kind: 'ClusterRole',
      metadata: everywhere,
      rules: rules('ClusterRole'),
    }),
    when('controller.readMachines', {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: everywhere,
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: everywhere.name },
      subjects,
    }),
  ]
}

const controllerParts: readonly Node[] = [
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata('controller'),
    automountServiceAccountToken: false,
  },
  claim('controller', 'controller.storage', 'controller.storageClass'),
  ...rights(),
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata('controller'),
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: selector('controller') },
      template: podTemplate({
        part: 'controller',
        account: nameOf('controller'),
        image: 'image',
        container: {
          args: [
            'controller',
            ...join,
            '--platforms',
            'kubernetes',
            '--name',
            nameOf('cluster'),
            ...fingerprint,
          ],
          env: [
            ...HOME_VARIABLES,
            TRUST_VARIABLE,
            secret('KALNET_CONTROLLER_TOKEN', 'controller-token'),
            variable('KALNET_KUBERNETES_ENABLED', 'true'),
            variable('KALNET_KUBERNETES_NAMESPACE', text`${'instances.namespace'}`),
            variable('KALNET_KUBERNETES_VOLUME_SIZE', text`${'instances.volumeSize'}`),
            when(
              'instances.storageClass',
              variable('KALNET_KUBERNETES_STORAGE_CLASS', text`${'instances.storageClass'}`),
            ),
            when(
              'controller.registry',
              variable('KALNET_KUBERNETES_REGISTRY', text`${'controller.registry'}`),
            ),
            when(
              'controller.pullSecret',
              variable('KALNET_KUBERNETES_PULL_SECRET', text`${'controller.pullSecret'}`),
            ),
            ...organisationVariables,
            secret('KALNET_REGISTRY_USER', 'registry-user'),
            secret('KALNET_REGISTRY_PASSWORD', 'registry-password'),
          ],
          // Its heartbeats go out. Never a reason to start it anew: the control plane may be away.
          readinessProbe: probe(healthy('controller'), { periodSeconds: 15 }),
        },
        mounts: [...HOME_MOUNTS, TRUST_MOUNT],
        volumes: [heldVolume(nameOf('controller')), RUN_VOLUME, TRUST_VOLUME],
        resources: 'controller.resources',
        more: { automountServiceAccountToken: true },
      }),
    },
  },
]

export const controller: readonly Node[] = controllerParts.map((node) => when('controller.enabled', node))
