/** Tokens of the controller's account as the cluster itself signs them, which end when a test wants it: the API gives none for less than ten minutes. */
import { createSign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ACCOUNT, NAMESPACE } from '../../support/cluster/prepared.ts'
import type { Cluster } from '../../support/cluster.ts'

const ISSUER = 'https://kubernetes.default.svc'
/** The API server takes one for so long after its end (k8s.io/kubernetes pkg/serviceaccount, go-jose's leeway). */
const LEEWAY_SECONDS = 60

export async function tokenOf(cluster: Cluster, { leftSeconds }: { leftSeconds: number }): Promise<string> {
  const account = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${ACCOUNT}`
  const { metadata } = await cluster.call<{ metadata: { uid: string } }>('GET', account)
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: ISSUER,
    aud: [ISSUER],
    sub: `system:serviceaccount:${NAMESPACE}:${ACCOUNT}`,
    iat: now - 120,
    nbf: now - 120,
    exp: now + leftSeconds - LEEWAY_SECONDS,
    'kubernetes.io': { namespace: NAMESPACE, serviceaccount: { name: ACCOUNT, uid: metadata.uid } },
  }
  const encoded = (it: object) => Buffer.from(JSON.stringify(it)).toString('base64url')
  const signed = `${encoded({ alg: 'RS256', typ: 'JWT' })}.${encoded(claims)}`
  const key = await readFile(join(cluster.folder, 'sa.key'))
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key).toString('base64url')}`
}
