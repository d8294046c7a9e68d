/** Volumes of instances as claims of the namespace: they outlive pods and go by their own word alone. */
import { fail } from '@kalnet/contracts/errors'
import type { Volume } from '@kalnet/contracts/instance'
import type { V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node'
import type { MeasuredVolume } from '../platform.ts'
import { type Api, ApiProblem, isGone } from './api.ts'
import { LABELS, ownerLabels, paths, volumeName } from './names.ts'
import { quantity } from './room.ts'
import type { KubernetesSettings } from './settings.ts'

export const claimOf = (
  volume: Pick<Volume, 'id' | 'size'>,
  of: { installation: string; namespace: string; organisationId: string; settings: KubernetesSettings },
): V1PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name: volumeName(of.installation, volume.id),
    namespace: of.namespace,
    labels: {
      ...ownerLabels({ installation: of.installation, organisationId: of.organisationId }),
      [LABELS.volume]: volume.id,
    },
  },
  spec: {
    accessModes: ['ReadWriteOnce'],
    ...(of.settings.storageClass && { storageClassName: of.settings.storageClass }),
    resources: { requests: { storage: volume.size ?? of.settings.volumeSize } },
  },
})

/** More room where the template says so; a class that gives none is said, so that nobody finds out when it is full. */
async function grow(api: Api, path: string, there: V1PersistentVolumeClaim, { name, size }: Volume) {
  const has = there.spec?.resources?.requests?.storage
  if (!size || quantity(size) <= quantity(has)) return
  try {
    await api.patch(path, { spec: { resources: { requests: { storage: size } } } })
  } catch (error) {
    if (!(error instanceof ApiProblem) || ![403, 422].includes(error.status)) throw error
    // A quota has words of its own.
    if (/exceeded quota|maximum storage/i.test(error.message)) throw error
    const its = there.spec?.storageClassName ?? 'of the cluster'
    throw new Error(
      `Its volume ${name} has ${has} and is to have ${size}, but its storage class ${its} gives no more room to one that is there`,
      { cause: error },
    )
  }
}

/** A claim that is there is taken as it is, but for its room, which may grow. */
export async function ensureClaims(
  api: Api,
  volumes: readonly Volume[],
  of: Parameters<typeof claimOf>[1],
): Promise<void> {
  for (const volume of volumes) {
    const claim = claimOf(volume, of)
    const path = paths.claim(of.namespace, claim.metadata?.name ?? '')
    // Applying the same again changes nothing; another size or class of today's settings is for new ones only.
    const there = await api.get<V1PersistentVolumeClaim>(path).catch((error: unknown) => {
      if (!isGone(error)) throw error
      return null
    })
    // Its name is a hash that nobody else has by chance; whose it is is written on it.
    if (there && there.metadata?.labels?.[LABELS.installation] !== of.installation)
      throw new Error(
        `The claim ${claim.metadata?.name} is there already and is not ours, so it is not touched`,
      )
    if (!there && volume.existing) throw fail('volume.missing', { name: volume.name })
    if (there) await grow(api, path, there, volume)
    else await api.apply(path, claim)
  }
}

/** What is in a claim only the machine that shows it knows, and while it sleeps none does: what is set aside for it is known. */
export function measuredClaim(claim: V1PersistentVolumeClaim | undefined): MeasuredVolume | null {
  if (!claim) return null
  const room = claim.status?.capacity?.storage ?? claim.spec?.resources?.requests?.storage
  return {
    bytes: null,
    reservedBytes: room === undefined ? null : Math.round(quantity(room)),
    place: `${claim.metadata?.namespace}/${claim.metadata?.name}`,
  }
}

const hasEnded = (pod: V1Pod) => ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '')

/** Pods that have it and did not end. */
export const usersOf = (pods: readonly V1Pod[], claim: string): V1Pod[] =>
  pods.filter(
    (pod) => !hasEnded(pod) && pod.spec?.volumes?.some((it) => it.persistentVolumeClaim?.claimName === claim),
  )
