/**
 * What goes wrong for minutes in a real cluster, as a controller's reconciling sees it: the kubelet dies, the API server is away, versions
 * are forgotten, a machine is cleared, a token ends. Each ends as it is wanted, or in a sentence. Runs with KALNET_CLUSTER=all.
 */
import { poll } from '@kalnet/controller/platforms/conformance/fixture'
import { type Api, ApiProblem } from '@kalnet/controller/platforms/kubernetes/api'
import { systemClock } from '@kalnet/io/clock'
import type { V1Pod } from '@kubernetes/client-node'
import { afterAll, describe, expect, test } from 'vitest'
import { partOf } from '../../support/cluster/part.ts'
import { clusterIsNotAsked } from '../../support/parts.ts'
import { note } from '../results.ts'
import { NAMESPACE, openShared } from '../subject.ts'
import { type Controlled, control, wait, wish } from './controlled.ts'
import { tokenOf } from './token.ts'

const AWAY_MS = 60_000
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`
const LIMIT_MS = 500_000

if (await clusterIsNotAsked('that what fails for minutes in a cluster ends as it is wanted'))
  test.skip('what goes wrong for minutes in a cluster: runs with KALNET_CLUSTER=all')
else {
  const shared = await openShared()
  afterAll(() => shared.close())
  const { cluster } = shared
  const podsOf = async (id: string) =>
    (await cluster.call<{ items: V1Pod[] }>('GET', `${PODS}?labelSelector=kalnet.io/instance=${id}`)).items
  const running = async (it: Controlled, ids: string[]) => {
    await poll(() => ids.map((id) => it.last(id)?.state), wait).toEqual(ids.map(() => 'running'))
  }
  /** What shows that it is the same program still, and only one of it. */
  const marksOf = async (ids: string[]) =>
    Promise.all(
      ids.map(async (id) =>
        (await podsOf(id)).map((pod) => [
          pod.metadata?.uid,
          pod.status?.containerStatuses?.[0]?.containerID,
          pod.status?.containerStatuses?.[0]?.restartCount,
        ]),
      ),
    )
  const isReady = () => cluster.call('GET', '/readyz').catch(() => 'away')

  test(
    '[K8S-1.silent-machine] the kubelet is killed: its instances run as far as is known, and that is said; back, they are the same and nothing is doubled',
    async () => {
      const it = control(shared)
      const wishes = [wish(), wish()]
      const ids = wishes.map(({ id }) => id)
      for (const one of wishes) it.wish(one)
      await running(it, ids)
      const before = await marksOf(ids)
      const kubelet = await partOf(cluster, 'kubelet')
      const killed = Date.now()
      await kubelet.kill()
      const silent = expect.stringMatching(/^Its machine machine-1 does not answer/)
      await poll(() => ids.map((id) => it.last(id)?.reason), wait).toEqual([silent, silent])
      const noticedMs = Date.now() - killed
      expect(ids.map((id) => it.states(id).at(-1))).toEqual(['running', 'running'])
      const begun = Date.now()
      await kubelet.begin()
      await poll(() => ids.map((id) => it.last(id)?.reason), wait).toEqual([null, null])
      const convergedMs = Date.now() - begun
      for (const id of ids) expect(it.states(id)).toEqual(['preparing', 'creating', 'running'])
      expect(await marksOf(ids)).toEqual(before)
      await note('faults', 'kubelet killed', { at: new Date().toISOString(), noticedMs, convergedMs })
      await it.end()
    },
    LIMIT_MS,
  )

  const ways: Record<string, () => Promise<{ leave(): Promise<void>; return(): Promise<void> }>> = {
    frozen: async () => {
      const api = await partOf(cluster, 'kube-apiserver')
      return { leave: api.freeze, return: api.thaw }
    },
    killed: async () => {
      const api = await partOf(cluster, 'kube-apiserver')
      return { leave: api.kill, return: api.begin }
    },
  }
  describe.each(Object.keys(ways))('the API server %s for a minute', (name) => {
    test(
      '[K8S-1.faults] nothing is lost or ended for that; what was wished and what ended meanwhile is made so, without a storm',
      async () => {
        const it = control(shared)
        const lasting = Array.from({ length: 8 }, () => wish())
        const stopped = wish()
        const ending = wish({ command: ['sh', '-c', 'until [ -e /tmp/end ]; do sleep 0.2; done; exit 4'] })
        for (const one of [...lasting, stopped, ending]) it.wish(one)
        const ids = lasting.map(({ id }) => id)
        await running(it, [...ids, stopped.id, ending.id])
        const before = await marksOf(ids)
        const [handle] = (await it.platform.list()).filter((one) => one.instanceId === ending.id)
        const soon = ['sh', '-c', '(sleep 15; touch /tmp/end) >/dev/null 2>&1 &']
        if (handle) await it.platform.exec?.(handle, soon, AbortSignal.timeout(30_000), 5_000)

        const way = await ways[name]?.()
        const left = Date.now()
        await way?.leave()
        await systemClock.sleep(5_000)
        const made = wish()
        it.wish(made)
        it.wish({ ...stopped, state: 'stopped' })
        await systemClock.sleep(AWAY_MS - 5_000)
        const inventory = it.inventory().filter((one) => ids.includes(one.id))
        expect(inventory.map((one) => one.state)).toEqual(ids.map(() => 'running'))
        expect(it.last(ending.id)?.state).toBe('running')
        expect(it.last(made.id)?.state).toMatch(/preparing|creating/)
        expect(it.last(stopped.id)?.state).toMatch(/running|stopping/)
        const back = Date.now()
        const whileAway = it.asked.filter((at) => at >= left && at < back).length
        await way?.return()
        await poll(isReady, wait).toBe('ok')
        const ready = Date.now()
        await running(it, [...ids, made.id])
        await poll(() => it.last(stopped.id)?.state, wait).toBe('stopped')
        await poll(() => it.last(ending.id), wait).toMatchObject({
          state: 'failed',
          reason: 'Its program ended with code 4',
        })
        const convergedMs = Date.now() - ready
        const afterwards = it.asked.filter((at) => at >= ready).length
        await note('faults', `API server ${name}`, {
          at: new Date().toISOString(),
          instances: lasting.length + 3,
          awayMs: back - left,
          askedWhileAway: whileAway,
          convergedMs,
          askedAfterwards: afterwards,
        })
        for (const id of ids) expect(it.states(id)).toEqual(['preparing', 'creating', 'running'])
        expect(await marksOf([...ids, made.id])).toEqual([...before, [expect.anything()]])
        // One asks for all: as many as there are instances it would be with one question of each.
        expect(whileAway).toBeLessThan(60)
        expect(afterwards).toBeLessThan(120)
        await it.end()
      },
      LIMIT_MS,
    )
  })

  test(
    '[K8S-1.watch] a real compaction: a watch from before it gets 410 Gone, all is read again, and nothing that happened meanwhile is missed',
    async () => {
      const seen: number[] = []
      const held = { hold: false, since: '' }
      const release = Promise.withResolvers<void>()
      /** The next watch is begun only when the versions that it asks for are forgotten. */
      const late = (api: Api): Api => ({
        ...api,
        async *watch<T>(
          path: string,
          query: Record<string, string | number | readonly string[]>,
          signal: AbortSignal,
        ) {
          const isPods = path === PODS
          if (isPods && held.hold) await release.promise
          try {
            for await (const one of api.watch<T>(
              path,
              isPods ? { ...query, timeoutSeconds: 5 } : query,
              signal,
            )) {
              if (one.type === 'ERROR' && isPods) seen.push((one.object as { code?: number }).code ?? 0)
              yield one
            }
          } catch (error) {
            if (isPods && error instanceof ApiProblem) seen.push(error.status)
            throw error
          }
        },
      })
      const it = control(shared, {}, late)
      const [gone, stays] = [wish(), wish()]
      it.wish(gone)
      it.wish(stays)
      await running(it, [gone.id, stays.id])
      held.hold = true
      // The watch that is open ends by itself within its five seconds.
      await systemClock.sleep(8_000)
      const [pod] = await podsOf(gone.id)
      await cluster.call('DELETE', `${PODS}/${pod?.metadata?.name}`, { gracePeriodSeconds: 1 })
      await poll(async () => (await podsOf(gone.id)).length, wait).toBe(0)
      const { metadata } = await cluster.call<{ metadata: { resourceVersion: string } }>('GET', PODS)
      const compacted = await cluster.inMachine('curl', [
        ...[
          '--silent',
          '--fail',
          '--data',
          JSON.stringify({ revision: metadata.resourceVersion, physical: true }),
        ],
        'http://127.0.0.1:2379/v3/kv/compaction',
      ])
      expect([compacted.code, compacted.stdout]).toEqual([0, expect.stringContaining('revision')])
      // What the API server itself remembers goes with it.
      const api = await partOf(cluster, 'kube-apiserver')
      await api.kill()
      await api.begin()
      await poll(isReady, wait).toBe('ok')
      held.hold = false
      release.resolve()
      await poll(() => it.last(gone.id)?.state, wait).toBe('failed')
      expect(it.last(gone.id)?.reason).toBe('It is no longer there: it was removed from outside')
      expect(it.states(stays.id)).toEqual(['preparing', 'creating', 'running'])
      expect(seen).toContain(410)
      await it.end()
    },
    LIMIT_MS,
  )

  test(
    '[K8S-1.drained] a machine that is cleared: what leaves says why, budgets are kept, and what is made instead waits and runs when a machine takes it',
    async () => {
      const it = control(shared)
      const replicas = [wish(), wish()]
      for (const one of replicas) it.wish(one)
      const ids = replicas.map(({ id }) => id)
      await running(it, ids)
      const node = '/api/v1/nodes/machine-1'
      const merge = 'application/merge-patch+json'
      const budgets = `/apis/policy/v1/namespaces/${NAMESPACE}/poddisruptionbudgets`
      await cluster.call('POST', budgets, {
        metadata: { name: 'one-stays' },
        spec: {
          minAvailable: 1,
          selector: { matchExpressions: [{ key: 'kalnet.io/instance', operator: 'In', values: ids }] },
        },
      })
      await poll(async () => {
        const { status } = await cluster.call<{ status?: { disruptionsAllowed?: number } }>(
          'GET',
          `${budgets}/one-stays`,
        )
        return status?.disruptionsAllowed
      }, wait).toBe(1)
      await cluster.call('PATCH', node, { spec: { unschedulable: true } }, merge)
      const evict = async (id: string) => {
        const [pod] = await podsOf(id)
        const name = pod?.metadata?.name
        return cluster
          .call('POST', `${PODS}/${name}/eviction`, {
            apiVersion: 'policy/v1',
            kind: 'Eviction',
            metadata: { name },
          })
          .then(
            () => 'taken',
            (error: { status?: number }) => error.status,
          )
      }
      const [first = '', second = ''] = ids
      expect(await evict(first)).toBe('taken')
      await poll(() => it.last(first)?.state, wait).toBe('failed')
      expect(it.last(first)?.reason).toBe('Its machine machine-1 is being cleared, and it had to leave')
      expect(await evict(second)).toBe(429)
      // As a control plane replaces it.
      const [wished] = replicas
      if (wished) it.wish({ ...wished, generation: 2 })
      await poll(() => it.last(first)?.progress?.text, wait).toMatch(/^No machine of the cluster takes it/)
      expect(it.last(second)?.state).toBe('running')
      await cluster.call('PATCH', node, { spec: { unschedulable: null } }, merge)
      await poll(() => [it.last(first)?.generation, it.last(first)?.state], wait).toEqual([2, 'running'])
      await poll(() => evict(second), wait).toBe('taken')
      await poll(() => it.last(second)?.reason, wait).toMatch(/is being cleared/)
      expect(await podsOf(first)).toHaveLength(1)
      await cluster.call('DELETE', `${budgets}/one-stays`)
      await it.end()
    },
    LIMIT_MS,
  )

  test(
    '[K8S-1.token] a token that is really over: said, and nothing is called lost; a new one in the same file is taken without a restart',
    async () => {
      const file = await shared.fileOf('short', await tokenOf(cluster, { leftSeconds: 60 }))
      const it = control(shared, { kubeconfig: file })
      const one = wish()
      it.wish(one)
      await running(it, [one.id])
      await poll(() => it.said.at(-1), wait).toMatchObject({ usable: true })
      const later = wish()
      const until = Date.now() + 240_000
      // Whoever asks is refused from now on; a watch that is open goes on.
      while (
        (await it.platform
          .logs(
            {
              platform: 'kubernetes',
              instanceId: one.id,
              generation: 1,
              data: { namespace: NAMESPACE, pod: 'none' },
            },
            1,
          )
          .then(
            () => true,
            () => false,
          )) &&
        Date.now() < until
      )
        await systemClock.sleep(500)
      it.wish(later)
      await poll(() => it.last(later.id)?.state, wait).toBe('failed')
      expect(it.last(later.id)?.reason).toMatch(
        /The cluster does not know us any more: the token is over or wrong/,
      )
      await poll(() => it.said.at(-1), wait).toMatchObject({
        usable: false,
        detail: expect.stringMatching(/does not know us any more/),
      })
      expect(it.last(one.id)?.state).toBe('running')
      await shared.fileOf('short', await tokenOf(cluster, { leftSeconds: 3600 }))
      await poll(() => it.said.at(-1), wait).toMatchObject({ usable: true })
      const next = wish()
      it.wish(next)
      await running(it, [next.id])
      expect(it.states(one.id)).toEqual(['preparing', 'creating', 'running'])
      await it.end()
    },
    LIMIT_MS,
  )
}
