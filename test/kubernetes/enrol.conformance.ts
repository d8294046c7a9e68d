/**
 * A cluster enrolled as somebody would: the manifest of a real control plane, applied; a controller that has nothing but the token of the
 * service account in it; and what is then shown of the cluster. The controller runs outside here: that it runs in its pod is test/installed.
 */
import { join } from 'node:path'
import type { ClusterView } from '@kalnet/contracts/cluster'
import type { Controller } from '@kalnet/contracts/controller'
import type { Session } from '@kalnet/contracts/session'
import { runController } from '@kalnet/controller/controller'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { applyYaml, kubeconfigOf, LIMIT_MS, openPlane } from './enrolling.ts'
import { log, type Shared } from './subject.ts'

export function describeEnrolment(shared: () => Shared): void {
  describe('[K8S-2.enrol] a cluster is enrolled by its manifest', () => {
    test('[K8S-1.machines] [CTL-5.waiting] its account drives the cluster; machines, and what waits and why, are shown; without the right to read machines that is said', async () => {
      const { cluster } = shared()
      const plane = await openPlane()
      const stop = new AbortController()
      let running: Promise<void> = Promise.resolve()
      try {
        // Whole, with its pod: tried only, for its image is not here. Its namespaces have to be there for it.
        const body = { name: 'cloud', cluster: { namespace: 'enrolled', readPods: true } }
        const whole = await plane.ask('POST', '/api/controllers/tokens', body)
        const outside = { ...body, cluster: { ...body.cluster, outside: true } }
        const made = await plane.ask('POST', '/api/controllers/tokens', outside)
        expect([whole.status, made.status]).toEqual([200, 200])
        await applyYaml(cluster, String(made.body.manifest))
        // Twice is once.
        await applyYaml(cluster, String(made.body.manifest))
        await applyYaml(cluster, String(whole.body.manifest), '&dryRun=All')

        const kubeconfig = await kubeconfigOf(cluster, 'enrolled', plane.home)
        const its = join(plane.home, 'c')
        const start = (signal: AbortSignal, joining?: string) =>
          runController({
            folders: { data: join(its, 'data'), runtime: join(its, 'run'), config: join(its, 'config') },
            url: plane.url,
            token: joining,
            platforms: ['kubernetes'],
            cluster: { enabled: true, kubeconfig, namespace: 'enrolled-instances' },
            log,
            signal,
          })
        running = start(stop.signal, String(made.body.token))
        let found: Controller | undefined
        const seen = async () => {
          const { items } = (await plane.ask('GET', '/api/controllers?limit=10')).body as {
            items?: Controller[]
          }
          found = items?.find(({ name }) => name === 'cloud')
          if (found?.state !== 'online') return null
          return (await plane.ask('GET', `/api/controllers/${found.id}/cluster`)).body
            .cluster as ClusterView | null
        }
        const until = async (what: string, holds: (it: ClusterView) => boolean): Promise<ClusterView> => {
          let last: ClusterView | null = null
          await eventually(
            what,
            async () => {
              last = await seen()
              return last !== null && holds(last)
            },
            LIMIT_MS,
          )
          if (!last) throw new Error(what)
          return last
        }
        const known = await until(
          'its machines and classes are known',
          (it) => it.machines?.[0]?.others != null && it.storageClasses !== null && it.missing.length === 0,
        )
        expect(known.machines).toMatchObject([
          { name: 'machine-1', ready: true, cordoned: false, ours: { pods: 0 } },
        ])
        expect(known.machines?.[0]?.allocatable.memoryBytes).toBeGreaterThan(1e9)
        expect(known).toMatchObject({
          version: 'v1.34.4',
          namespaces: ['enrolled-instances'],
          registry: { state: 'none' },
        })
        expect(found?.fingerprints).toMatchObject([{ platform: 'kubernetes', usable: true }])
        expect(found?.capacity?.most?.memoryBytes).toBe(known.machines?.[0]?.allocatable.memoryBytes)

        const launch = (name: string) => plane.ask('POST', '/api/sessions', { templateId: 'quiet', name })
        // What somebody does to a machine is told, not asked for.
        const node = '/api/v1/nodes/machine-1'
        const cordon = (unschedulable: boolean) =>
          cluster.call('PATCH', node, { spec: { unschedulable } }, 'application/merge-patch+json')
        await cordon(true)
        try {
          await until('it is cordoned', (it) => it.machines?.[0]?.cordoned === true)
          await eventually(
            'its room is told',
            async () => found?.capacity?.most?.memoryBytes === 0 || !(await seen()),
          )
          const refused = await launch('Nowhere')
          expect([refused.status, refused.body.error?.message]).toEqual([
            503,
            expect.stringContaining('no machine of cloud has more than 0.0 GB for instances'),
          ])
        } finally {
          await cordon(false)
        }
        await until('it is not', (it) => it.machines?.[0]?.cordoned === false)

        const role = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/enrolled-kalnet-controller'
        await cluster.call('DELETE', role)
        stop.abort()
        await running
        const again = new AbortController()
        // Its key outlives it: no token is needed any more.
        running = start(again.signal)
        try {
          const less = await until(
            'nobody knows its machines',
            (it) => it.machines === null && it.missing.length === 3,
          )
          expect(less.missing.map(({ right }) => right)).toEqual([
            'list, watch nodes in the whole cluster',
            'list storageclasses.storage.k8s.io in the whole cluster',
            'list, watch pods in the whole cluster',
          ])
          // It still drives the cluster: it only does not know how much room there is.
          expect(found?.fingerprints).toMatchObject([
            { usable: true, detail: expect.stringContaining('not known') },
          ])
          expect(found?.capacity?.most).toBeUndefined()

          // What fits nowhere cannot be foreseen then: it waits, and says why in both places.
          await cordon(true)
          const { id } = (await launch('Video editing')).body as unknown as Session
          const session = async () =>
            (await plane.ask('GET', `/api/sessions/${id}`)).body as unknown as Session
          try {
            const { waiting } = await until('it waits', (it) => /No machine/.test(it.waiting[0]?.text ?? ''))
            expect(waiting).toMatchObject([{ of: { kind: 'session', id, name: 'Video editing' } }])
            await eventually('its own page says so', async () =>
              /No machine/.test((await session()).progress?.text ?? ''),
            )
          } finally {
            await cordon(false)
          }
          await eventually(
            'it begins',
            async () => !['pending', 'starting'].includes((await session()).state),
            LIMIT_MS,
          )
          expect(await session()).toMatchObject({ state: 'running', reason: null })
          await until('nothing waits', (it) => it.waitingCount === 0)
        } finally {
          again.abort()
        }
      } finally {
        stop.abort()
        await running
        await plane.close()
        for (const namespace of ['enrolled', 'enrolled-instances'])
          await cluster.call('DELETE', `/api/v1/namespaces/${namespace}`)
      }
    }, 300_000)
  })
}
