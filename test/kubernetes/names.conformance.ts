/** Names as long as a cluster allows, and our labels on things of somebody else, as tests over a cluster that is there. */
import { clusterReport } from '@kalnet/contracts/cluster'
import { instanceSpec } from '@kalnet/contracts/instance'
import { poll } from '@kalnet/controller/platforms/conformance/fixture'
import { podName } from '@kalnet/controller/platforms/kubernetes/names'
import type { V1Pod } from '@kubernetes/client-node'
import { v7 as newId } from 'uuid'
import { expect, test } from 'vitest'
import { chain, NAMESPACE, type Shared } from './subject.ts'

const never = new AbortController().signal
const wait = { timeout: 30_000, interval: 100 }
/** RFC 1123 subdomain: 253 letters is the most; each part of it at most 63. */
const longest = (first: string) =>
  `${first}${'-x'.repeat(31)}.${`${'y'.repeat(62)}.`.repeat(3)}`.slice(0, 252).concat('z')
const pods = `/api/v1/namespaces/${NAMESPACE}/pods`

export function describeNames(shared: () => Shared): void {
  const call = <T = unknown>(method: string, path: string, body?: object, type?: string) =>
    shared().cluster.call<T>(method, path, body, type)

  test('[K8S-1.names] machines, classes of volumes, Secrets and pods with 253 letters are used and shown whole', async () => {
    const [machine, storageClass, pullSecret] = ['machine', 'class', 'pull'].map(longest) as [
      string,
      string,
      string,
    ]
    expect(machine).toHaveLength(253)
    await call('POST', '/api/v1/nodes', {
      metadata: { name: machine, labels: { 'kalnet.io/installation': 'test', 'kalnet.io/instance': 'a..b' } },
      spec: { unschedulable: true },
    })
    await call('POST', '/apis/storage.k8s.io/v1/storageclasses', {
      metadata: { name: storageClass },
      provisioner: 'nobody.test/none',
    })
    await call('POST', `/api/v1/namespaces/${NAMESPACE}/secrets`, {
      metadata: { name: pullSecret },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': '{"auths":{}}' },
    })
    const platform = shared().platform({ storageClass, pullSecret, patienceMs: 3000 }, 'names')
    const stop = new AbortController()
    const listening = (async () => {
      for await (const _ of platform.fingerprint(stop.signal));
    })()
    try {
      const shown = () => platform.cluster?.()
      await poll(() => shown()?.machines?.map((it) => it.name), wait).toContain(machine)
      await poll(() => shown()?.storageClasses?.find((it) => it.chosen)?.name, wait).toBe(storageClass)
      const volume = { id: newId(), name: 'data', at: '/data' }
      const spec = { image: { recipe: chain }, command: ['sleep', '1000'] }
      const request = (changes: object) => ({
        instanceId: newId(),
        generation: 1,
        organisationId: newId(),
        spec: instanceSpec.parse({ ...spec, ...changes }),
      })
      const said: string[] = []
      await expect(
        platform.ensure(request({ volumes: [volume] }), never, (it) => said.push(it.text)),
      ).rejects.toThrow(/volume is not there yet/)
      await platform.removeVolume?.(volume.id)
      const handle = await platform.ensure(request({}), never, () => undefined)
      const made = await call<V1Pod>('GET', `${pods}/${handle.data.pod}`)
      expect(made.spec?.imagePullSecrets).toEqual([{ name: pullSecret }])
      expect(clusterReport.parse(shown())).toEqual(shown())
      await platform.remove(handle)
    } finally {
      stop.abort()
      await listening
      await call('DELETE', `/api/v1/nodes/${machine}`)
      await call('DELETE', `/apis/storage.k8s.io/v1/storageclasses/${storageClass}`)
      await call('DELETE', `/api/v1/namespaces/${NAMESPACE}/secrets/${pullSecret}`)
    }
  })

  test('[K8S-1.names] pods of somebody else that carry our labels are nobody of ours: not listed, not told, not ended', async () => {
    const platform = shared().platform({}, 'labels')
    const stop = new AbortController()
    const noticed: string[] = []
    const listening = (async () => {
      for await (const it of platform.changes(stop.signal)) noticed.push(it.instanceId)
    })()
    const fingerprints = (async () => {
      for await (const _ of platform.fingerprint(stop.signal));
    })()
    const handle = await platform.ensure(
      {
        instanceId: newId(),
        generation: 1,
        organisationId: newId(),
        spec: instanceSpec.parse({ image: { recipe: chain }, command: ['sleep', '1000'] }),
      },
      never,
      () => undefined,
    )
    const ours = await call<V1Pod>('GET', `${pods}/${handle.data.pod}`)
    const long = 'x'.repeat(63)
    const theirs: [string, Record<string, string>][] = [
      [longest('copied'), { ...ours.metadata?.labels }],
      ['no-id', { 'kalnet.io/instance': 'a..b', 'kalnet.io/generation': '1' }],
      // Its name is what ours would be: only the id is none.
      [podName('labels', long, 1), { 'kalnet.io/instance': long, 'kalnet.io/generation': '1' }],
      ['no-number', { 'kalnet.io/instance': newId(), 'kalnet.io/generation': '1e400' }],
      ['empty', { 'kalnet.io/instance': '', 'kalnet.io/generation': '' }],
    ]
    const { securityContext, containers } = ours.spec ?? {}
    const names = theirs.map(([name]) => name)
    try {
      for (const [name, labels] of theirs)
        await call('POST', pods, {
          metadata: { name, labels: { 'kalnet.io/installation': 'labels', ...labels } },
          spec: {
            // Nothing begins: it waits, as what is shown with a reason does.
            schedulingGates: [{ name: 'of.somebody/else' }],
            securityContext,
            automountServiceAccountToken: false,
            containers: containers?.map(({ image, securityContext: its }) => ({
              name: 'x',
              image,
              command: ['sleep', '1000'],
              securityContext: its,
            })),
          },
        })
      const theirsThere = async () => {
        const { items } = await call<{ items: V1Pod[] }>('GET', pods)
        return items.filter((it) => names.includes(it.metadata?.name ?? '')).length
      }
      expect(await theirsThere()).toBe(names.length)
      // What comes after them was told after them.
      await call(
        'PATCH',
        `${pods}/${handle.data.pod}`,
        { metadata: { annotations: { 'of.somebody/else': 'x' } } },
        'application/merge-patch+json',
      )
      await poll(() => platform.cluster?.()?.version, wait).toMatch(/^v1/)
      await poll(() => noticed.length, wait).toBeGreaterThan(0)
      expect(await platform.list()).toEqual([handle])
      expect([...new Set(noticed)]).toEqual([handle.instanceId])
      expect(clusterReport.parse(platform.cluster?.()).waiting).toEqual([])
      expect(await platform.observe(handle)).toMatchObject({ state: 'running' })
      await platform.remove(handle)
      expect(await theirsThere()).toBe(names.length)
    } finally {
      stop.abort()
      await Promise.all([listening, fingerprints])
      for (const name of names)
        await call('DELETE', `${pods}/${name}`, { gracePeriodSeconds: 0 }).catch(() => undefined)
    }
  })
}
