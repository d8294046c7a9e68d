/** Where people type and choose: a label above, help and problem below. */
import type { ComponentProps, ReactNode } from 'react'
import { FieldError } from 'react-aria-components/FieldError'
import { Input } from 'react-aria-components/Input'
import { Label } from 'react-aria-components/Label'
import { Text } from 'react-aria-components/Text'
import { TextArea } from 'react-aria-components/TextArea'
import { TextField } from 'react-aria-components/TextField'
import css from './field.module.css'

interface FieldProps extends Omit<ComponentProps<typeof TextField>, 'className' | 'children' | 'style'> {
  label: string
  help?: ReactNode
  placeholder?: string
  lines?: boolean
  /** Shown in place of the browser's own words. */
  problem?: string
}

export function Field({ label, help, placeholder, lines, problem, ...rest }: FieldProps) {
  return (
    <TextField {...rest} isInvalid={problem ? true : undefined} className={css.field}>
      <Label className={css.label}>{label}</Label>
      {lines ? (
        <TextArea className={css.input} placeholder={placeholder} />
      ) : (
        <Input className={css.input} placeholder={placeholder} />
      )}
      {help && (
        <Text slot="description" className={css.help}>
          {help}
        </Text>
      )}
      <FieldError className={css.problem}>{problem}</FieldError>
    </TextField>
  )
}
