/** The frame of the settings pages: which there are, and where one is. */
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { useTitle } from '../shell/use-title.ts'
import css from './settings.module.css'

interface FrameProps {
  here: 'me' | 'controllers'
  title: string
  text: string
  action?: ReactNode
  children: ReactNode
}

export function Frame({ here, title, text, action, children }: FrameProps) {
  useTitle(title)
  const me = useMe()
  return (
    <div className={css.page}>
      {may(me, 'controller.read') && (
        <nav aria-label={m.settings} className={css.tabs}>
          <Link href="/settings" aria-current={here === 'me' ? 'page' : undefined}>
            {m.settingsMe}
          </Link>
          <Link href="/settings/controllers" aria-current={here === 'controllers' ? 'page' : undefined}>
            {m.settingsControllers}
          </Link>
        </nav>
      )}
      <header className={css.head}>
        <div>
          <h1>{title}</h1>
          <p className={css.sub}>{text}</p>
        </div>
        {action}
      </header>
      {children}
    </div>
  )
}
