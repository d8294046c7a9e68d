/** What stands in a namespace of one organisation before its first instance: its profile, our rights, its share, its walls. */
import type { Clock } from '@kalnet/io/clock'
import type {
  V1LimitRange,
  V1Namespace,
  V1NetworkPolicy,
  V1ResourceQuota,
  V1RoleBinding,
  V1Secret,
} from '@kubernetes/client-node'
import type { Api } from './api.ts'
import { ownerLabels, paths } from './names.ts'
import { missingRights } from './rights.ts'
import type { KubernetesSettings } from './settings.ts'
import { roleOfSpaces, SPACE_RIGHTS } from './space-rights.ts'

const NAME = 'kalnet'
/** A cluster's own parts hear of rights and quotas a moment later. */
const HEARD_MS = 20_000
const PAUSE_MS = 100

export interface SpaceOwner {
  installation: string
  organisationId: string
}

/** Whatever comes into it must be of the restricted profile (Pod Security Standards). */
export const namespaceOf = (name: string, owner: SpaceOwner): V1Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: {
      ...ownerLabels(owner),
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    },
  },
})

const within = (namespace: string, owner: SpaceOwner, name = NAME) => ({
  name,
  namespace,
  labels: ownerLabels(owner),
})

/** Nothing of ours is a Service; ports of machines and load balancers are nobody's here. */
export const quotaOf = (
  namespace: string,
  owner: SpaceOwner,
  { quota }: Pick<KubernetesSettings, 'quota'>,
): V1ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: within(namespace, owner),
  spec: {
    hard: {
      pods: String(quota.instances),
      'limits.cpu': String(quota.cpus),
      'limits.memory': quota.memory,
      'requests.storage': quota.storage,
      persistentvolumeclaims: String(quota.volumes),
      'services.nodeports': '0',
      'services.loadbalancers': '0',
    },
  },
})

/** Each of our pods says what it asks for; what somebody else starts there gets little. */
export const limitsOf = (
  namespace: string,
  owner: SpaceOwner,
  { most }: Pick<KubernetesSettings, 'most'>,
): V1LimitRange => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: within(namespace, owner),
  spec: {
    limits: [
      {
        type: 'Container',
        max: { cpu: String(most.cpus), memory: most.memory },
        _default: { cpu: '100m', memory: '128Mi' },
        defaultRequest: { cpu: '10m', memory: '128Mi' },
      },
      { type: 'PersistentVolumeClaim', max: { storage: most.volume } },
    ],
  },
})

/** Before the walls of an instance stand: nothing in, nothing out. Each instance then gets its own. */
export const closedTo = (namespace: string, owner: SpaceOwner): V1NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: within(namespace, owner, 'nobody'),
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
})

export const bindingOf = (
  namespace: string,
  owner: SpaceOwner,
  { role, user }: { role: string; user: string },
): V1RoleBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: within(namespace, owner, 'kalnet-controller'),
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  // A service account is a user by its whole name, too.
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
})

async function whoWeAre(api: Api): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const { status } = await api.post<{ status: { userInfo: { username: string } } }>(path, body)
  return status.userInfo.username
}

/** What machines sign in to the registry with is kept once, in the given namespace, and is shown in each. */
async function sharePullSecret(api: Api, settings: KubernetesSettings, name: string, owner: SpaceOwner) {
  const { pullSecret, namespace } = settings
  if (!pullSecret) return
  const { type, data } = await api.get<V1Secret>(paths.secret(namespace, pullSecret))
  await api.apply(paths.secret(name, pullSecret), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: within(name, owner, pullSecret),
    type,
    data,
  })
}

/** Applied again it changes back what somebody changed, and nothing else. */
export async function furnish(of: {
  api: Api
  settings: KubernetesSettings
  clock: Clock
  signal: AbortSignal
  name: string
  owner: SpaceOwner
}): Promise<void> {
  const { api, settings, clock, signal, name, owner } = of
  async function until(what: string, holds: () => Promise<boolean>) {
    const deadline = clock.now().getTime() + HEARD_MS
    while (!(await holds())) {
      if (clock.now().getTime() > deadline)
        throw new Error(`The namespace ${name} was made, but the cluster does not know of ${what} yet`)
      await clock.sleep(PAUSE_MS, signal)
    }
  }
  const its = { role: roleOfSpaces(settings.namespace), user: await whoWeAre(api) }
  const binding = bindingOf(name, owner, its)
  await api.apply(paths.binding(name, 'kalnet-controller'), binding)
  await until('our rights in it', async () => (await missingRights(api, name, SPACE_RIGHTS)).length === 0)
  const limits = limitsOf(name, owner, settings)
  await Promise.all([
    // What it counts is not known at first, and then it lets nobody in.
    until('its quota', async () => {
      const path = paths.quota(name, NAME)
      const { status } = await api.apply<V1ResourceQuota>(path, quotaOf(name, owner, settings))
      return status?.hard?.['limits.memory'] !== undefined
    }),
    api.apply(paths.limits(name, NAME), inWireForm(limits)),
    api.apply(paths.policy(name, 'nobody'), closedTo(name, owner)),
    sharePullSecret(api, settings, name, owner),
  ])
}

/** The types of the client name `default` otherwise, because that is a word of the language. */
const inWireForm = (limits: V1LimitRange) => ({
  ...limits,
  spec: {
    limits: limits.spec?.limits.map(({ _default, ...more }) => ({
      ...more,
      ...(_default && { default: _default }),
    })),
  },
})
