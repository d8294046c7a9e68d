/** Which cluster, which part of it, and what its things are made with. */
import {
  directCallers,
  instanceMost,
  organisationQuota,
  warmImages,
} from '@kalnet/contracts/config-kubernetes'
import { z } from 'zod'
import { imageRegistry } from '../../images/oci/settings.ts'
import { SPACE_LETTERS } from './names.ts'

/** RFC 1123 label, as the API takes names of namespaces. */
const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'is not a name of a namespace')
const className = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is not a name of a class')

export const kubernetesSettings = z.strictObject({
  /** Without one: the service account of the pod that we run in. */
  kubeconfig: z.string().min(1).max(4096).optional(),
  context: z.string().min(1).max(253).optional(),
  namespace: label.default('kalnet'),
  /** Where each organisation has one of its own, the given one stands before their names. */
  namespaces: z.enum(['one', 'per-organisation']).default('one'),
  quota: organisationQuota,
  most: instanceMost,
  storageClass: className.optional(),
  volumeSize: z
    .string()
    .regex(/^[1-9]\d{0,5}(Mi|Gi|Ti)$/, 'is a size such as 10Gi')
    .default('10Gi'),
  /** Where images of recipes go; without one only images by reference run. */
  registry: imageRegistry.optional(),
  /** A Secret of the namespace that its machines sign in to the registry with. */
  pullSecret: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is not a name of a Secret')
    .optional(),
  /** What instances never reach besides private ranges: networks of the cluster's machines where those are public. */
  closed: z.array(z.cidrv4()).max(100).default([]),
  /** Who reaches pods by their addresses; nobody: all ways lead through the API. */
  direct: directCallers
    .refine(
      (it) => it.controllers.length > 0 || it.gateways.length === 0,
      'names gateways but no controllers',
    )
    .prefault({}),
  /** Images that are brought to machines ahead: `used`, and names of recipes. */
  warm: warmImages,
  /** How long a pod may wait for a machine, a volume or its image. */
  patienceMs: z.number().int().min(1000).default(300_000),
})
export type KubernetesSettings = z.infer<typeof kubernetesSettings>

/** As `kalnet.yaml` has it. */
export interface ClusterConfig extends Omit<z.input<typeof kubernetesSettings>, 'registry' | 'patienceMs'> {
  enabled: boolean
  /** An address, with what stands before the names of images. */
  registry?: string
}

/** Throws what cannot be meant, in words. */
export function settingsOf(config: ClusterConfig | undefined, env = process.env): KubernetesSettings {
  const { enabled: _, registry, ...rest } = config ?? { enabled: true }
  const its = { ...rest, ...(registry && { registry: registryOf(registry, env) }) }
  const { data, error } = kubernetesSettings.safeParse(its)
  const longest = 63 - SPACE_LETTERS - 1
  if (data?.namespaces === 'per-organisation' && data.namespace.length > longest)
    throw new Error(`kubernetes.namespace is longer than ${longest} letters, and stands before other names`)
  if (data) return data
  const [issue] = error.issues
  throw new Error(`kubernetes.${String(issue?.path[0])} ${issue?.message}`)
}

function registryOf(address: string, env: NodeJS.ProcessEnv): z.input<typeof imageRegistry> {
  const { origin, pathname } = new URL(address)
  const { KALNET_REGISTRY_USER: user, KALNET_REGISTRY_PASSWORD: password } = env
  const prefix = pathname.replace(/^\/+|\/+$/g, '')
  return {
    url: origin,
    ...(prefix && { repositoryPrefix: prefix }),
    ...(user && password && { credentials: { user, password } }),
  }
}
