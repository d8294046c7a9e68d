/** The one Secret of an instance: its files, its identity, the secret of its screen. It hangs on the pod and goes with it. */
import type { V1Pod, V1Secret } from '@kubernetes/client-node'
import type { EnsureRequest } from '../platform.ts'
import { ownerLabels } from './names.ts'
import { ownedBy } from './owner.ts'
import { givenKey } from './pod.ts'
import { hasScreen } from './ports.ts'
import { screenFiles } from './screen.ts'
import type { ScreenCertificate } from './screen-certificate.ts'

/** A Secret holds no more, with some room for its names (validation of the API: 1 MiB). */
const MOST_BYTES = 1_000_000
export const SCREEN_KEY = 'display.word'
export const SCREEN_CERTIFICATE = givenKey('display', 'cert.pem')

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')

export function secretOf(
  pod: V1Pod,
  request: EnsureRequest,
  around: { installation: string; screenSecret: string; screenTls?: ScreenCertificate | null },
): V1Secret {
  const { spec, identity = {} } = request
  const files = spec.files.map((it) => [givenKey('files', it.name), base64(it.content)] as const)
  const its = Object.entries(identity).map(
    ([name, text]) => [givenKey('identity', name), base64(text)] as const,
  )
  const screen = hasScreen(spec)
    ? [
        ...Object.entries(screenFiles(around.screenSecret, around.screenTls ?? null)).map(
          ([name, text]) => [givenKey('display', name), base64(text)] as const,
        ),
        [SCREEN_KEY, base64(around.screenSecret)] as const,
      ]
    : []
  const data = Object.fromEntries([...files, ...its, ...screen])
  const bytes = Object.values(data).reduce((sum, it) => sum + it.length, 0)
  if (bytes > MOST_BYTES) throw new Error('Its files are larger than what a cluster keeps for one pod (1 MB)')
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: pod.metadata?.name,
      namespace: pod.metadata?.namespace,
      labels: ownerLabels({ installation: around.installation, ...request }),
      ownerReferences: [ownedBy(pod)],
    },
    type: 'Opaque',
    data,
  }
}

/** What `place` changes: the keys of one folder are these and no others (a merge patch; null takes away). */
export function placed(
  secret: V1Secret,
  folder: string,
  files: Record<string, string>,
): { data: Record<string, string | null> } {
  const prefix = givenKey(folder, '')
  const before = Object.keys(secret.data ?? {}).filter((it) => it.startsWith(prefix))
  return {
    data: {
      ...Object.fromEntries(before.map((it) => [it, null])),
      ...Object.fromEntries(
        Object.entries(files).map(([name, text]) => [givenKey(folder, name), base64(text)]),
      ),
    },
  }
}
