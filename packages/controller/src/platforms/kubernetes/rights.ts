/** What we must be allowed to do in a cluster: the one table that the Role, the doctor and the tests read. */
import { type Api, ApiProblem } from './api.ts'

export interface Right {
  group: string
  resource: string
  verbs: readonly string[]
  /** Only of these. */
  names?: readonly string[]
  /** What does not work without it, for people. */
  why: string
}

/** In the namespace of the instances. */
export const RIGHTS: readonly Right[] = [
  {
    group: '',
    resource: 'pods',
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    why: 'starting and ending instances',
  },
  { group: '', resource: 'pods/log', verbs: ['get'], why: 'what programs print' },
  { group: '', resource: 'pods/portforward', verbs: ['get', 'create'], why: 'screens and ports' },
  { group: '', resource: 'pods/exec', verbs: ['get', 'create'], why: 'probes, links, UDP ports' },
  {
    group: '',
    resource: 'secrets',
    verbs: ['get', 'create', 'patch'],
    why: 'files, certificates and screens of instances',
  },
  {
    group: '',
    resource: 'persistentvolumeclaims',
    verbs: ['get', 'create', 'patch', 'delete'],
    why: 'volumes',
  },
  {
    group: 'networking.k8s.io',
    resource: 'networkpolicies',
    verbs: ['list', 'watch', 'create', 'patch'],
    why: 'the walls of instances, and that they stay',
  },
]
/** There, too; without it what instances use is not known, and nothing else is missing. */
export const USE_RIGHTS: readonly Right[] = [
  {
    group: 'metrics.k8s.io',
    resource: 'pods',
    verbs: ['list'],
    why: 'what instances use at the moment',
  },
]
/** What the Role of a namespace grants. */
export const ROLE_RIGHTS: readonly Right[] = [...RIGHTS, ...USE_RIGHTS]
/** In the whole cluster, by choice: without it its capacity is not known. */
export const CLUSTER_RIGHTS: readonly Right[] = [
  {
    group: '',
    resource: 'nodes',
    verbs: ['list', 'watch'],
    why: 'which machines the cluster has, and how much room',
  },
  {
    group: 'storage.k8s.io',
    resource: 'storageclasses',
    verbs: ['list'],
    why: 'where volumes can be made',
  },
]
/** In the whole cluster, by choice, and not usual: it reads what everybody runs there. */
export const OTHERS_RIGHTS: readonly Right[] = [
  {
    group: '',
    resource: 'pods',
    verbs: ['list', 'watch'],
    why: 'what others have asked for, so what is free',
  },
]

/**
 * Whoever opens a WebSocket to a pod asks with GET; from Kubernetes 1.35 on the API asks for `create` beside it, so that
 * reading rights open none. Older ones never ask.
 */
export const LATER = new Set(['create pods/portforward', 'create pods/exec'])

interface Rules {
  status: {
    resourceRules: { verbs: string[]; apiGroups?: string[]; resources?: string[]; resourceNames?: string[] }[]
    incomplete: boolean
  }
}

const has = (all: readonly string[] = [], one: string) => all.includes('*') || all.includes(one)

/** Each right that is missing, as `verb resource`. One question to the API where it knows all rules, else one for each. */
export async function missingRights(
  api: Api,
  namespace: string,
  rights: readonly Right[] = RIGHTS,
): Promise<string[]> {
  const spec = { namespace }
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec }
  const { status } = await api.post<Rules>('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', body)
  const isGranted = ({ group, resource, names = [] }: Right, verb: string) =>
    status.resourceRules.some(
      (it) =>
        has(it.apiGroups, group) &&
        has(it.resources, resource) &&
        has(it.verbs, verb) &&
        ((it.resourceNames ?? []).length === 0 ||
          (names.length > 0 && names.every((name) => it.resourceNames?.includes(name)))),
    )
  const doubtful = rights.flatMap((right) => {
    const { group, resource, names } = right
    return right.verbs
      .filter((verb) => !LATER.has(`${verb} ${resource}`) && !isGranted(right, verb))
      .map((verb) => ({ group, resource, verb, name: names?.[0] }))
  })
  // Other ways of granting (webhooks) tell no rules: then each is asked for.
  if (!status.incomplete) return doubtful.map((it) => `${it.verb} ${it.resource}`)
  const answers = await Promise.all(
    doubtful.map(async (it) => ((await mayWe(api, namespace, it)) ? [] : [`${it.verb} ${it.resource}`])),
  )
  return answers.flat()
}

async function mayWe(
  api: Api,
  namespace: string,
  it: { group: string; resource: string; verb: string; name?: string },
) {
  const [resource, subresource] = it.resource.split('/')
  const { verb, group, name } = it
  const resourceAttributes = { namespace, verb, group, resource, subresource, name }
  const spec = { resourceAttributes }
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec }
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const { status } = await api.post<{ status: { allowed: boolean } }>(path, body)
  return status.allowed
}

/** Null where we may not ask. */
export async function ifAllowed<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 403) return null
    throw error
  }
}

export const rulesOf = (rights: readonly Right[]) =>
  rights.map(({ group, resource, verbs, names }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [...verbs],
    ...(names && { resourceNames: [...names] }),
  }))

/** Everything a controller needs in a cluster, as objects to apply: its account, its Role, and by choice the reading of machines. */
export function roleObjects(options: { namespace: string; account: string; nodes?: boolean }): object[] {
  const { namespace, account, nodes = true } = options
  const labels = { 'app.kubernetes.io/name': 'kalnet-controller' }
  const metadata = { name: account, namespace, labels }
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace }]
  const rbac = 'rbac.authorization.k8s.io'
  const whole = `${namespace}-${account}`
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules: rulesOf(ROLE_RIGHTS) },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name: account },
      subjects,
    },
    ...(nodes
      ? [
          {
            apiVersion: `${rbac}/v1`,
            kind: 'ClusterRole',
            metadata: { name: whole, labels },
            rules: rulesOf(CLUSTER_RIGHTS),
          },
          {
            apiVersion: `${rbac}/v1`,
            kind: 'ClusterRoleBinding',
            metadata: { name: whole, labels },
            roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: whole },
            subjects,
          },
        ]
      : []),
  ]
}
