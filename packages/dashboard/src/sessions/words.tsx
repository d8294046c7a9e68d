/** A session's state and stages in words, icons and tones. */

import { STAGES } from 'virtual:contracts'
import type { Session, Stage } from '@kalnet/contracts/session'
import { CloudOff, Moon, Play, Square } from 'lucide-react'
import { between } from '../format.ts'
import * as m from '../messages/index.ts'
import { Badge, type Tone } from '../ui/badge.tsx'

const STATES: Record<Session['state'], { word: string; tone: Tone }> = {
  pending: { word: m.statePending, tone: 'busy' },
  starting: { word: m.stateStarting, tone: 'busy' },
  running: { word: m.stateRunning, tone: 'good' },
  hibernating: { word: m.stateHibernating, tone: 'busy' },
  hibernated: { word: m.stateHibernated, tone: 'quiet' },
  waking: { word: m.stateWaking, tone: 'busy' },
  stopping: { word: m.stateStopping, tone: 'busy' },
  stopped: { word: m.stateStopped, tone: 'quiet' },
  failed: { word: m.stateFailed, tone: 'bad' },
}
const isLive = (state: Session['state']) => !['stopped', 'failed', 'hibernated'].includes(state)
/** On the way to its screen. */
export const isStarting = (state: Session['state']) => ['pending', 'starting', 'waking'].includes(state)

export function StateBadge({ session }: { session: Pick<Session, 'state' | 'reachable' | 'controllerId'> }) {
  // Not placed yet is not the same as out of reach.
  if (!session.reachable && session.controllerId && isLive(session.state)) {
    return (
      <Badge tone="warn" icon={<CloudOff aria-hidden />}>
        {m.stateUnreachable}
      </Badge>
    )
  }
  const { word, tone } = STATES[session.state]
  const icon =
    session.state === 'running' ? (
      <Play aria-hidden />
    ) : session.state === 'hibernated' ? (
      <Moon aria-hidden />
    ) : session.state === 'stopped' ? (
      <Square aria-hidden />
    ) : undefined
  return (
    <Badge tone={tone} icon={icon}>
      {word}
    </Badge>
  )
}

export const STAGE_WORDS: Record<Stage, string> = {
  accepted: m.stageAccepted,
  placed: m.stagePlaced,
  created: m.stageCreated,
  displayReady: m.stageDisplay,
  firstByte: m.stageFirstByte,
  firstFrame: m.stageFirstFrame,
}

export interface StageStep {
  stage: Stage
  /** Milliseconds since it was asked for; null: not yet. */
  afterMs: number | null
  state: 'done' | 'now' | 'ahead'
}
/** The stages in order, with what is being waited for marked while the start goes on. */
export function stageSteps(stages: Session['stages'], going: boolean): StageStep[] {
  const waitedFor = going ? STAGES.find((stage) => !stages[stage]) : undefined
  return STAGES.map((stage) => ({
    stage,
    afterMs: between(stages.accepted, stages[stage]),
    state: stages[stage] ? 'done' : stage === waitedFor ? 'now' : 'ahead',
  }))
}

/** One live sentence about a start: the controller's own words where it gives some. */
export function progressWords(session: Session): string {
  if (session.progress?.text) return session.progress.text
  if (session.reason && (session.state === 'pending' || session.state === 'waking')) return session.reason
  if (!session.stages.placed) return m.progressPlaced
  if (!session.stages.created) return m.progressStarting
  return m.progressScreen
}
