/** Pods of an installation: which there are, whether they are ready, and what is wrong with those that are not. */
import { systemClock } from '@kalnet/io/clock'
import { type Installation, NAMESPACE } from './installation.ts'

export interface Pod {
  metadata: {
    name: string
    uid: string
    namespace: string
    labels: Record<string, string>
    deletionTimestamp?: string
  }
  spec: { nodeName?: string; containers: { image: string }[] }
  status: {
    phase: string
    podIP?: string
    conditions?: { type: string; status: string; message?: string }[]
    containerStatuses?: { containerID?: string; restartCount: number; state: object; lastState: object }[]
  }
}

export async function podsOf(it: Installation, part?: string, namespace = NAMESPACE): Promise<Pod[]> {
  const { items } = await it.cluster.call<{ items: Pod[] }>('GET', `/api/v1/namespaces/${namespace}/pods`)
  return items.filter((pod) => !part || pod.metadata.labels['app.kubernetes.io/component'] === part)
}
export const isReady = (pod: Pod): boolean =>
  !pod.metadata.deletionTimestamp &&
  (pod.status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false)

/** Each part has as many pods as it should, all of them ready; throws with what is known of those that are not. */
export async function untilReady(
  it: Installation,
  parts: Record<string, number>,
  limitMs = 300_000,
): Promise<void> {
  const until = Date.now() + limitMs
  for (;;) {
    const pods = await podsOf(it).catch(() => [])
    const counts = Object.entries(parts).map(([part, count]) => {
      const its = pods.filter((pod) => pod.metadata.labels['app.kubernetes.io/component'] === part)
      return its.length === count && its.every(isReady)
    })
    if (counts.every(Boolean)) return
    if (Date.now() > until)
      throw new Error(
        await describe(
          it,
          pods.filter((pod) => !isReady(pod)),
        ),
      )
    await systemClock.sleep(250)
  }
}

async function describe(it: Installation, pods: Pod[]): Promise<string> {
  const texts = await Promise.all(
    pods.map(async ({ metadata: { name } }) => {
      const at = ['-n', NAMESPACE]
      const said = await it.attempt(...at, 'describe', 'pod', name)
      const log = await it.attempt(...at, 'logs', name, '--tail=40')
      return `${said.stdout.slice(-2500)}\n${log.stdout}${log.stderr}`
    }),
  )
  return `not ready:\n${texts.join('\n')}`
}
