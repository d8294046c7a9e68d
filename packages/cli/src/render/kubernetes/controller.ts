/** The controller on a cluster: it runs instances as pods of the same one. */
import { roleObjects } from '@kalnet/controller/platforms/kubernetes/rights'
import { directVariables } from './direct.ts'
import { type Node, text, when } from './nodes.ts'
import { organisationVariables } from './organisations.ts'
import {
  claim,
  fingerprint,
  HOME_MOUNTS,
  HOME_VARIABLES,
  healthy,
  heldVolume,
  join,
  metadata,
  nameOf,
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
            ...directVariables,
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
            when('controller.warm', variable('KALNET_KUBERNETES_WARM', text`${'controller.warm'}`)),
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
