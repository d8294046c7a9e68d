/** Every button and every link that looks like one. */
import { LoaderCircle } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import { Button as AriaButton } from 'react-aria-components/Button'
import { Link } from 'wouter'
import * as m from '../messages/index.ts'
import css from './button.module.css'
import { classes } from './classes.ts'

export type ButtonLook = 'primary' | 'soft' | 'plain' | 'danger'

interface ButtonProps extends Omit<ComponentProps<typeof AriaButton>, 'className' | 'children' | 'style'> {
  look?: ButtonLook
  wide?: boolean
  icon?: ReactNode
  children: ReactNode
}

/** While pending it keeps its words and its focus, and says to a screen reader that it works. */
export function Button({ look = 'soft', wide, icon, children, isPending, ...rest }: ButtonProps) {
  return (
    <AriaButton {...rest} isPending={isPending} className={classes(css.button, css[look], wide && css.wide)}>
      {isPending ? <LoaderCircle className={css.spin} aria-label={m.working} /> : icon}
      {children}
    </AriaButton>
  )
}

interface IconButtonProps extends Omit<ButtonProps, 'children' | 'icon' | 'wide'> {
  /** What it does: read aloud, and shown on hover. */
  label: string
  children: ReactNode
}
export function IconButton({ label, look = 'plain', children, isPending, ...rest }: IconButtonProps) {
  return (
    <AriaButton
      {...rest}
      isPending={isPending}
      aria-label={label}
      render={(props) => <button {...props} title={label} />}
      className={classes(css.button, css[look], css.icon)}
    >
      {isPending ? <LoaderCircle className={css.spin} aria-label={m.working} /> : children}
    </AriaButton>
  )
}

interface LinkButtonProps {
  href: string
  look?: ButtonLook
  wide?: boolean
  icon?: ReactNode
  children: ReactNode
}
export function LinkButton({ href, look = 'soft', wide, icon, children }: LinkButtonProps) {
  return (
    <Link href={href} className={classes(css.button, css[look], wide && css.wide)}>
      {icon}
      {children}
    </Link>
  )
}
