/** Which cluster a controller drives and what its things are made with: a part of `kalnet.yaml`. */
import { z } from 'zod'

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
  closed: z
    .array(z.cidrv4())
    .max(100)
    .default([])
    .describe(
      'What instances never reach besides private ranges: the networks of your machines, where those have public addresses.',
    ),
  pullSecret: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is not the name of a Secret')
    .optional()
    .describe('Secret of the namespace that machines of the cluster sign in to the registry with.'),
})
