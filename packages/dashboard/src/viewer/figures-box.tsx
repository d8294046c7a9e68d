/** Figures over the picture: what a key costs, what comes in, and how long the start took. */
import type { Session } from '@kalnet/contracts/session'
import { useEffect, useState } from 'react'
import { between, duration, size } from '../format.ts'
import * as m from '../messages/index.ts'
import { STAGE_WORDS, stageSteps } from '../sessions/words.tsx'
import type { Measure } from './figures.ts'
import css from './viewer.module.css'

export function FiguresBox({ measure, stages }: { measure: Measure; stages: Session['stages'] }) {
  const [figures, setFigures] = useState(() => measure.read(performance.now()))
  useEffect(() => {
    const timer = setInterval(() => setFigures(measure.read(performance.now())), 500)
    return () => clearInterval(timer)
  }, [measure])
  const total = between(stages.accepted, stages.firstFrame)
  return (
    <aside className={css.figures} aria-label={m.figures}>
      <dl>
        <dt>{m.figureLatency}</dt>
        <dd>{figures.latencyMs === null ? m.notMeasured : duration(figures.latencyMs)}</dd>
        <dt>{m.figureFrames}</dt>
        <dd>{Math.round(figures.framesPerSecond)}</dd>
        <dt>{m.figureBandwidth}</dt>
        <dd>{m.perSecond(size(figures.bytesPerSecond))}</dd>
        <dt>{m.figureStart}</dt>
        <dd>{total === null ? m.notYet : duration(total)}</dd>
      </dl>
      <dl className={css.figureStages}>
        {stageSteps(stages, false)
          .slice(1)
          .map(({ stage, afterMs }) => (
            <div key={stage}>
              <dt>{STAGE_WORDS[stage]}</dt>
              <dd>{afterMs === null ? m.notYet : duration(afterMs)}</dd>
            </div>
          ))}
      </dl>
    </aside>
  )
}
