/** A namespace for each organisation, as tests over a cluster that is there: two organisations side by side, what is not ours, what we may and may not. */
import { type InstanceSpecInput, instanceSpec } from '@kalnet/contracts/instance'
import { poll } from '@kalnet/controller/platforms/conformance/fixture'
import { createApi } from '@kalnet/controller/platforms/kubernetes/api'
import { spaceName } from '@kalnet/controller/platforms/kubernetes/names'
import { CLUSTER_RIGHTS, RIGHTS, type Right } from '@kalnet/controller/platforms/kubernetes/rights'
import { kubernetesSettings } from '@kalnet/controller/platforms/kubernetes/settings'
import { createSignIn } from '@kalnet/controller/platforms/kubernetes/sign-in'
import { ALONG, SPACE_RIGHTS, spacesRights } from '@kalnet/controller/platforms/kubernetes/space-rights'
import type { Handle, Platform } from '@kalnet/controller/platforms/platform'
import type { V1Namespace, V1Pod, V1Secret } from '@kubernetes/client-node'
import { v7 as newId } from 'uuid'
import { beforeAll, describe, expect, test } from 'vitest'
import { grantSpaces, RBAC, tokenIn } from '../support/cluster/granted.ts'
import { recorded } from './recorded.ts'
import { chain, type Shared } from './subject.ts'

const BASE = 'spaces'
const never = new AbortController().signal
const wait = { timeout: 30_000, interval: 100 }
const requestOf = (organisationId: string, changes: Partial<InstanceSpecInput> = {}) => ({
  instanceId: newId(),
  generation: 1,
  organisationId,
  spec: instanceSpec.parse({ image: { recipe: chain }, command: ['sleep', '1000'], ...changes }),
})
const begin = (platform: Platform, organisationId: string, changes: Partial<InstanceSpecInput> = {}) =>
  platform.ensure(requestOf(organisationId, changes), never, () => undefined)

