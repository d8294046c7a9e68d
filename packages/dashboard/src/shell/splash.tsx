/** The moment before anything is known: our mark, and words only when something is wrong. */
import type { ReactNode } from 'react'
import { Mark } from './mark.tsx'
import css from './shell.module.css'

export const Splash = ({ children }: { children?: ReactNode }) => (
  <main className={css.splash}>
    <Mark size={56} />
    {children}
  </main>
)
