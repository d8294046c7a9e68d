/** What goes wrong in a cluster, as tests over a cluster that is there: each ends in the wanted state or in one sentence. */
import { type InstanceSpecInput, instanceSpec } from '@kalnet/contracts/instance'
import { poll } from '@kalnet/controller/platforms/conformance/fixture'
import { volumeName } from '@kalnet/controller/platforms/kubernetes/names'
import { newCertificate } from '@kalnet/controller/platforms/kubernetes/screen-certificate'
import { textOf } from '@kalnet/controller/platforms/kubernetes/walls'
import { linkPlaces } from '@kalnet/controller/platforms/links'
import type { Platform } from '@kalnet/controller/platforms/platform'
import type { V1Pod } from '@kubernetes/client-node'
import { v7 as newId } from 'uuid'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
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
const start = (
  platform: Platform,
  changes: Partial<InstanceSpecInput> = {},
  say: (text: string) => void = () => undefined,
) => platform.ensure(requestOf(changes), never, (it) => say(it.text))

export function describeFaults(shared: () => Shared): void {
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`

  describe('[K8S-1.faults] what goes wrong in a cluster', { concurrent: true }, () => {
    test('a pod that somebody deletes is gone at once for whoever is told, and all that hung on it with it', async () => {
      const platform = shared().platform()
      const stop = new AbortController()
      const noticed: string[] = []
      const listening = (async () => {
        for await (const it of platform.changes(stop.signal)) noticed.push(it.instanceId)
      })()
      const handle = await start(platform, { files: [{ name: 'a', content: 'b' }] })
      noticed.length = 0
      await shared().cluster.call('DELETE', `${pods}/${handle.data.pod}`, { gracePeriodSeconds: 1 })
      await poll(() => noticed, wait).toContain(handle.instanceId)
      await poll(() => platform.observe(handle), wait).toEqual({ state: 'gone' })
      const left = async () => {
        const { items } = await shared().cluster.call<{ items: { metadata: { name: string } }[] }>(
          'GET',
          `/api/v1/namespaces/${NAMESPACE}/secrets`,
        )
        return items.filter((it) => it.metadata.name === handle.data.pod)
      }
      await poll(left, wait).toEqual([])
      stop.abort()
      await listening
      await platform.remove(handle)
    })

    test('an image that does not exist is told in words, and nothing of it is left', async () => {
      const platform = shared().platform()
      const image = { reference: '127.0.0.1:1/nobody/nothing:1' }
      const request = requestOf({ image, command: ['x'] })
      await expect(platform.ensure(request, never, () => undefined)).rejects.toThrow(
        /image cannot be fetched/,
      )
      const left = (await platform.list()).filter((it) => it.instanceId === request.instanceId)
      expect(left).toEqual([])
    })

    test('a volume that cannot be had and a machine that is too small are waited for, with the reason, and no longer than may be', async () => {
      const platform = shared().platform({ storageClass: 'nobody-has-it', patienceMs: 3000 })
      const said: string[] = []
      const volumes = [{ id: newId(), name: 'data', at: '/data' }]
      await expect(start(platform, { volumes }, (text) => said.push(text))).rejects.toThrow(
        /volume is not there yet/,
      )
      expect(said.join()).toMatch(/volume is not there yet/)
      await platform.removeVolume?.(volumes[0]!.id)
      const large = start(platform, { resources: { memoryBytes: 2 ** 39 } })
      await expect(large).rejects.toThrow(/enough free memory/)
    })

    test('[K8S-1.walls-kept] walls that another manager opened, took the marks of or deleted are put back while it runs', async () => {
      const platform = shared().platform()
      const stop = new AbortController()
      const listening = (async () => {
        for await (const _ of platform.changes(stop.signal));
      })()
      const handle = await start(platform)
      const policy = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/${handle.data.pod}`
      const { call } = shared().cluster
      type Policy = { metadata: { labels: object }; spec: { egress?: unknown[]; podSelector: object } }
      const read = () => call<Policy>('GET', policy).catch(() => null)
      const made = await read()
      expect(made?.spec.egress ?? []).toEqual([])
      const isAsMade = async () => {
        const now = await read()
        return (
          textOf(now?.spec) === textOf(made?.spec) &&
          textOf(now?.metadata.labels) === textOf(made?.metadata.labels)
        )
      }
      const take = (change: object) =>
        call(
          'PATCH',
          `${policy}?fieldManager=somebody&force=true`,
          { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', ...change },
          'application/apply-patch+yaml',
        )
      await take({ spec: { podSelector: {}, egress: [{}] } })
      await eventually('its walls are closed again', isAsMade)
      await take({ metadata: { labels: { 'kalnet.io/installation': 'theirs' } } })
      await eventually('its walls have their marks again', isAsMade)
      await call('DELETE', policy)
      await eventually('its walls are there again', isAsMade)
      await platform.remove(handle)
      await eventually('they go with it', async () => (await read()) === null)
      stop.abort()
      await listening.catch(() => undefined)
    })
  })

  describe('[K8S-1.faults] what somebody else does beside us', { concurrent: true }, () => {
    test('[K8S-1.farewell] marks that another manager took are put back, and nothing is called gone meanwhile', async () => {
      const platform = shared().platform()
      const stop = new AbortController()
      const listening = (async () => {
        for await (const _ of platform.changes(stop.signal));
      })()
      const handle = await start(platform)
      const pod = `${pods}/${handle.data.pod}`
      const read = () => shared().cluster.call<V1Pod>('GET', pod)
      const { labels: ours = {} } = (await read()).metadata ?? {}
      const taken = { 'kalnet.io/installation': 'theirs', 'kalnet.io/instance': 'theirs' }
      await shared().cluster.call(
        'PATCH',
        `${pod}?fieldManager=somebody&force=true`,
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: handle.data.pod, labels: taken } },
        'application/apply-patch+yaml',
      )
      // Whoever is told of ours is told that this one went.
      const seen: string[] = []
      const labels = async () => {
        seen.push((await platform.observe(handle)).state)
        return (await read()).metadata?.labels
      }
      await poll(labels, wait).toEqual(ours)
      expect([...new Set(seen)]).toEqual(['running'])
      await poll(
        async () => (await platform.list()).filter((it) => it.data.pod === handle.data.pod),
        wait,
      ).toEqual([handle])
      stop.abort()
      await listening
      await platform.remove(handle)
    })

    test('what has our names and not our marks is not touched, nor is what another installation made', async () => {
      const platform = shared().platform()
      const other = shared().platform({}, 'another')
      const theirs = await start(other)
      expect((await platform.list()).filter((it) => it.instanceId === theirs.instanceId)).toEqual([])
      const volume = { id: newId(), name: 'data', at: '/data' }
      const name = volumeName('test', volume.id)
      const claims = `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`
      await shared().cluster.call('POST', claims, {
        metadata: { name },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'of-nobody',
          resources: { requests: { storage: '1Mi' } },
        },
      })
      await expect(start(platform, { volumes: [volume] })).rejects.toThrow(/is there already and is not ours/)
      expect(
        (await shared().cluster.call<V1Pod>('GET', `${claims}/${name}`)).metadata?.labels,
      ).toBeUndefined()
      await shared().cluster.call('DELETE', `${claims}/${name}`)
      expect(await other.observe(theirs)).toMatchObject({ state: 'running' })
      await other.remove(theirs)
    })

    test('[NET-5.link-places] the way for links that somebody ends inside is told, and is made anew', async () => {
      const platform = shared().platform()
      const handle = await start(platform)
      const places = linkPlaces([{ name: 'db', port: 5432 }])
      const stop = new AbortController()
      const broke: string[] = []
      const listen = () =>
        platform.listenInside?.(
          handle,
          places,
          (_, stream) => void stream.end('hello'),
          stop.signal,
          (error) => broke.push(error.message),
        )
      await listen()
      // Written so that it does not find itself.
      const kill =
        'for p in /proc/[0-9]*; do grep -qa -- "-[-].listen" $p/cmdline && kill -9 $(basename $p); done; true'
      await platform.exec?.(handle, ['sh', '-c', kill], never, 20_000)
      await poll(() => broke.length, wait).toBe(1)
      await listen()
      stop.abort()
      await platform.remove(handle)
      expect(broke).toHaveLength(1)
    })
  })

  describe('[K8S-1.bad-input] what cannot be meant', { concurrent: true }, () => {
    const first = async (platform: Platform) => {
      const stop = new AbortController()
      try {
        for await (const it of platform.fingerprint(stop.signal)) return it
      } finally {
        stop.abort()
      }
      throw new Error('it said nothing')
    }

    test('no rights: each one that is missing is named', async () => {
      const account = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`
      await shared().cluster.call('POST', account, { metadata: { name: 'nobody' } })
      const kubeconfig = await shared().accountOf('nobody')
      const it = await first(shared().platform({ kubeconfig }))
      expect(it).toMatchObject({ usable: false, version: 'v1.34.4' })
      expect(it.detail).toMatch(/We may not get pods, list pods, watch pods, create pods/)
      await expect(start(shared().platform({ kubeconfig }))).rejects.toThrow(/We may not do that/)
    })

    test('a certificate of an authority that the kubeconfig does not name, or names wrongly', async () => {
      const { cluster } = shared()
      const config = JSON.parse(cluster.kubeconfig)
      const [{ cluster: its }] = config.clusters
      const write = async (name: string, changes: object) =>
        shared().configOf(
          name,
          JSON.stringify({ ...config, clusters: [{ name: 'test', cluster: { ...its, ...changes } }] }),
        )
      const said = async (kubeconfig: string) => (await first(shared().platform({ kubeconfig }))).detail
      expect(await said(await write('no-authority', { 'certificate-authority-data': undefined }))).toMatch(
        /authority that is not known here: the kubeconfig must name it/,
      )
      const other = Buffer.from(newCertificate().certificate).toString('base64')
      expect(await said(await write('other', { 'certificate-authority-data': other }))).toMatch(
        /is not of the authority that the kubeconfig names/,
      )
      const none = Buffer.from('-----BEGIN CERTIFICATE-----\nnone\n').toString('base64')
      expect(await said(await write('none', { 'certificate-authority-data': none }))).toMatch(
        /is not of the authority that the kubeconfig names/,
      )
      expect(await said(await write('nobody', { server: 'https://127.0.0.1:1' }))).toMatch(
        /nobody listens at 127\.0\.0\.1:1/,
      )
    })

    test('a token that nobody gave, a namespace that is not ours to use, a cluster that is not there', async () => {
      const kubeconfig = await shared().strangerOf()
      expect(await first(shared().platform({ kubeconfig }))).toMatchObject({
        usable: false,
        detail: expect.stringMatching(/does not know us any more/),
      })
      expect(await first(shared().platform({ namespace: 'kube-system' }))).toMatchObject({
        usable: false,
        detail: expect.stringMatching(/We may not .* in the namespace kube-system/),
      })
    })

    test('words of others in labels and notes end in one answer', async () => {
      const platform = shared().platform()
      const handle = await start(platform)
      const long = 'x'.repeat(63)
      const labels = { 'kalnet.io/generation': long, 'kalnet.io/instance': 'a..b' }
      const pod = `${pods}/${handle.data.pod}`
      await shared().cluster.call('PATCH', pod, { metadata: { labels } }, 'application/merge-patch+json')
      expect((await platform.list()).filter((it) => it.data.pod === handle.data.pod)).toEqual([])
      expect(await platform.observe(handle)).toMatchObject({ state: 'running' })
      await platform.remove(handle)
      expect(await platform.observe(handle)).toEqual({ state: 'gone' })
    })
  })

  // Both stand in the way of everything else.
  describe('[K8S-1.faults] what goes wrong for all', () => {
    test('a quota that is used up is told in words', async () => {
      const platform = shared().platform()
      const quota = `/api/v1/namespaces/${NAMESPACE}/resourcequotas`
      await shared().cluster.call('POST', quota, {
        metadata: { name: 'none' },
        spec: { hard: { pods: '0' } },
      })
      const isCounted = async () =>
        (await shared().cluster.call<{ status?: { hard?: { pods?: string } } }>('GET', `${quota}/none`))
          .status?.hard?.pods
      await poll(isCounted, wait).toBe('0')
      await expect(start(platform)).rejects.toThrow(/quota of the namespace is used up/)
      await shared().cluster.call('DELETE', `${quota}/none`)
    })

    test('a cluster that goes away is told; what ended meanwhile is told when it is back, and what runs ran on', async () => {
      const platform = shared().platform()
      const stop = new AbortController()
      const usable: boolean[] = []
      const watching = [
        (async () => {
          for await (const it of platform.fingerprint(stop.signal)) usable.push(it.usable)
        })(),
        (async () => {
          for await (const _ of platform.changes(stop.signal));
        })(),
      ]
      await poll(() => usable.at(-1), wait).toBe(true)
      const ending = await start(platform, {
        command: ['sh', '-c', 'until [ -e /tmp/end ]; do sleep 0.1; done; exit 4'],
      })
      const lasting = await start(platform)
      const block = [
        'INPUT',
        '-p',
        'tcp',
        '--dport',
        '6443',
        '-i',
        'eth0',
        '-j',
        'REJECT',
        '--reject-with',
        'tcp-reset',
      ]
      await platform.exec?.(ending, ['sh', '-c', '(sleep 2; touch /tmp/end) >/dev/null 2>&1 &'], never, 5000)
      await shared().cluster.inMachine('iptables', ['-I', ...block])
      const observed = () =>
        platform.observe(lasting).then(
          () => 'told',
          () => 'away',
        )
      await poll(observed, wait).toBe('away')
      await poll(() => usable.at(-1), wait).toBe(false)
      await shared().cluster.inMachine('iptables', ['-D', ...block])
      await poll(() => usable.at(-1), wait).toBe(true)
      await poll(() => platform.observe(ending), wait).toMatchObject({ state: 'ended', code: 4 })
      expect(await platform.observe(lasting)).toMatchObject({ state: 'running' })
      stop.abort()
      await Promise.all(watching)
      for (const it of [ending, lasting]) await platform.remove(it)
    })
  })
}
