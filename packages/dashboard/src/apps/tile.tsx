/** An app or a person in the first letter, always in the same colour. */
import type { CSSProperties } from 'react'
import { classes } from '../ui/classes.ts'
import css from './apps.module.css'

const hueOf = (text: string) => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7)

export function Tile({ name, small, round }: { name: string; small?: boolean; round?: boolean }) {
  return (
    <span
      className={classes(css.tile, small && css.small, round && css.round)}
      style={{ '--hue': hueOf(name) } as CSSProperties}
      aria-hidden
    >
      {[...name][0]?.toUpperCase()}
    </span>
  )
}
