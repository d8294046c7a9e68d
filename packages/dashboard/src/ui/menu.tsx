/** A menu behind a button. Load lazily where the first screen can do without. */
import type { ReactElement, ReactNode } from 'react'
import { Menu as AriaMenu, MenuItem, MenuTrigger } from 'react-aria-components/Menu'
import { Popover } from 'react-aria-components/Popover'
import { classes } from './classes.ts'
import css from './menu.module.css'

export interface Action {
  id: string
  label: string
  icon?: ReactNode
  hint?: string
  danger?: boolean
  disabled?: boolean
  onAction: () => void
}
interface MenuProps {
  label: string
  /** The button that opens it. */
  trigger: ReactElement
  actions: Action[]
  defaultOpen?: boolean
}

export function Menu({ label, trigger, actions, defaultOpen }: MenuProps) {
  return (
    <MenuTrigger defaultOpen={defaultOpen}>
      {trigger}
      <Popover className={css.popover} placement="bottom end" offset={6}>
        <AriaMenu aria-label={label} className={css.menu}>
          {actions.map((it) => (
            <MenuItem
              key={it.id}
              id={it.id}
              textValue={it.label}
              isDisabled={it.disabled}
              onAction={it.onAction}
              className={classes(css.item, it.danger && css.danger)}
            >
              {it.icon}
              <span className={css.words}>{it.label}</span>
              {it.hint && <span className={css.hint}>{it.hint}</span>}
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  )
}
