/** Every button and every link that looks like one. */
import { LoaderCircle } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import { Button as AriaButton } from 'react-aria-components/Button'
import { Link } from 'wouter'
import * as m from '../messages/index.ts'
import css from './button.module.css'
import { classes } from './classes.ts'

export type ButtonLook = 'primary' | 'soft' | 'plain' | 'danger'

interface ButtonProps
  extends Omit<ComponentProps<typeof AriaButton>, 'className' | 'children' | 'style' | 'render'> {
  look?: ButtonLook
  wide?: boolean
  icon?: ReactNode
  children: ReactNode
}

/**
 * While it works it keeps its words and its focus, takes no second press, and says that it is busy.
 * (react-aria's own isPending leaves an empty announcement behind, which axe rightly reports.)
 */
const pressable = (props: Pick<ButtonProps, 'isPending' | 'onPress' | 'type'>) =>
  props.isPending
    ? ({ onPress: undefined, type: 'button' } as const)
    : { onPress: props.onPress, type: props.type }

const Spinner = () => <LoaderCircle className={css.spin} role="img" aria-label={m.working} />

export function Button({
  look = 'soft',
  wide,
  icon,
  children,
  isPending,
  onPress,
  type,
  ...rest
}: ButtonProps) {
  return (
    <AriaButton
      {...rest}
      {...pressable({ isPending, onPress, type })}
      render={(props) => <button {...props} aria-busy={isPending || undefined} />}
      className={classes(css.button, css[look], wide && css.wide)}
    >
      {isPending ? <Spinner /> : icon}
      {children}
    </AriaButton>
  )
}

interface IconButtonProps extends Omit<ButtonProps, 'children' | 'icon' | 'wide'> {
  /** What it does: read aloud, and shown on hover. */
  label: string
  children: ReactNode
}
export function IconButton({
  label,
  look = 'plain',
  children,
  isPending,
  onPress,
  type,
  ...rest
}: IconButtonProps) {
  return (
    <AriaButton
      {...rest}
      {...pressable({ isPending, onPress, type })}
      aria-label={label}
      render={(props) => <button {...props} title={label} aria-busy={isPending || undefined} />}
      className={classes(css.button, css[look], css.icon)}
    >
      {isPending ? <Spinner /> : children}
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
