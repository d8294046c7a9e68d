/**
 * What never starts on a real cluster, as a controller's reconciling sees it: images that a registry does not have, does not give or never
 * answers for, and volumes that nobody makes. Each is said, ends when it is told to, and leaves nothing. Runs with KALNET_CLUSTER=all.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { poll } from '@kalnet/controller/platforms/conformance/fixture'
import { v7 as newId } from 'uuid'
import { afterAll, describe, expect, test } from 'vitest'
import { lendRegistry } from '../../support/cluster/lend.ts'
import { startImageRegistry } from '../../support/image-registry.ts'
import { clusterIsNotAsked } from '../../support/parts.ts'
import { NAMESPACE, openShared } from '../subject.ts'
import { control, wait, wish } from './controlled.ts'

const LIMIT_MS = 400_000

if (
  await clusterIsNotAsked('that what never starts in a cluster is said and leaves nothing', ['imageRegistry'])
)
  test.skip('what never starts in a cluster: runs with KALNET_CLUSTER=all')
else {
  const shared = await openShared()
  const home = mkdtempSync(join(tmpdir(), 'kn-starting-'))
  afterAll(async () => {
    await shared.close()
    rmSync(home, { recursive: true, force: true })
  })
  const { cluster } = shared
  const left = async (kind: string, id: string) =>
    (
      await cluster.call<{ items: object[] }>(
        'GET',
        `/api/v1/namespaces/${NAMESPACE}/${kind}?labelSelector=kalnet.io/instance=${id}`,
      )
    ).items

  describe('[K8S-1.faults] an image', () => {
    const cases: [string, object, boolean, RegExp][] = [
      ['that its registry does not have', {}, true, /there is no such image/],
      ['that its registry does not give', { signIn: true }, true, /its registry does not let the machine in/],
      ['of a registry that is away', {}, false, /its registry does not answer/],
    ]
    test.each(cases)(
      '%s ends in words and leaves nothing',
      async (name, options, isUp, words) => {
        const registry = await startImageRegistry(join(home, name.replaceAll(' ', '-')), options)
        const giveBack = await lendRegistry(cluster, registry.port)
        // Nobody listens there any more, for the machine of the cluster neither.
        if (!isUp) await Promise.all([registry.kill(), giveBack()])
        const it = control(shared)
        const one = wish({ image: { reference: `127.0.0.1:${registry.port}/nobody/nothing:1` } })
        it.wish(one)
        await poll(() => it.last(one.id)?.state, wait).toBe('failed')
        expect(it.last(one.id)?.reason).toMatch(/^It could not be started: Its image cannot be fetched: /)
        expect(it.last(one.id)?.reason).toMatch(words)
        await poll(() => left('pods', one.id), wait).toEqual([])
        await it.end()
        if (isUp) await giveBack()
        await registry.kill()
      },
      LIMIT_MS,
    )
  })

  describe('[K8S-1.faults] a volume', () => {
    const classes = '/apis/storage.k8s.io/v1/storageclasses'
    const cases: [string, string | null, RegExp][] = [
      ['of a class that there is not', null, /^Its volume is not there yet/],
      ['that its provisioner never makes', 'Immediate', /^Its volume is not there yet/],
      [
        'that is made when it is wanted, and never is',
        'WaitForFirstConsumer',
        /volume is not there yet|prepares|Starting/,
      ],
    ]
    test.each(cases)(
      '%s is waited for, with the reason; told to stop it ends, and the volume can be taken away',
      async (_, mode, words) => {
        const storageClass = `class-${newId()}`
        if (mode)
          await cluster.call('POST', classes, {
            metadata: { name: storageClass },
            provisioner: 'kalnet.test/nobody',
            volumeBindingMode: mode,
          })
        const it = control(shared, { storageClass })
        const volume = { id: newId(), name: 'data', at: '/data' }
        const one = wish({ volumes: [volume] })
        it.wish(one)
        await poll(() => it.last(one.id)?.progress?.text, wait).toMatch(words)
        expect(it.last(one.id)?.state).toBe('creating')
        it.wish({ ...one, state: 'stopped' })
        await poll(() => it.last(one.id)?.state, wait).toBe('stopped')
        await poll(() => left('pods', one.id), wait).toEqual([])
        await it.platform.removeVolume?.(volume.id)
        const claims = await cluster.call<{ items: object[] }>(
          'GET',
          `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims?labelSelector=kalnet.io/volume=${volume.id}`,
        )
        expect(claims.items).toEqual([])
        await it.end()
      },
      LIMIT_MS,
    )
  })
}
