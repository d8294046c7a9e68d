/** Room for volumes on a cluster: as the template says, more of it where the class of the volume gives some. */
import { instanceSpec } from '@kalnet/contracts/instance'
import type { V1PersistentVolumeClaim } from '@kubernetes/client-node'
import { v7 as newId } from 'uuid'
import { expect, test } from 'vitest'
import { STORAGE_CLASS } from '../support/cluster/provisioner.ts'
import { chain, NAMESPACE, type Shared } from './subject.ts'

const never = new AbortController().signal

export function describeVolumeSizes(shared: () => Shared): void {
  test('[K8S-1.sizes] a volume has the room that its template says, grows where its class lets it, and says so where not', async () => {
    const platform = shared().platform()
    const [instanceId, id] = [newId(), newId()]
    const call = shared().cluster.call
    const sizeOf = async () => {
      const claims = `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims?labelSelector=kalnet.io/volume=${id}`
      const { items } = await call<{ items: V1PersistentVolumeClaim[] }>('GET', claims)
      return items.map((it) => it.spec?.resources?.requests?.storage)
    }
    let generation = 0
    const start = (size: string) => {
      generation += 1
      const volumes = [{ id, name: 'data', at: '/data', size }]
      const spec = instanceSpec.parse({ image: { recipe: chain }, command: ['sleep', '1000'], volumes })
      return platform.ensure(
        { instanceId, generation, organisationId: newId(), spec },
        never,
        () => undefined,
      )
    }
    await start('2Gi')
    expect(await sizeOf()).toEqual(['2Gi'])
    await expect(start('3Gi')).rejects.toThrow(
      `Its volume data has 2Gi and is to have 3Gi, but its storage class ${STORAGE_CLASS} gives no more room to one that is there`,
    )
    const path = `/apis/storage.k8s.io/v1/storageclasses/${STORAGE_CLASS}`
    const allow = (allowVolumeExpansion: boolean) =>
      call('PATCH', path, { allowVolumeExpansion }, 'application/merge-patch+json')
    await allow(true)
    await start('3Gi')
    expect(await sizeOf()).toEqual(['3Gi'])
    // Less than it has is no wish.
    const last = await start('1Gi')
    expect(await sizeOf()).toEqual(['3Gi'])
    await allow(false)
    await platform.remove(last)
    await platform.removeVolume?.(id)
  }, 180_000)
}
