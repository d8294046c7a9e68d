/**
 * How long a cluster takes where nothing of it was ever built: no modules, no compiled packages, empty cache. Runs with KALNET_CLUSTER=cold, by
 * itself, and keeps its figures; the registries of Go and Debian must be within reach.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { peer } from '../peers/80-kubernetes.ts'
import { startCluster } from '../support/cluster.ts'
import { note } from './results.ts'

const LIMIT_MS = 20 * 60_000

if (process.env.KALNET_CLUSTER !== 'cold')
  test.skip('a cluster from nothing: takes minutes and runs with KALNET_CLUSTER=cold')
else {
  const folder = await mkdtemp(join(tmpdir(), 'kn-cold-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('[K8S-1.cold] a cluster is built from nothing and answers; how long that took is kept', {
    timeout: LIMIT_MS,
  }, async () => {
    const [modules, compiled, cache] = ['modules', 'compiled', 'cache'].map((it) => join(folder, it)) as [
      string,
      string,
      string,
    ]
    await mkdir(cache)
    const began = performance.now()
    const seconds = () => Math.round((performance.now() - began) / 100) / 10
    const steps: Record<string, number> = {}
    // Modules that can be written can be removed.
    const env = { ...process.env, GOMODCACHE: modules, GOCACHE: compiled, GOFLAGS: '-modcacherw' }
    const say = (step: string) => {
      steps[step] = seconds()
    }
    await peer.ensure({ env, cache, signal: AbortSignal.timeout(LIMIT_MS), say })
    steps.built = seconds()
    process.env.KALNET_PEER_CACHE = cache
    const cluster = await startCluster()
    try {
      steps.answers = seconds()
      const { items } = await cluster.call<{ items: { status: { nodeInfo: { kubeletVersion: string } } }[] }>(
        'GET',
        '/api/v1/nodes',
      )
      expect(items.map((it) => it.status.nodeInfo.kubeletVersion)).toEqual(['v1.34.4'])
    } finally {
      await cluster.stop()
    }
    await note('cold', 'seconds from the beginning', steps)
  })
}
