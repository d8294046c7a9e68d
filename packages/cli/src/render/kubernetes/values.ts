/** What may be chosen for Kalnet on a cluster: every value with its meaning and default. From here come values.yaml, its schema and the table in the documents. */
import { z } from 'zod'

const flag = (otherwise: boolean, what: string) => z.boolean().default(otherwise).describe(what)
const text = (otherwise: string, what: string) => z.string().max(500).default(otherwise).describe(what)
const name = (otherwise: string, what: string) =>
  z
    .string()
    .regex(/^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$/)
    .default(otherwise)
    .describe(what)
const size = (otherwise: string, what: string) =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,5}(Mi|Gi|Ti)$/)
    .default(otherwise)
    .describe(what)
const count = (otherwise: number, least: number, what: string) =>
  z.int().min(least).max(1000).default(otherwise).describe(what)

const amounts = z.partialRecord(z.enum(['cpu', 'memory', 'ephemeral-storage']), z.string().max(20))
const resources = (cpu: string, memory: string, most: string) =>
  z
    .strictObject({ requests: amounts.optional(), limits: amounts.optional() })
    .default({ requests: { cpu, memory }, limits: { memory: most } })
    .describe('What it asks of a machine, and its limits.')

const image = z.string().min(1).max(500)

export const clusterValues = z.strictObject({
  image: image
    .default('kalnet:local')
    .describe(
      'The image of Kalnet (target `kalnet` of deploy/compose/Dockerfile), best by its sum: registry.example.com/kalnet/kalnet@sha256:….',
    ),
  imagePullSecrets: z
    .array(z.strictObject({ name: z.string().min(1).max(253) }))
    .default([])
    .describe('Secrets that machines sign in to the registry of these images with.'),
  domain: name('kalnet.home.arpa', 'Services are reached as <name>.<domain>, the dashboard as <domain>.'),
  secret: name(
    'kalnet',
    'Secret that you make before: database-password or database-url; later controller-token and gateway-key; registry-user and registry-password where the registry asks.',
  ),
  authorityFingerprint: text(
    '',
    'Fingerprint of the authority that the control plane made at its first start; `kalnet controllers enrol` prints it. Controller and gateway trust it by this.',
  ),
  authorities: name(
    '',
    'ConfigMap that you make: `authorities.crt`, PEM. Who is trusted besides those everybody knows: of a registry or a sign-in provider of your own.',
  ),
  environment: z
    .record(z.string().regex(/^KALNET_[A-Z0-9_]+$/), z.string().max(4000))
    .default({})
    .describe(
      'Further settings of the control plane, as `kalnet config example` has them: {KALNET_LOG_LEVEL: debug}.',
    ),
  controlPlane: z
    .strictObject({
      storage: size('5Gi', 'Room for its data: keys, recordings, logs.'),
      storageClass: name('', "Storage class of it, for good; empty: the cluster's own choice."),
      resources: resources('250m', '512Mi', '1Gi'),
    })
    .prefault({}),
  postgres: z
    .strictObject({
      own: flag(true, 'Run a PostgreSQL here. Otherwise `database-url` of the Secret says where yours is.'),
      image: image.default('postgres:17').describe('Its image.'),
      user: count(999, 1, 'The number of the user that its image runs as: 999 for Debian, 70 for Alpine.'),
      storage: size('10Gi', 'Room for the database.'),
      storageClass: name('', "Storage class of it, for good; empty: the cluster's own choice."),
      resources: resources('250m', '256Mi', '1Gi'),
    })
    .prefault({}),
  nats: z
    .strictObject({
      own: flag(false, 'Run a NATS server here, for several control planes that wake each other.'),
      image: image.default('nats:2-alpine').describe('Its image.'),
      url: text('', 'NATS servers of yours instead: nats://nats.example.com:4222.'),
      resources: resources('50m', '32Mi', '128Mi'),
    })
    .prefault({}),
  gateway: z
    .strictObject({
      enabled: flag(
        false,
        'Run gateways as processes of their own. Needs gateway-key in the Secret; until then the control plane is the gateway.',
      ),
      replicas: count(2, 1, 'How many.'),
      service: z
        .enum(['LoadBalancer', 'NodePort', 'ClusterIP'])
        .default('LoadBalancer')
        .describe('How people reach ports 80 and 443 of the gateway.'),
      keepAddresses: flag(
        true,
        'People keep their own addresses on the way in (externalTrafficPolicy: Local), on which it depends what is for this network alone. Switch it off for ClusterIP.',
      ),
      resources: resources('100m', '128Mi', '512Mi'),
    })
    .prefault({}),
  controller: z
    .strictObject({
      enabled: flag(
        false,
        'Run sessions and services as pods of this cluster. Needs controller-token in the Secret at its first start.',
      ),
      readMachines: flag(
        true,
        'Let it list the machines of the cluster (a ClusterRole), so that capacity is known.',
      ),
      direct: flag(
        true,
        'Reach instances by the addresses of their pods, so that screens and services stay open while the API server is away; the walls of each let in the controller, and the gateways to services. Otherwise all ways lead through the API.',
      ),
      registry: text(
        '',
        'Registry with the images of recipes (`kalnet images push`): https://registry.example.com/kalnet.',
      ),
      pullSecret: name(
        '',
        'Secret in the namespace of instances that machines sign in to that registry with.',
      ),
      warm: text(
        '',
        'Images that are brought to every machine ahead: `used` for all that were run there, or names of recipes, by comma.',
      ),
      storage: size('1Gi', 'Room for its key and its journal.'),
      storageClass: name('', "Storage class of it, for good; empty: the cluster's own choice."),
      resources: resources('100m', '192Mi', '768Mi'),
    })
    .prefault({}),
  instances: z
    .strictObject({
      namespace: name(
        'kalnet-instances',
        'Namespace that instances run in; never the one that Kalnet itself is in.',
      ),
      storageClass: name('', "Storage class of their volumes; empty: the cluster's own choice."),
      volumeSize: size('10Gi', 'Size of a new volume.'),
      perOrganisation: flag(
        false,
        'Each organisation in a namespace of its own, whose name begins with that one; it stays there, too. Needs Kubernetes 1.30 and ClusterRoles.',
      ),
      quota: z
        .strictObject({
          instances: count(50, 1, 'Most instances of one organisation at once, there.'),
          cpus: count(100, 1, 'Most CPUs that its instances may use together.'),
          memory: size('128Gi', 'Most memory that its instances may use together.'),
          storage: size('1Ti', 'Most room that its volumes may take together.'),
          volumes: count(100, 1, 'Most volumes of one organisation.'),
        })
        .prefault({}),
      most: z
        .strictObject({
          cpus: count(16, 1, 'Most CPUs of one instance, there.'),
          memory: size('32Gi', 'Most memory of one instance.'),
          volume: size('100Gi', 'Most room of one volume.'),
        })
        .prefault({}),
      create: flag(true, 'Make that namespace, with the restricted profile. Otherwise it must be there.'),
    })
    .prefault({}),
  networkPolicies: flag(
    true,
    'Wall every part off from what it has no business with. The cluster must have a network that knows them.',
  ),
})
export type ClusterValues = z.infer<typeof clusterValues>
