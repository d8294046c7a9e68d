/** The stages of a start as one quiet line with times. */
import type { Session } from '@kalnet/contracts/session'
import { Check } from 'lucide-react'
import { duration } from '../format.ts'
import * as m from '../messages/index.ts'
import css from './stages-line.module.css'
import { STAGE_WORDS, stageSteps } from './words.tsx'

export function StagesLine({ stages, going }: { stages: Session['stages']; going: boolean }) {
  return (
    <ol className={css.line} aria-label={m.stages}>
      {stageSteps(stages, going).map(({ stage, afterMs, state }) => (
        <li key={stage} className={css.step} data-state={state}>
          <span className={css.dot}>{state === 'done' && <Check aria-hidden />}</span>
          <span className={css.word}>{STAGE_WORDS[stage]}</span>
          <span className={css.time}>
            {afterMs === null ? '' : afterMs === 0 ? '0 s' : duration(afterMs)}
          </span>
        </li>
      ))}
    </ol>
  )
}
