/** One of a few, and yes or no. */
import type { ReactNode } from 'react'
import { Label } from 'react-aria-components/Label'
import { Radio, RadioGroup } from 'react-aria-components/RadioGroup'
import { Switch as AriaSwitch } from 'react-aria-components/Switch'
import css from './field.module.css'

export interface Option<T extends string> {
  value: T
  label: string
  icon?: ReactNode
}
interface ChoiceProps<T extends string> {
  label: string
  help?: string
  value: T
  options: Option<T>[]
  onChange: (value: T) => void
}

export function Choice<T extends string>({ label, help, value, options, onChange }: ChoiceProps<T>) {
  return (
    <RadioGroup
      className={css.field}
      value={value}
      onChange={(next) => onChange(next as T)}
      orientation="horizontal"
    >
      <Label className={css.label}>{label}</Label>
      <div className={css.segments}>
        {options.map((option) => (
          <Radio key={option.value} value={option.value} className={css.segment}>
            {option.icon}
            {option.label}
          </Radio>
        ))}
      </div>
      {help && <p className={css.help}>{help}</p>}
    </RadioGroup>
  )
}

interface SwitchProps {
  label: string
  value: boolean
  onChange: (value: boolean) => void
}
export function Switch({ label, value, onChange }: SwitchProps) {
  return (
    <AriaSwitch className={css.switch} isSelected={value} onChange={onChange}>
      <span className={css.track} />
      {label}
    </AriaSwitch>
  )
}
