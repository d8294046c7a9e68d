/** What the supervisor tells about itself: the shape behind `kalnet status --json`. */
export type PartName = 'database' | 'server' | 'controller'
export type PartPhase = 'waiting' | 'starting' | 'running' | 'stopped'

export interface PartState {
  name: PartName
  state: PartPhase
  pid: number | null
  startedAt: string | null
  /** How often it was started again after it had run. */
  restarts: number
  /** Why it is not running, or why it ended last; null when it never did. */
  problem: string | null
}

export interface SupervisorStatus {
  pid: number
  version: string
  startedAt: string
  phase: 'starting' | 'ready' | 'stopping' | 'failed'
  /** Where people find it; null until the server listens. */
  url: string | null
  lan: boolean
  parts: PartState[]
  /** Why it could not start, for people; only when failed. */
  problem: string | null
  next: string | null
}

/** What the supervisor's children send up their channel. */
export type ChildMessage =
  | { type: 'ready'; url: string | null }
  | { type: 'failed'; message: string; next: string }
