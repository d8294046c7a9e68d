/** Which Kubernetes is new enough: what we ask for must be there and mean the same. */

/** Pods that wait at a gate are for everybody since then (PodSchedulingReadiness is stable), and so is all else that we ask for. */
export const OLDEST = '1.30'

/** `gitVersion` of /version, as every builder writes it: v1.34.4, v1.31.5+k3s1, v1.29.3-gke.100. Null: it is new enough. */
export function versionProblem(version: string): string | null {
  const [, major = '', minor = ''] = /^v?(\d{1,4})\.(\d{1,4})/.exec(version) ?? []
  if (!major) return 'what answers there is no cluster, or does not say its version'
  const [oldMajor = 0, oldMinor = 0] = OLDEST.split('.').map(Number)
  const isNew = Number(major) > oldMajor || (Number(major) === oldMajor && Number(minor) >= oldMinor)
  return isNew ? null : `it is Kubernetes ${version}, and ${OLDEST} or later is needed`
}
