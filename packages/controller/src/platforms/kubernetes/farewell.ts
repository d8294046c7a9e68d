/** What a pod that is going or gone says of why, and what can be said of one whose machine is silent. Pure. */
import type { V1Pod } from '@kubernetes/client-node'
import { InstanceLost } from '../away.ts'
import type { Observation } from '../platform.ts'
import { observationOf } from './observation.ts'

const machineOf = (pod: V1Pod) => (pod.spec?.nodeName ? `Its machine ${pod.spec.nodeName}` : 'Its machine')
const conditionOf = (pod: V1Pod, type: string) => pod.status?.conditions?.find((it) => it.type === type)

/** Who took it away (condition DisruptionTarget, "Pod disruption conditions"). */
const TAKEN: Record<string, (pod: V1Pod) => string> = {
  EvictionByEvictionAPI: (pod) => `${machineOf(pod)} is being cleared, and it had to leave`,
  PreemptionByScheduler: () => 'It had to make room for something more important',
  DeletionByTaintManager: (pod) =>
    `${machineOf(pod)} does not take it any more, or did not answer for too long`,
  DeletionByPodGC: (pod) => `${machineOf(pod)} is not in the cluster any more`,
}

/** Nobody knows more; null: it was taken away by a person or program that left no word. */
export function takenInWords(pod: V1Pod): string | null {
  const taken = conditionOf(pod, 'DisruptionTarget')
  return taken?.status === 'True' ? (TAKEN[taken.reason ?? '']?.(pod) ?? null) : null
}

/** Of two words about one that went, the one that says how it ended: what ended before somebody asked for it ended by itself. */
export const lastWord = (known: V1Pod | undefined, pod: V1Pod): V1Pod =>
  known && hasEndedByItself(known) ? known : pod
const hasEndedByItself = (pod: V1Pod) =>
  !pod.metadata?.deletionTimestamp && observationOf(pod).state === 'ended'

/** Of one that is not there any more, by the last word about it. */
export function farewellOf(pod: V1Pod): Observation {
  const now = observationOf(pod)
  if (hasEndedByItself(pod)) return now
  const reason = takenInWords(pod)
  if (!reason) return { state: 'gone' }
  const code = now.state === 'ended' ? now.code : null
  // That it ended with success was its answer to being asked to.
  return { state: 'ended', code: code || null, reason, endedAt: now.state === 'ended' ? now.endedAt : null }
}

/** The cluster marks pods of a machine that it does not hear (node lifecycle controller): their programs were ready, and it is silent. */
const isSilent = (pod: V1Pod) =>
  conditionOf(pod, 'Ready')?.status === 'False' &&
  conditionOf(pod, 'ContainersReady')?.status === 'True' &&
  Boolean(pod.status?.containerStatuses?.[0]?.state?.running)

/** Of one that is there. Throws `InstanceLost` where the cluster gave it up, and its machine cannot say whether it ended. */
export function standingOf(pod: V1Pod): Observation {
  const now = observationOf(pod)
  // It goes, and so its program ended: who wanted that says more than the signal.
  if (now.state === 'ended' && pod.metadata?.deletionTimestamp)
    return { ...now, code: now.code || null, reason: takenInWords(pod) ?? 'It was removed from outside' }
  if (now.state !== 'running' || !isSilent(pod)) return now
  const who = machineOf(pod)
  if (pod.metadata?.deletionTimestamp)
    throw new InstanceLost(`${who} did not answer for so long that the cluster gave it up`)
  return { ...now, doubt: `${who} does not answer; as far as is known it runs on` }
}
