/** What a cluster says of a pod, in our words; why one does not start, as one table. */
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import type { Observation } from '../platform.ts'
import { endedInWords } from '../reasons.ts'
import { quotaInWords } from './quota-words.ts'
import { OLDEST } from './versions.ts'

const time = (it: Date | string | null | undefined): string | null => (it ? new Date(it).toISOString() : null)
const statusOf = (pod: V1Pod): V1ContainerStatus | undefined => pod.status?.containerStatuses?.[0]
const short = (text: string | undefined) => (text ?? '').replace(/\s+/g, ' ').trim().slice(0, 300)

/** Reasons of a whole pod that ended before or beside its program (kubelet and controllers, `status.reason`). */
const POD_REASONS: Record<string, (message: string) => string> = {
  Evicted: (it) => `Its machine needed the room and put it out: ${it}`,
  NodeLost: () => 'Its machine was lost',
  NodeShutdown: () => 'Its machine was shut down',
  Terminated: () => 'Its machine was shut down',
  Preempting: () => 'It had to make room for something more important',
  Shutdown: () => 'Its machine was shut down',
  NodeAffinity: (it) => `Its machine does not take it any more: ${it}`,
  UnexpectedAdmissionError: (it) => `Its machine refused it: ${it}`,
  OutOfcpu: () => 'Its machine had no CPU left for it',
  OutOfmemory: () => 'Its machine had no memory left for it',
  OutOfpods: () => 'Its machine runs as many pods as it may',
}

/** A machine tells nothing between the two: which of them takes the time, nobody can see. */
const BEING_PREPARED = 'Its machine prepares it; the first time, its image is fetched'

/** What a registry said, and not that it is silent: it says the same the next time. */
const isForGood = (message: string) => UNFETCHED.slice(0, 2).some(([pattern]) => pattern.test(message))
/** What containerd and its like say of a registry. Their words follow: they name the image. */
const UNFETCHED: [RegExp, string][] = [
  [
    /\b40[13]\b|unauthori[sz]ed|forbidden|denied|no basic auth|authentication required/i,
    'its registry does not let the machine in',
  ],
  [/not found|manifest unknown|name unknown/i, 'there is no such image'],
  [
    /x509|certificate|http: server gave HTTP response/i,
    'its registry has no certificate that the machine trusts',
  ],
  [
    /connection refused|no such host|i\/o timeout|deadline exceeded|no route|unreachable|dial tcp|EOF|reset by peer|failed to do request|\b50[0-9]\b/i,
    'its registry does not answer',
  ],
]
function unfetchedInWords(message: string): string {
  const found = UNFETCHED.find(([pattern]) => pattern.test(message))
  return `Its image cannot be fetched: ${found ? `${found[1]} (${short(message)})` : short(message)}`
}

/** Why a container waits (`state.waiting.reason`). `isFinal`: waiting longer changes nothing. */
const WAITING: Record<
  string,
  { isFinal: boolean; isForGood?(message: string): boolean; words(message: string): string }
> = {
  ErrImagePull: { isFinal: false, words: unfetchedInWords },
  ImagePullBackOff: { isFinal: true, isForGood, words: unfetchedInWords },
  ErrImageNeverPull: { isFinal: true, words: () => 'Its image is not on the machine and may not be fetched' },
  InvalidImageName: { isFinal: true, words: () => 'Its image has a name that cannot be one' },
  ImageInspectError: { isFinal: true, words: (it) => `Its image cannot be read: ${it}` },
  RegistryUnavailable: { isFinal: false, words: () => 'The registry of its image does not answer' },
  CreateContainerConfigError: { isFinal: true, words: (it) => `It cannot be started as it is: ${it}` },
  CreateContainerError: { isFinal: false, words: (it) => `Its machine cannot start it: ${it}` },
  RunContainerError: { isFinal: true, words: (it) => `Its program cannot be started: ${it}` },
  CrashLoopBackOff: { isFinal: true, words: (it) => `Its program ends again and again: ${it}` },
  ContainerCreating: { isFinal: false, words: () => BEING_PREPARED },
  PodInitializing: { isFinal: false, words: () => BEING_PREPARED },
}

