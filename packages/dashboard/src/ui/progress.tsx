/** How far, and how full. */
import type { CSSProperties } from 'react'
import { Meter as AriaMeter } from 'react-aria-components/Meter'
import { ProgressBar } from 'react-aria-components/ProgressBar'
import { classes } from './classes.ts'
import css from './parts.module.css'

/** `share` 0 to 1, or null while nobody knows. */
export function Progress({ label, share }: { label: string; share: number | null }) {
  return (
    <ProgressBar
      aria-label={label}
      value={(share ?? 0) * 100}
      isIndeterminate={share === null}
      className={classes(share === null && css.unknown)}
    >
      <div className={css.bar}>
        <div className={css.fill} style={{ '--share': `${(share ?? 0) * 100}%` } as CSSProperties} />
      </div>
    </ProgressBar>
  )
}

export function Meter({ label, share, text }: { label: string; share: number; text: string }) {
  return (
    <AriaMeter aria-label={label} value={share * 100} valueLabel={text} className={css.meter}>
      <div className={css.meterHead}>
        <span>{label}</span>
        <span>{text}</span>
      </div>
      <div className={css.bar}>
        <div
          className={css.fill}
          data-high={share > 0.85 || undefined}
          style={{ '--share': `${share * 100}%` } as CSSProperties}
        />
      </div>
    </AriaMeter>
  )
}
