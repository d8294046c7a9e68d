/** The rights that a controller needs where each organisation has a namespace of its own, given to an account of a test cluster. */
import { roleObjects } from '@kalnet/controller/platforms/kubernetes/rights'
import { spaceObjects } from '@kalnet/controller/platforms/kubernetes/space-rights'
import type { Cluster } from '../cluster.ts'

const ACCOUNT = 'kalnet-controller'
export const RBAC = '/apis/rbac.authorization.k8s.io/v1'

type Named = { kind: string; metadata: { name: string; namespace?: string } }
const GROUPS: Record<string, string> = {
  ServiceAccount: '/api/v1',
  Role: RBAC,
  RoleBinding: RBAC,
  ClusterRole: RBAC,
  ClusterRoleBinding: RBAC,
  ValidatingAdmissionPolicy: '/apis/admissionregistration.k8s.io/v1',
  ValidatingAdmissionPolicyBinding: '/apis/admissionregistration.k8s.io/v1',
}
const PLURALS: Record<string, string> = { ValidatingAdmissionPolicy: 'validatingadmissionpolicies' }

/** The account with the rights of this choice, and no more, beside a namespace that stands before the names of others. */
export async function grantSpaces(cluster: Cluster, base: string): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await cluster.call('POST', '/api/v1/namespaces', { metadata: { name: base, labels } })
  const its = { namespace: base, account: ACCOUNT }
  for (const it of [...roleObjects(its), ...spaceObjects(its)] as Named[]) {
    const within = it.metadata.namespace ? `/namespaces/${it.metadata.namespace}` : ''
    const kind = PLURALS[it.kind] ?? `${it.kind.toLowerCase()}s`
    await cluster.call('POST', `${GROUPS[it.kind]}${within}/${kind}`, it)
  }
}

export async function tokenIn(cluster: Cluster, base: string): Promise<string> {
  const path = `/api/v1/namespaces/${base}/serviceaccounts/${ACCOUNT}/token`
  const { status } = await cluster.call<{ status: { token: string } }>('POST', path, {
    spec: { expirationSeconds: 3600 },
  })
  return status.token
}
