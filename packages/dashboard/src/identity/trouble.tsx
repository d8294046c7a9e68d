/** What went wrong at the door: a wait is counted down, a slip is said in one line, the rest as everywhere. */
import { Hourglass, Info } from 'lucide-react'
import type { ReactNode } from 'react'
import { ApiProblem } from '../api.ts'
import * as m from '../messages/index.ts'
import { ErrorBox } from '../ui/parts.tsx'
import css from './door.module.css'

/** Calm words that are no error. */
export function Note({ icon, title, text }: { icon?: ReactNode; title?: string; text: string }) {
  return (
    <div className={css.note} role="status">
      {icon ?? <Info aria-hidden />}
      <div>
        {title && <strong>{title}</strong>}
        <p>{text}</p>
      </div>
    </div>
  )
}

interface TroubleProps {
  problem: unknown
  /** Of useWait. */
  wait: number | null
  /** In words of this place, by error code: what happened, what to do. */
  words?: Record<string, [message: string, next: string]>
}
export function Trouble({ problem, wait, words }: TroubleProps) {
  if (!problem) return null
  if (wait !== null) {
    // Read aloud once, not every second.
    return (
      <div className={css.note} role="alert" aria-live="off">
        <Hourglass aria-hidden />
        <div>
          <strong>{m.tooMany}</strong>
          <p>{wait > 0 ? m.tooManyNext(wait) : m.tooManyOver}</p>
        </div>
      </div>
    )
  }
  const mine = problem instanceof ApiProblem ? words?.[problem.code] : undefined
  if (!mine) return <ErrorBox problem={problem} />
  return (
    <div className={css.slip} role="alert">
      <strong>{mine[0]}</strong> {mine[1]}
    </div>
  )
}