/** What the scheduler says, in shorter words. */
const UNPLACED: [RegExp, string][] = [
  [
    /unbound immediate PersistentVolumeClaims|persistentvolumeclaim .* not found/i,
    'Its volume is not there yet',
  ],
  [/Insufficient memory/i, 'No machine of the cluster has enough free memory'],
  [/Insufficient cpu/i, 'No machine of the cluster has enough free CPU'],
  [/Too many pods/i, 'Each machine of the cluster runs as many pods as it may'],
  [/volume node affinity conflict/i, 'Its volume is on a machine that does not take it'],
  [/untolerated taint|didn't match|unschedulable/i, 'No machine of the cluster takes it'],
  [/no nodes available/i, 'The cluster has no machine'],
]
export const unplacedInWords = (message: string): string => {
  const found = UNPLACED.find(([pattern]) => pattern.test(message))
  return found ? `${found[1]} (${short(message)})` : `No machine was found for it: ${short(message)}`
}

export interface Waiting {
  text: string
  isFinal: boolean
  /** Another try would end the same. */
  isForGood?: boolean
}

/** Why it does not run yet; null: it does, did, or nothing is said. */
export function waitingOf(pod: V1Pod): Waiting | null {
  const waits = statusOf(pod)?.state?.waiting
  const known = waits?.reason ? WAITING[waits.reason] : undefined
  if (known) {
    const { isFinal } = known
    // What matters may come last: it is cut only when it is shown.
    const message = (waits?.message ?? '').replace(/\s+/g, ' ').trim()
    const text = known.words(message).slice(0, 400)
    return { text, isFinal, isForGood: known.isForGood?.(message) ?? false }
  }
  const placed = pod.status?.conditions?.find((it) => it.type === 'PodScheduled')
  if (placed?.status === 'False' && placed.reason === 'Unschedulable')
    return { text: unplacedInWords(placed.message ?? ''), isFinal: false }
  return null
}

export function observationOf(pod: V1Pod): Observation {
  const status = statusOf(pod)
  const { phase = '', reason = '', message } = pod.status ?? {}
  const ended = status?.state?.terminated
  if (ended) {
    const whole = POD_REASONS[reason]
    const code = ended.exitCode
    const isCut = ended.reason === 'ContainerStatusUnknown'
    const words = ended.reason === 'StartError' || ended.reason === 'ContainerCannotRun'
    return {
      state: 'ended',
      code: isCut ? null : code,
      reason: whole
        ? whole(short(message))
        : isCut
          ? 'It ended while nobody was looking; its exit code is not known'
          : words
            ? startProblem(code, short(ended.message))
            : code === KILLED && ended.reason !== 'OOMKilled' && isLimited(pod) && !isToEnd(pod)
              ? KILLED_IN_WORDS
              : endedInWords(code, ended.reason === 'OOMKilled'),
      endedAt: time(ended.finishedAt),
    }
  }
  if (phase === 'Failed' || phase === 'Succeeded') {
    const whole = POD_REASONS[reason]
    const text = whole ? whole(short(message)) : short(message) || endedInWords(null)
    return { state: 'ended', code: null, reason: text, endedAt: null }
  }
  if (status?.state?.running) return { state: 'running', startedAt: time(status.state.running.startedAt) }
  const waits = waitingOf(pod)
  if (waits?.isFinal) return { state: 'ended', code: null, reason: waits.text, endedAt: null }
  // It was made and will start, or somebody says why not: neither is an end.
  return { state: 'running', startedAt: null }
}

/**
 * Word of a lack of memory and word of an end come to a machine apart, and the end may come first: then only signal 9 is told, and nothing
 * that we may read says more.
 */
const KILLED = 137
const KILLED_IN_WORDS = 'It was killed (signal 9), from outside or because it ran out of memory'
const isLimited = (pod: V1Pod) => Boolean(pod.spec?.containers?.[0]?.resources?.limits?.memory)
const isToEnd = ({ metadata, spec, status }: V1Pod) =>
  Boolean(metadata?.deletionTimestamp ?? spec?.activeDeadlineSeconds ?? status?.reason)

const startProblem = (code: number, message: string) =>
  /executable file not found|no such file/i.test(message)
    ? endedInWords(127)
    : `Its program could not be started: ${message || `code ${code}`}`

/** Its program has begun, or is over already. */
export const hasBegun = (pod: V1Pod): boolean => {
  const state = statusOf(pod)?.state
  return (
    Boolean(state?.running ?? state?.terminated) || ['Failed', 'Succeeded'].includes(pod.status?.phase ?? '')
  )
}

/** Something the API refused when it was told to make it. */
export function refusalInWords(status: number, message: string): string {
  const text = short(message)
  if (/exceeded quota/i.test(text)) return `The quota of the namespace is used up: ${quotaInWords(text)}`
  if (/violates PodSecurity/i.test(text)) return `The namespace does not admit it: ${text}`
  if (/maximum .* per (Container|Pod)|minimum .* per (Container|Pod)/i.test(text))
    return `The limits of the namespace do not admit it: ${text}`
  if (/namespaces? ".*" not found/i.test(text)) return `The namespace is not there: ${text}`
  // The API itself, not a thing in it.
  if (
    status === 404 &&
    /could not find the requested resource|^404 page not found|^the cluster answered 404/.test(text)
  )
    return `The cluster does not know what we ask of it: Kubernetes ${OLDEST} or later is needed`
  if (status === 401) return 'The cluster does not know us any more: the token is over or wrong'
  if (status === 403) return `We may not do that in the cluster: ${text}`
  return text
}
