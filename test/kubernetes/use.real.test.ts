/** What pods use, as the real metrics-server measures it at the real kubelet. Runs with KALNET_CLUSTER=all. */
import { peerCache } from '@kalnet/cli/suite/peers'
import { instanceSpec } from '@kalnet/contracts/instance'
import { poll } from '@kalnet/controller/platforms/conformance/fixture'
import type { Platform } from '@kalnet/controller/platforms/platform'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { ensureMetricsServer } from '../peers/83-metrics-server.ts'
import { startMetrics } from '../support/cluster/metrics.ts'
import { clusterIsNotAsked } from '../support/parts.ts'
import { note } from './results.ts'
import { chain, openShared } from './subject.ts'

const never = new AbortController().signal
const wait = { timeout: 180_000, interval: 1000 }
const ASKED_BYTES = 100 * 2 ** 20
const ORGANISATION = '01890000-0000-7000-8000-00000000a000'

if (await clusterIsNotAsked('what instances use, by the metrics API'))
  test.skip('what instances use, by the metrics API of a cluster: runs with KALNET_CLUSTER=all')
else {
  await ensureMetricsServer({
    env: process.env,
    cache: peerCache(process.env),
    signal: AbortSignal.timeout(900_000),
    say: () => undefined,
  })
  const shared = await openShared()
  afterAll(() => shared.close())
  const start = (platform: Platform, command: string[]) =>
    platform.ensure(
      {
        instanceId: newId(),
        generation: 1,
        organisationId: ORGANISATION,
        spec: instanceSpec.parse({ image: { recipe: chain }, command, resources: { cpus: 1 } }),
      },
      never,
      () => undefined,
    )

  test('[CTL-4.use] one that holds memory and one that computes are told apart from one that sleeps; an account without the right is told why', async () => {
    const platform = shared.platform()
    await startMetrics(shared.cluster)
    const [full, busy, idle] = await Promise.all([
      start(platform, ['perl', '-e', `my $held = 'x' x ${ASKED_BYTES}; sleep 1000`]),
      start(platform, ['perl', '-e', 'while (1) {}']),
      start(platform, ['sleep', '1000']),
    ])
    const began = Date.now()
    const all = [full, busy, idle]
    const of = async (id: string) => {
      const used = await platform.use?.(all, never)
      return used?.known ? used.instances.find((it) => it.instanceId === id) : undefined
    }
    await poll(async () => ((await of(full.instanceId))?.memoryBytes ?? 0) > ASKED_BYTES, wait).toBe(true)
    await poll(async () => ((await of(busy.instanceId))?.cpus ?? 0) > 0.02, wait).toBe(true)
    const [one, two, three] = [
      await of(full.instanceId),
      await of(busy.instanceId),
      await of(idle.instanceId),
    ]
    expect(three?.memoryBytes).toBeLessThan(ASKED_BYTES)
    expect(three?.cpus).toBeLessThan(two?.cpus ?? 0)
    await note('use', 'metrics-server 0.9.0', {
      at: new Date().toISOString(),
      afterMs: Date.now() - began,
      full: one,
      busy: two,
      idle: three,
    })
    await shared.cluster.call('POST', '/api/v1/namespaces/kalnet/serviceaccounts', {
      metadata: { name: 'nobody' },
    })
    const kubeconfig = await shared.accountOf('nobody')
    await shared.cluster.call('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/kalnet/roles', {
      metadata: { name: 'nobody' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
    })
    await shared.cluster.call('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/kalnet/rolebindings', {
      metadata: { name: 'nobody' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'nobody' },
      subjects: [{ kind: 'ServiceAccount', name: 'nobody', namespace: 'kalnet' }],
    })
    expect(await shared.platform({ kubeconfig }).use?.(all, never)).toEqual({
      known: false,
      why: 'We may not list pods of metrics.k8s.io',
    })
    for (const handle of all) await platform.remove(handle)
  }, 600_000)
}
