/** What a controller may do where each organisation has a namespace of its own: little in the whole cluster, and the usual in what it made. */
import type { Api } from './api.ts'
import { missingRights, RIGHTS, type Right, rulesOf, USE_RIGHTS } from './rights.ts'
import type { KubernetesSettings } from './settings.ts'

/** In each namespace that we make for an organisation: those, and its share. */
export const SPACE_RIGHTS: readonly Right[] = [
  ...RIGHTS,
  { group: '', resource: 'resourcequotas', verbs: ['create', 'patch'], why: 'the share of an organisation' },
  { group: '', resource: 'limitranges', verbs: ['create', 'patch'], why: 'the most of one instance' },
]
/** Whoever applies the ClusterRole beside calls it so. */
export const roleOfSpaces = (namespace: string): string => `${namespace}-organisation`

/** In the whole cluster, where each organisation has a namespace of its own: to make them and to know what is in them, not to read in them. */
export const spacesRights = (namespace: string): readonly Right[] => [
  {
    group: '',
    resource: 'namespaces',
    verbs: ['get', 'create', 'patch'],
    why: 'namespaces of organisations',
  },
  { group: '', resource: 'pods', verbs: ['list', 'watch'], why: 'knowing of all instances by one watch' },
  { group: '', resource: 'persistentvolumeclaims', verbs: ['list'], why: 'finding volumes again' },
  {
    group: 'networking.k8s.io',
    resource: 'networkpolicies',
    verbs: ['list', 'watch'],
    why: 'that walls of instances stay',
  },
  {
    group: 'rbac.authorization.k8s.io',
    resource: 'rolebindings',
    verbs: ['create', 'patch'],
    why: 'rights in the namespaces that it makes',
  },
  {
    group: 'rbac.authorization.k8s.io',
    resource: 'clusterroles',
    verbs: ['bind'],
    names: [roleOfSpaces(namespace)],
    why: 'giving itself those rights there, and no others',
  },
]
/** Asked by the API itself when something else is done: `bind` with each RoleBinding. */
export const ALONG = new Set(['bind clusterroles'])

const RBAC = 'rbac.authorization.k8s.io'
const ADMISSION = 'admissionregistration.k8s.io/v1'

/** RBAC cannot say "only those that begin so": this does, and the API keeps it (ValidatingAdmissionPolicy, Kubernetes 1.30). */
const HELD = (namespace: string) => {
  const named = (what: string) => `${what}.startsWith('${namespace}-')`
  const isOurs = (what: string) =>
    `${what}.metadata.?labels[?'app.kubernetes.io/managed-by'].orValue('') == 'kalnet'`
  return {
    namespace: `${named('object.metadata.name')} && ${isOurs('object')} && (oldObject == null || ${isOurs('oldObject')})`,
    binding: `${named('object.metadata.namespace')} && ${isOurs('namespaceObject')}`,
  }
}

/** In words what is missing for namespaces of organisations; null: nothing, or there are none. */
export async function missingForSpaces(api: Api, settings: KubernetesSettings): Promise<string | null> {
  if (settings.namespaces === 'one') return null
  const role = roleOfSpaces(settings.namespace)
  // In a namespace that is nobody's, only what is true in all of them is granted.
  const missing = await missingRights(api, role, spacesRights(settings.namespace))
  if (missing.length === 0) return null
  return `We may not ${missing.join(', ')} in the whole cluster (a namespace for each organisation); apply the ClusterRole again`
}

/** Only namespaces that are ours by name and label, and rights in those alone. */
export function holdingPolicy(it: { name: string; namespace: string; user: string }): object {
  const rule = (apiGroup: string, resource: string) => ({
    apiGroups: [apiGroup],
    apiVersions: ['v1'],
    operations: ['CREATE', 'UPDATE'],
    resources: [resource],
  })
  const { namespace, binding } = HELD(it.namespace)
  return {
    apiVersion: ADMISSION,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: it.name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: [rule('', 'namespaces'), rule(RBAC, 'rolebindings')] },
      matchConditions: [{ name: 'controller', expression: `request.userInfo.username == '${it.user}'` }],
      validations: [
        {
          expression: `request.kind.kind == 'Namespace' ? ${namespace} : ${binding}`,
          message: `Kalnet makes namespaces, and rights in them, only where names begin with ${it.namespace}- and are its own`,
        },
      ],
    },
  }
}

/** What stands beside `roleObjects` where each organisation has a namespace of its own; `home`: where the account is. */
export function spaceObjects(of: { namespace: string; account: string; home?: string }): object[] {
  const { namespace, account, home = namespace } = of
  const labels = { 'app.kubernetes.io/name': 'kalnet-controller' }
  const inEach = roleOfSpaces(namespace)
  const everywhere = `${namespace}-organisations`
  const apiVersion = `${RBAC}/v1`
  const user = `system:serviceaccount:${home}:${account}`
  const role = (name: string, rights: readonly Right[]) => ({
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name, labels },
    rules: rulesOf(rights),
  })
  return [
    role(inEach, [...SPACE_RIGHTS, ...USE_RIGHTS]),
    role(everywhere, spacesRights(namespace)),
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name: everywhere, labels },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: everywhere },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: home }],
    },
    holdingPolicy({ name: everywhere, namespace, user }),
    {
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: everywhere, labels },
      spec: { policyName: everywhere, validationActions: ['Deny'] },
    },
  ]
}
