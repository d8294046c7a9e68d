/** The frame of the pages before the house: our mark, a title, one form. */
import type { ReactNode } from 'react'
import { Mark } from '../shell/mark.tsx'
import { useTitle } from '../shell/use-title.ts'
import css from './door.module.css'

export function Door({ title, text, children }: { title: string; text: string; children?: ReactNode }) {
  useTitle(title)
  return (
    <main className={css.door}>
      <div className={css.box}>
        <Mark size={48} />
        <div className={css.words}>
          <h1>{title}</h1>
          <p>{text}</p>
        </div>
        {children}
      </div>
    </main>
  )
}
