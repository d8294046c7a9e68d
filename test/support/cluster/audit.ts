/** What each account asked of a test cluster, as its API server wrote it down: whoever counts must not be whom he counts. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster } from '../cluster.ts'

/** Accounts of namespaces only: the parts of the cluster itself ask all the time. */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
}

export interface Asked {
  verb: string
  /** `pods`, `pods/log` */
  resource: string
  status: number
}

/** What one account asked of a cluster that was started `audited`, as the API server itself wrote it down. */
export async function askedBy(cluster: Cluster, account: string): Promise<Asked[]> {
  const names = (await readdir(cluster.folder)).filter((it) => /^audit.*\.log$/.test(it))
  const found = new Map<string, Asked>()
  for (const name of names)
    for (const line of (await readFile(join(cluster.folder, name), 'utf8')).split('\n')) {
      if (!line) continue
      const { auditID, verb, user, objectRef, requestURI, responseStatus } = JSON.parse(line)
      if (!String(user?.username).endsWith(`:${account}`)) continue
      const { resource = requestURI.split('?')[0], subresource } = objectRef ?? {}
      // A watch is written down when it begins and when it ends.
      found.set(auditID, {
        verb,
        resource: subresource ? `${resource}/${subresource}` : resource,
        status: responseStatus?.code ?? 0,
      })
    }
  return [...found.values()]
}
