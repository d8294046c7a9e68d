/** Which cluster a controller drives and what its things are made with: a part of `kalnet.yaml`. */
import { z } from 'zod'

const quantity = (otherwise: string, what: string) =>
  z
    .string()
    .regex(/^[1-9]\d{0,5}(Mi|Gi|Ti)$/, 'is a size such as 10Gi')
    .default(otherwise)
    .describe(what)
const count = (otherwise: number, what: string) =>
  z.coerce.number().int().min(1).max(1_000_000).default(otherwise).describe(what)

/** What one organisation may have at once, where each has a namespace of its own (ResourceQuota). */
export const organisationQuota = z
  .strictObject({
    instances: count(50, 'Most instances of one organisation at once.'),
    cpus: count(100, 'Most CPUs that its instances may use together.'),
    memory: quantity('128Gi', 'Most memory that its instances may use together.'),
    storage: quantity('1Ti', 'Most room that its volumes may take together.'),
    volumes: count(100, 'Most volumes of one organisation.'),
  })
  .prefault({})

/** What one instance may have, there (LimitRange). */
export const instanceMost = z
  .strictObject({
    cpus: count(16, 'Most CPUs of one instance.'),
    memory: quantity('32Gi', 'Most memory of one instance.'),
    volume: quantity('100Gi', 'Most room of one volume.'),
  })
  .prefault({})

/** `kalnet/app.kubernetes.io/component=controller&app.kubernetes.io/instance=home`: pods of a namespace by their labels. */
const PODS =
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\/[A-Za-z0-9./_-]{1,317}=[A-Za-z0-9._-]{0,63}(&[A-Za-z0-9./_-]{1,317}=[A-Za-z0-9._-]{0,63}){0,9}$/
/** Somebody in a cluster's network, as its walls know people. */
const caller = z.union([z.cidrv4(), z.string().regex(PODS)], {
  error: 'is neither a network such as 10.9.0.4/32 nor pods such as kalnet/app=controller',
})
const callers = z.array(caller).max(50).default([])
/** Who reaches instances by the addresses of their pods. */
export const directCallers = z.strictObject({
  controllers: callers.describe(
    'Who reaches instances by their own addresses: this controller, as the network of the cluster sees it, by networks (10.9.0.4/32) or pods (kalnet/app=controller). Screens and ports then need no API server. Without any all ways lead through the API.',
  ),
  gateways: callers.describe(
    'Gateways that may do so, too: the ports of services, never a screen. Needs `controllers`.',
  ),
})

/** `used`: whatever was run there; else names of recipes. */
export const warmImages = z
  .array(z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is neither `used` nor the name of an image'))
  .max(100)
  .default([])
  .describe(
    'Images that are brought to every machine of the cluster ahead, so that nobody waits for them: `used` for all that were run there, or their names.',
  )

export const kubernetesConfig = z.strictObject({
  enabled: z
    .stringbool()
    .or(z.boolean())
    .default(false)
    .describe('Run sessions and services as pods of a cluster; see docs/kubernetes.md.'),
  kubeconfig: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe(
      'File that says where the cluster is and who we are. Without it: the service account of the pod we run in.',
    ),
  context: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('Context of that file, when it is not its current one.'),
  namespace: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'is not the name of a namespace')
    .default('kalnet')
    .describe('Namespace of the instances. It must be there; `kalnet` changes nothing outside of it.'),
  namespaces: z
    .enum(['one', 'per-organisation'])
    .default('one')
    .describe(
      'Whether all instances are in that namespace, or those of each organisation in one of their own, whose name begins with its name.',
    ),
  quota: organisationQuota,
  most: instanceMost,
  storageClass: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is not the name of a storage class')
    .optional()
    .describe("Storage class of volumes; without it the cluster's own choice."),
  volumeSize: z
    .string()
    .regex(/^[1-9]\d{0,5}(Mi|Gi|Ti)$/, 'is a size such as 10Gi')
    .default('10Gi')
    .describe('Size of a new volume.'),
  registry: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Registry that images of ours are brought to, with what stands before their names: https://registry.example.com/kalnet. Its user and password are KALNET_REGISTRY_USER and KALNET_REGISTRY_PASSWORD.',
    ),
  warm: warmImages,
  closed: z
    .array(z.cidrv4())
    .max(100)
    .default([])
    .describe(
      'What instances never reach besides private ranges: the networks of your machines, where those have public addresses.',
    ),
  direct: directCallers.prefault({}),
  pullSecret: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is not the name of a Secret')
    .optional()
    .describe('Secret of the namespace that machines of the cluster sign in to the registry with.'),
})
