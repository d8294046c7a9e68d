/** PostgreSQL and NATS on a cluster, where none of one's own is given. */
import { type Node, when, whole } from './nodes.ts'
import {
  claimSpec,
  metadata,
  nameOf,
  openPort,
  podTemplate,
  probe,
  secret,
  selector,
  variable,
} from './parts.ts'

const ready = {
  exec: { command: ['pg_isready', '--username=kalnet', '--dbname=kalnet', '--host=127.0.0.1'] },
}

/** Another major version needs a dump and a restore: its data is not read by a newer one. */
const database: readonly Node[] = [
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadata('postgres'),
    spec: {
      replicas: 1,
      serviceName: nameOf('postgres'),
      selector: { matchLabels: selector('postgres') },
      template: podTemplate({
        part: 'postgres',
        user: whole('postgres.user'),
        image: 'postgres.image',
        container: {
          env: [
            variable('POSTGRES_USER', 'kalnet'),
            variable('POSTGRES_DB', 'kalnet'),
            secret('POSTGRES_PASSWORD', 'database-password', false),
            // A folder below: the volume's own may hold lost+found.
            variable('PGDATA', '/var/lib/postgresql/data/database'),
          ],
          ports: [{ name: 'postgres', containerPort: 5432 }],
          startupProbe: probe(ready, { periodSeconds: 5, failureThreshold: 60 }),
          readinessProbe: probe(ready, { periodSeconds: 10 }),
          livenessProbe: probe(openPort('postgres'), { periodSeconds: 20, failureThreshold: 6 }),
        },
        mounts: [
          { name: 'database', mountPath: '/var/lib/postgresql/data' },
          { name: 'socket', mountPath: '/var/run/postgresql' },
        ],
        volumes: [{ name: 'socket', emptyDir: { sizeLimit: '16Mi' } }],
        resources: 'postgres.resources',
        // It ends well when it is let.
        more: { terminationGracePeriodSeconds: 60 },
      }),
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'database' },
          spec: claimSpec('postgres.storage', 'postgres.storageClass'),
        },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('postgres'),
    spec: {
      clusterIP: 'None',
      selector: selector('postgres'),
      ports: [{ name: 'postgres', port: 5432, targetPort: 'postgres' }],
    },
  },
]

const bus: readonly Node[] = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata('nats'),
    spec: {
      replicas: 1,
      selector: { matchLabels: selector('nats') },
      template: podTemplate({
        part: 'nats',
        user: 1000,
        image: 'nats.image',
        container: {
          args: ['-m', '8222'],
          ports: [
            { name: 'nats', containerPort: 4222 },
            { name: 'health', containerPort: 8222 },
          ],
          readinessProbe: probe({ httpGet: { path: '/healthz', port: 'health' } }, { periodSeconds: 10 }),
          livenessProbe: probe({ httpGet: { path: '/healthz', port: 'health' } }, { periodSeconds: 30 }),
        },
        mounts: [],
        volumes: [],
        resources: 'nats.resources',
      }),
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('nats'),
    spec: { selector: selector('nats'), ports: [{ name: 'nats', port: 4222, targetPort: 'nats' }] },
  },
]

export const stores: readonly Node[] = [
  ...database.map((node) => when('postgres.own', node)),
  ...bus.map((node) => when('nats.own', node)),
]