export function describeSpaces(shared: () => Shared): void {
  describe('a namespace for each organisation', () => {
    let kubeconfig = ''
    const asked = { everywhere: new Set<string>(), base: new Set<string>(), inEach: new Set<string>() }
    /** Whose rights a call needs: namespaces and bindings are the whole cluster's matter wherever they are. */
    const scopeOf = (path: string) => {
      const [, namespace, kind] = /\/namespaces\/([^/]+)\/([^/]+)/.exec(path) ?? []
      if (!namespace || kind === 'rolebindings') return asked.everywhere
      return namespace === BASE ? asked.base : asked.inEach
    }
    /** As of an installation of its own, so that several tests know nothing of each other. */
    function ofOne(installation: string) {
      const platform = (changes: object = {}) =>
        shared().platform(
          { kubeconfig, namespace: BASE, namespaces: 'per-organisation', ...changes },
          installation,
          (api) => recorded(api, scopeOf),
        )
      const spaceOf = (organisationId: string) => spaceName(BASE, installation, organisationId)
      return { platform, spaceOf }
    }
    const call = <T>(method: string, path: string, body?: object, type?: string) =>
      shared().cluster.call<T>(method, path, body, type)

    beforeAll(async () => {
      await grantSpaces(shared().cluster, BASE)
      kubeconfig = await shared().fileOf('spaces', await tokenIn(shared().cluster, BASE))
    })

    describe('side by side', { concurrent: true }, () => {
      test('[K8S-1.spaces] two organisations side by side: each in its own, made at first use, found again after a restart, and kept when its last instance goes', async () => {
        const { platform, spaceOf } = ofOne('side')
        const [one, other] = [newId(), newId()]
        const first = platform()
        const volumes = [{ id: newId(), name: 'data', at: '/data' }]
        const handles = await Promise.all([
          begin(first, one, { volumes, files: [{ name: 'a', content: 'of one' }] }),
          begin(first, one),
          begin(first, other),
        ])
        expect(handles.map((it) => it.data.namespace)).toEqual([spaceOf(one), spaceOf(one), spaceOf(other)])
        const { metadata } = await call<V1Namespace>('GET', `/api/v1/namespaces/${spaceOf(one)}`)
        expect(metadata?.labels).toMatchObject({
          'app.kubernetes.io/managed-by': 'kalnet',
          'kalnet.io/installation': 'side',
          'kalnet.io/organisation': one,
          'pod-security.kubernetes.io/enforce': 'restricted',
        })
        // As after a restart of ours; once by asking, once by being told.
        const again = platform()
        const ids = async (it: Platform) => (await it.list()).map((handle) => handle.instanceId).sort()
        const wanted = handles.map((it) => it.instanceId).sort()
        expect(await ids(again)).toEqual(wanted)
        const stop = new AbortController()
        const told: string[] = []
        const listening = (async () => {
          for await (const it of again.changes(stop.signal)) told.push(it.instanceId)
        })()
        await poll(async () => new Set(told).size, wait).toBe(3)
        const [its] = handles as [Handle, ...Handle[]]
        const run = await again.exec?.(
          its,
          ['sh', '-c', 'cat /run/kalnet/files/a; touch /data/x'],
          never,
          5000,
        )
        expect(run).toEqual({ code: 0, lastLine: 'of one' })
        expect(await again.logs(its, 5)).toEqual([])
        await again.stop(its, 0)
        expect(await again.observe(its)).toMatchObject({ state: 'ended' })
        for (const it of handles) await again.remove(it)
        stop.abort()
        await listening
        expect(await ids(first)).toEqual([])
        // Its volume outlives all instances, and the namespace with it.
        const claims = `/api/v1/namespaces/${spaceOf(one)}/persistentvolumeclaims`
        const left = async () => (await call<{ items: object[] }>('GET', claims)).items.length
        expect(await left()).toBe(1)
        const next = await begin(platform(), one, { volumes })
        expect(await again.exec?.(next, ['test', '-e', '/data/x'], never, 5000)).toMatchObject({ code: 0 })
        await again.remove(next)
        await again.removeVolume?.(volumes[0]!.id)
        expect(await left()).toBe(0)
      })

      test('[K8S-1.spaces-apart] neither reaches the pods or the secrets of the other, and what one has used up hinders nobody else', async () => {
        const { platform, spaceOf } = ofOne('apart')
        const [one, other, bold] = [newId(), newId(), newId()]
        const its = platform({ quota: { instances: 2 } })
        const listen = `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5) or die; while (my $c = $s->accept) { print $c "reached"; close $c }`
        const command = ['perl', '-e', listen]
        const [theirs, mine] = await Promise.all([
          begin(its, other, { command, network: 'internet', files: [{ name: 'secret', content: 'x' }] }),
          begin(its, one, { network: 'internet', files: [{ name: 'own', content: 'y' }] }),
        ])
        const pod = await call<V1Pod>(
          'GET',
          `/api/v1/namespaces/${theirs.data.namespace}/pods/${theirs.data.pod}`,
        )
        const reach = `use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => "${pod.status?.podIP}:8080", Timeout => 3) or do { print "closed"; exit }; print <$s>`
        const said = async (handle: Handle) =>
          (await its.exec?.(handle, ['perl', '-e', reach], never, 10_000))?.lastLine
        await poll(() => said(theirs), wait).toBe('reached')
        expect(await said(mine)).toBe('closed')
        const account = '/var/run/secrets/kubernetes.io'
        expect(await its.exec?.(mine, ['test', '-e', account], never, 5000)).toMatchObject({ code: 1 })
        const secretsIn = async (organisation: string) =>
          (
            await call<{ items: V1Secret[] }>('GET', `/api/v1/namespaces/${spaceOf(organisation)}/secrets`)
          ).items.map((it) => it.metadata?.name)
        expect([await secretsIn(one), await secretsIn(other)]).toEqual([[mine.data.pod], [theirs.data.pod]])

        const second = await begin(its, one)
        const third = await begin(its, one).catch((error: Error) => error.message)
        expect(third).toBe(
          'The quota of the namespace is used up: 1 more instance was asked for, and 2 of 2 are there',
        )
        const beside = await begin(its, other)
        const large = { cpus: 16, memoryBytes: 2 ** 36 }
        await expect(begin(platform({ most: { cpus: 1 } }), bold, { resources: large })).rejects.toThrow(
          /limits of the namespace do not admit it/,
        )
        for (const it of [theirs, mine, second, beside]) await its.remove(it)
      })

      test('[K8S-1.spaces-foreign] a namespace that is there and is not ours is not touched', async () => {
        const { platform, spaceOf } = ofOne('foreign')
        const organisation = newId()
        const name = spaceOf(organisation)
        await call('POST', '/api/v1/namespaces', { metadata: { name, labels: { whose: 'somebodys' } } })
        const before = await call<V1Namespace>('GET', `/api/v1/namespaces/${name}`)
        await expect(begin(platform(), organisation)).rejects.toThrow(
          new RegExp(`^The namespace ${name} is there already and is not ours, so nothing in it is touched`),
        )
        expect(await call<V1Namespace>('GET', `/api/v1/namespaces/${name}`)).toEqual(before)
        for (const kind of ['resourcequotas', 'limitranges', 'pods'])
          expect(
            (await call<{ items: object[] }>('GET', `/api/v1/namespaces/${name}/${kind}`)).items,
          ).toEqual([])
      })

      test('[K8S-1.spaces-labels] our labels in a namespace of somebody else make nothing ours', async () => {
        const { platform } = ofOne('labels')
        const its = platform()
        const handle = await begin(its, newId())
        const { metadata, spec } = await call<V1Pod>(
          'GET',
          `/api/v1/namespaces/${handle.data.namespace}/pods/${handle.data.pod}`,
        )
        const [container] = spec?.containers ?? []
        const copy = {
          metadata: { name: 'copy', labels: { ...metadata?.labels, 'kalnet.io/instance': newId() } },
          spec: { containers: [{ name: 'x', image: container?.image, command: ['sleep', '1000'] }] },
        }
        await call('POST', '/api/v1/namespaces/default/pods', copy)
        expect((await its.list()).map((it) => it.instanceId)).toEqual([handle.instanceId])
        await call('DELETE', '/api/v1/namespaces/default/pods/copy', { gracePeriodSeconds: 0 })
        await its.remove(handle)
      })

      test('[K8S-1.spaces-moved] volumes from before stay where they are, and what has them stays with them', async () => {
        const { platform, spaceOf } = ofOne('moved')
        const organisation = newId()
        const volumes = [{ id: newId(), name: 'data', at: '/data' }]
        const before = platform({ namespaces: 'one' })
        const old = await begin(before, organisation, { volumes })
        await before.exec?.(old, ['touch', '/data/x'], never, 5000)
        const its = platform()
        // What runs is taken over as it is.
        expect((await its.list()).map((it) => it.instanceId)).toEqual([old.instanceId])
        await its.remove(old)
        const next = await begin(its, organisation, { volumes })
        expect(next.data.namespace).toBe(BASE)
        expect(await its.exec?.(next, ['test', '-e', '/data/x'], never, 5000)).toMatchObject({ code: 0 })
        const fresh = await begin(its, organisation)
        expect(fresh.data.namespace).toBe(spaceOf(organisation))
        for (const it of [next, fresh]) await its.remove(it)
        await its.removeVolume?.(volumes[0]!.id)
      })

      test('[K8S-1.spaces-held] it gives itself rights in its own namespaces only: the API keeps it to that', async () => {
        const its = kubernetesSettings.parse({ kubeconfig, namespace: BASE, namespaces: 'per-organisation' })
        const api = createApi(createSignIn(its))
        const binding = (namespace: string) => ({
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name: 'x', namespace },
          roleRef: {
            apiGroup: 'rbac.authorization.k8s.io',
            kind: 'ClusterRole',
            name: `${BASE}-organisation`,
          },
          subjects: [],
        })
        const namespace = (name: string, labels: object = {}) => ({ metadata: { name, labels } })
        const ours = { 'app.kubernetes.io/managed-by': 'kalnet' }
        const isHeld = /Kalnet makes namespaces, and rights in them, only where/
        // A cluster hears of such a policy a moment later.
        const tried = (work: () => Promise<unknown>) =>
          work().then(
            () => 'done',
            (error: Error) => error.message,
          )
        const bindings = (at: string) => `${RBAC}/namespaces/${at}/rolebindings/x`
        await poll(
          () => tried(() => api.apply(bindings('kube-system'), binding('kube-system'))),
          wait,
        ).toMatch(isHeld)
        await call('POST', '/api/v1/namespaces', namespace(`${BASE}-theirs`))
        for (const work of [
          () => api.apply(bindings(`${BASE}-theirs`), binding(`${BASE}-theirs`)),
          () => api.post('/api/v1/namespaces', namespace('elsewhere', ours)),
          () => api.post('/api/v1/namespaces', namespace(`${BASE}-x`)),
          () => api.patch(`/api/v1/namespaces/${BASE}-theirs`, namespace(`${BASE}-theirs`, ours)),
          () => api.patch('/api/v1/namespaces/kube-system', namespace('kube-system', ours)),
        ])
          expect(await tried(work)).toMatch(isHeld)
        expect(await tried(() => api.get('/api/v1/namespaces/kube-system/secrets/x'))).toMatch(
          /cannot get resource/,
        )
      })
    })

    test('[K8S-1.spaces-least] every right of the ClusterRoles was used, and nothing else was asked', async () => {
      const stop = new AbortController()
      for await (const it of ofOne('least').platform().fingerprint(stop.signal)) {
        expect(it).toMatchObject({ usable: true })
        stop.abort()
      }
      const words = (rights: readonly Right[]) =>
        rights.flatMap(({ resource, verbs }) => verbs.map((verb) => `${verb} ${resource}`))
      const used = (set: Set<string>) => [...set].filter((it) => !it.startsWith('create selfsubject'))
      const everywhere = words(spacesRights(BASE))
      expect(
        used(asked.everywhere).filter((it) => ![...everywhere, ...words(CLUSTER_RIGHTS)].includes(it)),
      ).toEqual([])
      expect(everywhere.filter((it) => !asked.everywhere.has(it) && !ALONG.has(it))).toEqual([])
      expect(used(asked.inEach).filter((it) => !words(SPACE_RIGHTS).includes(it))).toEqual([])
      const share = SPACE_RIGHTS.filter((it) => !RIGHTS.includes(it))
      expect(words(share).filter((it) => !asked.inEach.has(it))).toEqual([])
      expect(used(asked.base).filter((it) => !words(RIGHTS).includes(it))).toEqual([])
    })
  })
}
