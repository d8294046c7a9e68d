/** Somebody else in a test cluster: a pod of another namespace that tries doors and says what it found. */

import { join } from 'node:path'
import { referenceOf } from '@kalnet/controller/images/described'
import { poll } from '@kalnet/controller/platforms/conformance/fixture'
import { createApi } from '@kalnet/controller/platforms/kubernetes/api'
import { CONTAINER } from '@kalnet/controller/platforms/kubernetes/names'
import { runInside } from '@kalnet/controller/platforms/kubernetes/run-inside'
import { createSignIn } from '@kalnet/controller/platforms/kubernetes/sign-in'
import type { Handle } from '@kalnet/controller/platforms/platform'
import type { Cluster } from '../support/cluster.ts'
import { chain } from './subject.ts'

export const ELSEWHERE = 'default'
const wait = { timeout: 60_000, interval: 200 }
const PATIENCE_S = 1
const never = new AbortController().signal

/** `open` or `closed`, in the order of the targets. */
export async function startCaller(cluster: Cluster, name: string, labels: Record<string, string>) {
  const pods = `/api/v1/namespaces/${ELSEWHERE}/pods`
  await cluster.call('POST', pods, {
    metadata: { name, labels },
    spec: {
      containers: [{ name: CONTAINER, image: referenceOf(chain), command: ['sleep', '1000'] }],
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
    },
  })
  const state = async () =>
    (await cluster.call<{ status: { phase: string } }>('GET', `${pods}/${name}`)).status.phase
  await poll(state, wait).toBe('Running')
  const api = createApi(createSignIn({ kubeconfig: join(cluster.folder, 'admin.kubeconfig') }))
  const data = { namespace: ELSEWHERE, pod: name }
  const handle: Handle = { platform: 'kubernetes', instanceId: '', generation: 1, data }
  return {
    async tries(targets: { host: string; port: number }[]): Promise<string[]> {
      const script = `use IO::Socket::INET; print join(' ', map { my ($h, $p) = split /:/; IO::Socket::INET->new(PeerAddr => $h, PeerPort => $p, Timeout => ${PATIENCE_S}) ? 'open' : 'closed' } @ARGV)`
      const words = targets.map(({ host, port }) => `${host}:${port}`)
      const { lastLine } = await runInside(api, handle, ['perl', '-e', script, ...words], never, 60_000)
      return lastLine.split(' ')
    },
    remove: () => cluster.call('DELETE', `${pods}/${name}`, { gracePeriodSeconds: 0 }),
  }
}
