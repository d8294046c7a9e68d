/** What one instance uses at this moment: processors and memory of what it may use, and how it went while one looked; or why that is not known. */
import type { InstanceUse } from '@kalnet/contracts/use'
import { useEffect, useState } from 'react'
import { VisuallyHidden } from 'react-aria-components/VisuallyHidden'
import { number, size } from '../format.ts'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { Skeleton } from '../ui/parts.tsx'
import { Meter } from '../ui/progress.tsx'
import { follow, lineOf, NO_TRAIL, type Trail } from './trail.ts'
import css from './use.module.css'

const cpus = (value: number) => number(value, 2)

function unknownWords(now: Extract<InstanceUse['now'], { known: false }>): string {
  if (now.because === 'idle') return m.useIdle
  if (now.because === 'offline') return m.useOffline
  if (now.because === 'older') return m.useOlder
  return now.why ? m.useUnmeasured(now.why) : m.useSilent
}

interface FigureProps {
  label: string
  value: number
  most: number | undefined
  /** Of the last minutes. */
  values: readonly { at: number; value: number }[]
  words(value: number): string
}
function Figure({ label, value, most, values, words }: FigureProps) {
  const text = most === undefined ? words(value) : m.useOf(words(value), words(most))
  const all = values.map((it) => it.value)
  const line = lineOf(values, most ?? Math.max(...all))
  return (
    <div className={css.figure}>
      <Meter label={label} share={most ? Math.min(1, value / most) : 0} text={text} />
      <svg className={css.trail} viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        {line && <polyline points={line} />}
      </svg>
      {line && (
        <VisuallyHidden>{m.useBetween(words(Math.min(...all)), words(Math.max(...all)))}</VisuallyHidden>
      )}
    </div>
  )
}

function useTrail(use: InstanceUse | undefined): Trail {
  const [trail, setTrail] = useState(NO_TRAIL)
  useEffect(() => {
    if (use) setTrail((before) => follow(before, use))
  }, [use])
  return trail
}

/** `use` undefined: nobody answered yet. `failed`: the last time nobody did. */
export function UseNow({ use, failed }: { use: InstanceUse | undefined; failed: boolean }) {
  const { points } = useTrail(use)
  if (!use) return failed ? <p className={css.quiet}>{m.useUnasked}</p> : <Skeleton height="58px" />
  const { now, most } = use
  if (!now.known) return <p className={css.quiet}>{unknownWords(now)}</p>
  const values = (of: 'cpus' | 'memoryBytes') => points.map((it) => ({ at: it.at, value: it[of] }))
  return (
    <div className={css.use}>
      <div className={css.figures}>
        <Figure label={m.useCpu} value={now.cpus} most={most?.cpus} values={values('cpus')} words={cpus} />
        <Figure
          label={m.useMemory}
          value={now.memoryBytes}
          most={most?.memoryBytes}
          values={values('memoryBytes')}
          words={size}
        />
      </div>
      <p className={css.quiet}>
        {m.useMeasured} <Ago at={now.at} />
        {failed && ` · ${m.useUnasked}`}
      </p>
    </div>
  )
}
