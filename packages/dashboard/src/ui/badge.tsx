/** A state in an icon and a word, never in colour alone. */
import { AlertTriangle, Check, CircleX, LoaderCircle, Minus } from 'lucide-react'
import type { ReactNode } from 'react'
import { classes } from './classes.ts'
import css from './parts.module.css'

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'quiet' | 'busy'

const ICONS: Record<Tone, ReactNode> = {
  good: <Check aria-hidden />,
  warn: <AlertTriangle aria-hidden />,
  bad: <CircleX aria-hidden />,
  info: <Check aria-hidden />,
  quiet: <Minus aria-hidden />,
  busy: <LoaderCircle aria-hidden className={css.spin} />,
}

export function Badge({ tone, icon, children }: { tone: Tone; icon?: ReactNode; children: ReactNode }) {
  return (
    <span className={classes(css.badge, css[tone === 'busy' ? 'info' : tone])}>
      {icon ?? ICONS[tone]}
      {children}
    </span>
  )
}
