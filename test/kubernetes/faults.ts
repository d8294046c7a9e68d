/** What goes wrong in a cluster, as tests over a cluster that is there: each ends in the wanted state or in one sentence. */
import { type InstanceSpecInput, instanceSpec } from '@kalnet/contracts/instance'
import type { Platform } from '@kalnet/controller/platforms/platform'
import { v7 as newId } from 'uuid'
import { describe, expect, test } from 'vitest'
import { STORAGE_CLASS } from '../support/cluster/provisioner.ts'
import { chain, NAMESPACE, type Shared } from './subject.ts'

const never = new AbortController().signal
const wait = { timeout: 30_000, interval: 100 }
const ORGANISATION = '01890000-0000-7000-8000-00000000a000'

const requestOf = (changes: Partial<InstanceSpecInput> = {}) => ({
  instanceId: newId(),
  generation: 1,
  organisationId: ORGANISATION,
  spec: instanceSpec.parse({ image: { recipe: chain }, command: ['sleep', '1000'], ...changes }),
})
const start = (platform: Platform, changes: Partial<InstanceSpecInput> = {}, say: (text: string) => void = () => undefined) =>
  platform.ensure(requestOf(changes), never, (it) => say(it.text))

export function describeFaults(shared: () => Shared): void {
  const { cluster } = { get cluster() { return shared().cluster } }
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`

  describe('[K8S-1.faults] what goes wrong in a cluster', () => {
    test('a pod that somebody deletes is gone at once for whoever is told, and all that hung on it with it', async () => {
      const platform = shared().platform()
      const stop = new AbortController()
      const noticed: string[] = []
      const listening = (async () => {
        for await (const it of platform.changes(stop.signal)) noticed.push(it.instanceId)
      })()
      const handle = await start(platform, { files: [{ name: 'a', content: 'b' }] })
      noticed.length = 0
      await cluster.call('DELETE', `${pods}/${handle.data.pod}`, { gracePeriodSeconds: 1 })
      await expect.poll(() => noticed, wait).toContain(handle.instanceId)
      await expect.poll(() => platform.observe(handle), wait).toEqual({ state: 'gone' })
      const left = async () => {
        const { items } = await cluster.call<{ items: { metadata: { name: string } }[] }>('GET', `/api/v1/namespaces/${NAMESPACE}/secrets`)
        return items.filter((it) => it.metadata.name === handle.data.pod)
      }
      await expect.poll(left, wait).toEqual([])
      stop.abort()
      await listening
      await platform.remove(handle)
    })

    test('an image that does not exist is told in words, and nothing of it is left', async () => {
      const platform = shared().platform()
      const problem = start(platform, { image: { reference: '127.0.0.1:1/nobody/nothing:1' }, command: ['x'] })
      await expect(problem).rejects.toThrow(/image cannot be fetched/)
      expect(await platform.list()).toEqual([])
    })

    test('a volume that cannot be had and a machine that is too small are waited for, with the reason, and no longer than may be', async () => {
      const platform = shared().platform({ storageClass: 'nobody-has-it', patienceMs: 3000 })
      const said: string[] = []
      const volumes = [{ id: newId(), name: 'data', at: '/data' }]
      await expect(start(platform, { volumes }, (text) => said.push(text))).rejects.toThrow(/volume is not there yet/)
      expect(said.join()).toMatch(/volume is not there yet/)
      await platform.removeVolume?.(volumes[0]!.id)
      const large = start(platform, { resources: { memoryBytes: 2 ** 39 } })
      await expect(large).rejects.toThrow(/enough free memory/)
    })

    test('a quota that is used up is told in words', async () => {
      const platform = shared().platform()
      const quota = `/api/v1/namespaces/${NAMESPACE}/resourcequotas`
      await cluster.call('POST', quota, { metadata: { name: 'none' }, spec: { hard: { pods: '0' } } })
      const isCounted = async () =>
        (await cluster.call<{ status?: { hard?: { pods?: string } } }>('GET', `${quota}/none`)).status?.hard?.pods
      await expect.poll(isCounted, wait).toBe('0')
      await expect(start(platform)).rejects.toThrow(/quota of the namespace is used up/)
      await cluster.call('DELETE', `${quota}/none`)
    })

    test('fields that somebody else took are taken back', async () => {
      const platform = shared().platform()
      const request = requestOf()
      const handle = await platform.ensure(request, never, () => undefined)
      const policy = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/${handle.data.pod}`
      const theirs = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', spec: { podSelector: {}, egress: [{}] } }
      await cluster.call('PATCH', `${policy}?fieldManager=somebody&force=true`, theirs, 'application/apply-patch+yaml')
      const next = await platform.ensure({ ...request, generation: 2 }, never, () => undefined)
      const own = await cluster.call<{ spec: { egress?: unknown[] } }>('GET', policy.replace(String(handle.data.pod), String(next.data.pod)))
      expect(own.spec.egress ?? []).toEqual([])
      await platform.remove(next)
    })

    test('[K8S-1.watch] what the cluster forgot meanwhile is read again, and watching costs no questions', async () => {
      const platform = shared().platform()
      const stop = new AbortController()
      const listening = (async () => {
        for await (const _ of platform.changes(stop.signal)) await cluster.call('GET', '/readyz')
      })()
      const handle = await start(platform)
      expect(await platform.observe(handle)).toMatchObject({ state: 'running' })
      await platform.remove(handle)
      expect(await platform.observe(handle)).toEqual({ state: 'gone' })
      stop.abort()
      await listening
      expect(STORAGE_CLASS).toBe('folders')
    })
  })
}
