/** A cluster enrolled with a namespace for each organisation: by its manifest alone, and no more may be done than it says. */
import { join } from 'node:path'
import type { Controller } from '@kalnet/contracts/controller'
import type { Session } from '@kalnet/contracts/session'
import { runController } from '@kalnet/controller/controller'
import { createApi } from '@kalnet/controller/platforms/kubernetes/api'
import { createSignIn } from '@kalnet/controller/platforms/kubernetes/sign-in'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { applyYaml, kubeconfigOf, LIMIT_MS, openPlane } from './enrolling.ts'
import { log, type Shared } from './subject.ts'

export function describeEnrolledSpaces(shared: () => Shared): void {
  describe('[K8S-2.enrol] a cluster is enrolled for organisations apart', () => {
    test('[K8S-1.spaces] with a namespace for each organisation: its account makes that, and nothing else, and starts an instance there', async () => {
      const { cluster } = shared()
      const plane = await openPlane()
      const stop = new AbortController()
      let running: Promise<void> = Promise.resolve()
      const namespacesOf = async () =>
        (
          await cluster.call<{ items: { metadata: { name: string } }[] }>('GET', '/api/v1/namespaces')
        ).items.flatMap(({ metadata }) => (metadata.name.startsWith('apart') ? [metadata.name] : []))
      try {
        const body = { name: 'apart', cluster: { namespace: 'apart', perOrganisation: true } }
        const outside = { ...body, cluster: { ...body.cluster, outside: true } }
        const made = await plane.ask('POST', '/api/controllers/tokens', outside)
        const whole = await plane.ask('POST', '/api/controllers/tokens', body)
        expect([made.status, whole.status]).toEqual([200, 200])
        for (const _ of ['once', 'twice']) await applyYaml(cluster, String(made.body.manifest))
        await applyYaml(cluster, String(whole.body.manifest), '&dryRun=All')
        const kubeconfig = await kubeconfigOf(cluster, 'apart', plane.home)
        const its = join(plane.home, 'c')
        running = runController({
          folders: { data: join(its, 'data'), runtime: join(its, 'run'), config: join(its, 'config') },
          url: plane.url,
          token: String(made.body.token),
          platforms: ['kubernetes'],
          cluster: {
            enabled: true,
            kubeconfig,
            namespace: 'apart-instances',
            namespaces: 'per-organisation',
          },
          log,
          signal: stop.signal,
        })
        let id = ''
        await eventually(
          'it takes a session',
          async () => {
            const asked = await plane.ask('POST', '/api/sessions', { templateId: 'quiet', name: 'Apart' })
            id = String((asked.body as { id?: string }).id ?? '')
            return asked.status === 200
          },
          LIMIT_MS,
        )
        let session: Session | undefined
        await eventually(
          'it runs',
          async () => {
            session = (await plane.ask('GET', `/api/sessions/${id}`)).body as unknown as Session
            expect(session.state, session.reason ?? '').not.toBe('failed')
            return session.state === 'running'
          },
          LIMIT_MS,
        )
        const space = (await namespacesOf()).find((it) => /^apart-instances-/.test(it)) ?? ''
        const there = async (namespace: string, kind: string) =>
          (await cluster.call<{ items: object[] }>('GET', `/api/v1/namespaces/${namespace}/${kind}`)).items
            .length
        expect([await there(space, 'pods'), await there('apart-instances', 'pods')]).toEqual([1, 0])
        expect(await there(space, 'resourcequotas')).toBe(1)
        const { items } = (await plane.ask('GET', '/api/controllers?limit=10')).body as {
          items?: Controller[]
        }
        expect(items?.[0]?.fingerprints).toMatchObject([{ usable: true }])
        // Held by the cluster itself: no namespace of another name is its to make.
        const api = createApi(createSignIn({ kubeconfig }))
        await expect(
          api.post('/api/v1/namespaces', {
            metadata: { name: 'elsewhere', labels: { 'app.kubernetes.io/managed-by': 'kalnet' } },
          }),
        ).rejects.toThrow(/only where names begin with apart-instances-/)
      } finally {
        stop.abort()
        await running
        await plane.close()
        for (const namespace of await namespacesOf())
          await cluster.call('DELETE', `/api/v1/namespaces/${namespace}`)
      }
    }, 300_000)
  })
}
