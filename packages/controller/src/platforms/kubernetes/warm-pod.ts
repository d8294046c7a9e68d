/** A pod that does nothing: a machine that runs it fetches its image, and has it from then on. */
import { createHash } from 'node:crypto'
import type { V1Node, V1Pod } from '@kubernetes/client-node'
import { LABELS, ownerLabels } from './names.ts'
import { hasBegun, waitingOf } from './observation.ts'
import { UID } from './pod.ts'

/** An image by its sum: nobody can put another one in its place. */
export interface WarmImage {
  name: string
  reference: string
}
export interface WarmAround {
  installation: string
  namespace: string
  pullSecret?: string
}

const hash = (...words: string[]) => createHash('sha256').update(words.join('\n')).digest('hex').slice(0, 32)

/** It goes through the scheduler, so a machine that takes nothing gets nothing. */
export function warmPodOf(image: WarmImage, machine: string, around: WarmAround): V1Pod {
  const { installation, namespace, pullSecret } = around
  const little = { cpu: '10m', memory: '32Mi' }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `kalnet-image-${hash(installation, machine, image.reference)}`,
      namespace,
      labels: { ...ownerLabels({ installation }), [LABELS.brings]: hash(image.reference) },
    },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: UID,
        runAsGroup: UID,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchFields: [{ key: 'metadata.name', operator: 'In', values: [machine] }] },
            ],
          },
        },
      },
      containers: [
        {
          name: 'image',
          image: image.reference,
          imagePullPolicy: 'IfNotPresent',
          command: ['true'],
          resources: { requests: little, limits: little },
          securityContext: {
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
      ...(pullSecret && { imagePullSecrets: [{ name: pullSecret }] }),
    },
  }
}

/** True when its machine has the image; throws in words when it cannot get it. How its program ended does not matter. */
export function isBrought(pod: V1Pod | null): true | null {
  if (!pod) throw new Error('It was removed from outside before the image was there')
  const [status] = pod.status?.containerStatuses ?? []
  if (status?.imageID || hasBegun(pod)) return true
  const waits = waitingOf(pod)
  if (waits?.isFinal) throw new Error(waits.text)
  return null
}

/** Machines that take instances; the others need no images. */
export const isOpen = ({ spec, status }: V1Node): boolean =>
  !spec?.unschedulable &&
  !spec?.taints?.some((it) => it.effect !== 'PreferNoSchedule') &&
  Boolean(status?.conditions?.some((it) => it.type === 'Ready' && it.status === 'True'))

/** As a machine tells it itself; by this the scheduler prefers those that have an image, too (ImageLocality). */
export const has = (node: V1Node, { reference }: WarmImage): boolean =>
  Boolean(node.status?.images?.some((it) => it.names?.includes(reference)))
