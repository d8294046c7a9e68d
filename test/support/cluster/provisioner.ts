/** Gives claims of the test cluster folders of its machine, as a storage class would, and takes them back. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import type { Cluster } from '../cluster.ts'

/** Claims of this class get folders; those of any other wait for ever. */
export const STORAGE_CLASS = 'folders'
const PROVISIONER = 'kalnet.test/folders'
const PAUSE_MS = 200

interface Claim {
  metadata: { name: string; namespace: string; uid: string }
  spec: { storageClassName?: string; accessModes: string[]; resources: { requests: { storage: string } } }
  status: { phase: string }
}
interface Volume {
  metadata: { name: string }
  spec: { storageClassName?: string }
  status: { phase: string }
}
type List<T> = { items: T[] }

export async function provideVolumes(cluster: Cluster, signal: AbortSignal): Promise<void> {
  await cluster.call('POST', '/apis/storage.k8s.io/v1/storageclasses', {
    metadata: { name: STORAGE_CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: PROVISIONER,
    volumeBindingMode: 'Immediate',
    reclaimPolicy: 'Delete',
  })
  const folderOf = (name: string) => join(cluster.folder, 'volumes', name)

  async function give({ metadata, spec }: Claim) {
    const name = `folder-${metadata.uid}`
    await mkdir(folderOf(name), { recursive: true })
    await chmod(folderOf(name), 0o777)
    await cluster.call('POST', '/api/v1/persistentvolumes', {
      metadata: { name },
      spec: {
        capacity: spec.resources.requests,
        accessModes: spec.accessModes,
        storageClassName: STORAGE_CLASS,
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { kind: 'PersistentVolumeClaim', ...metadata },
        hostPath: { path: folderOf(name), type: 'Directory' },
      },
    })
  }
  async function look() {
    const claims = await cluster.call<List<Claim>>('GET', '/api/v1/persistentvolumeclaims')
    const volumes = await cluster.call<List<Volume>>('GET', '/api/v1/persistentvolumes')
    const has = new Set(volumes.items.map((it) => it.metadata.name))
    for (const it of claims.items)
      if (it.spec.storageClassName === STORAGE_CLASS && !has.has(`folder-${it.metadata.uid}`)) await give(it)
    for (const { metadata, status } of volumes.items) {
      if (status.phase !== 'Released') continue
      await cluster.call('DELETE', `/api/v1/persistentvolumes/${metadata.name}`)
      await rm(folderOf(metadata.name), { recursive: true, force: true })
    }
  }
  const run = async () => {
    while (!signal.aborted) {
      // The API may be away in a test: the next look finds what this one did not.
      await look().catch(() => undefined)
      await systemClock.sleep(PAUSE_MS, signal).catch(() => undefined)
    }
  }
  void run()
}
