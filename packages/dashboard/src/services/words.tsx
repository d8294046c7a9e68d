/** A service's state and health in words, icons and tones. */
import type { HealthState } from '@kalnet/contracts/health'
import type { Release, Service, ServiceInstance } from '@kalnet/contracts/service'
import { CloudOff, HeartPulse, Moon, Play } from 'lucide-react'
import type { ReactNode } from 'react'
import * as m from '../messages/index.ts'
import { Badge, type Tone } from '../ui/badge.tsx'

interface Look {
  word: string
  tone: Tone
  icon?: ReactNode
}
const STATES: Record<Service['state'], Look> = {
  waiting: { word: m.statePending, tone: 'busy' },
  starting: { word: m.stateStarting, tone: 'busy' },
  running: { word: m.stateRunning, tone: 'good', icon: <Play aria-hidden /> },
  unhealthy: { word: m.serviceUnhealthy, tone: 'warn' },
  updating: { word: m.serviceUpdating, tone: 'busy' },
  stopping: { word: m.stateStopping, tone: 'busy' },
  stopped: { word: m.stateStopped, tone: 'quiet', icon: <Moon aria-hidden /> },
  failed: { word: m.stateFailed, tone: 'bad' },
}
const INSTANCE_STATES: Record<ServiceInstance['state'], Look> = {
  waiting: STATES.waiting,
  starting: STATES.starting,
  running: STATES.running,
  finishing: { word: m.serviceFinishing, tone: 'busy' },
  stopping: STATES.stopping,
  stopped: STATES.stopped,
  failed: STATES.failed,
  unreachable: { word: m.stateUnreachable, tone: 'warn', icon: <CloudOff aria-hidden /> },
}
const HEALTH: Record<HealthState, Look> = {
  starting: { word: m.serviceGettingUp, tone: 'busy' },
  healthy: { word: m.serviceHealthy, tone: 'good', icon: <HeartPulse aria-hidden /> },
  unhealthy: { word: m.serviceUnwell, tone: 'warn' },
}
const RELEASES: Record<Release['state'], Look> = {
  rolling: { word: m.releaseRolling, tone: 'busy' },
  live: { word: m.releaseLive, tone: 'good' },
  replaced: { word: m.releaseReplaced, tone: 'quiet' },
  failed: { word: m.releaseFailed, tone: 'bad' },
}
const Shown = ({ look: { word, tone, icon } }: { look: Look }) => (
  <Badge tone={tone} icon={icon}>
    {word}
  </Badge>
)
export const ServiceBadge = ({ state }: Pick<Service, 'state'>) => <Shown look={STATES[state]} />
export const InstanceBadge = ({ state }: Pick<ServiceInstance, 'state'>) => (
  <Shown look={INSTANCE_STATES[state]} />
)
export const HealthBadge = ({ state }: { state: HealthState }) => <Shown look={HEALTH[state]} />
export const ReleaseBadge = ({ state }: Pick<Release, 'state'>) => <Shown look={RELEASES[state]} />
export const healthWord = (state: HealthState) => HEALTH[state].word

/** `notes`, and `notes 2` for the second of them. */
export const instanceName = ({ part, number }: Pick<ServiceInstance, 'part' | 'number'>) =>
  m.serviceReplica(part, number)
