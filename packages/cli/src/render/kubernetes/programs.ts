/** Control plane and gateway on a cluster. */
import { NETWORK } from './direct.ts'
import { type Node, text, when, whole } from './nodes.ts'
import {
  claim,
  type Fields,
  fingerprint,
  HOME_MOUNTS,
  HOME_VARIABLES,
  healthy,
  heldVolume,
  join,
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
  when(['controller.direct', '!gateway.enabled'], NETWORK),
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
            when('controller.direct', NETWORK),
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
