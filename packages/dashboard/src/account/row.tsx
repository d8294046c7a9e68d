/** A line of the account page: what it is, how it stands, what can be done. */
import type { ReactNode } from 'react'
import css from './account.module.css'

interface RowProps {
  icon: ReactNode
  title: string
  /** How it stands. */
  text: ReactNode
  actions?: ReactNode
  children?: ReactNode
}
export function Row({ icon, title, text, actions, children }: RowProps) {
  return (
    <div className={css.row}>
      <span className={css.icon}>{icon}</span>
      <div className={css.main}>
        <div className={css.words}>
          <h3>{title}</h3>
          <div className={css.text}>{text}</div>
        </div>
        {actions && <div className={css.actions}>{actions}</div>}
      </div>
      {children && <div className={css.below}>{children}</div>}
    </div>
  )
}
