/** What hangs on a pod goes with it: the cluster takes it away itself, also when somebody else deleted the pod. */
import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node'

export const ownedBy = (pod: V1Pod): V1OwnerReference => ({
  apiVersion: 'v1',
  kind: 'Pod',
  name: pod.metadata?.name ?? '',
  uid: pod.metadata?.uid ?? '',
  controller: false,
  blockOwnerDeletion: false,
})
