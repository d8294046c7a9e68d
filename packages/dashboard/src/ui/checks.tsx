/** Any of several, and one of several where each needs a sentence. */
import { Checkbox } from 'react-aria-components/Checkbox'
import { CheckboxGroup } from 'react-aria-components/CheckboxGroup'
import { Label } from 'react-aria-components/Label'
import { Radio, RadioGroup } from 'react-aria-components/RadioGroup'
import css from './checks.module.css'
import field from './field.module.css'

export interface Check {
  value: string
  label: string
  more?: string
}
interface ChecksProps {
  label: string
  value: string[]
  options: readonly Check[]
  onChange: (value: string[]) => void
}
export function Checks({ label, value, options, onChange }: ChecksProps) {
  return (
    <CheckboxGroup className={field.field} value={value} onChange={onChange}>
      <Label className={field.label}>{label}</Label>
      <div className={css.list}>
        {options.map((option) => (
          <Checkbox key={option.value} value={option.value} className={css.option}>
            <span className={css.box} aria-hidden />
            <span className={css.words}>
              <span>{option.label}</span>
              {option.more && <span className={css.more}>{option.more}</span>}
            </span>
          </Checkbox>
        ))}
      </div>
    </CheckboxGroup>
  )
}

interface PickProps<T extends string> {
  label: string
  value: T
  options: readonly (Check & { value: T })[]
  onChange: (value: T) => void
}
export function Pick<T extends string>({ label, value, options, onChange }: PickProps<T>) {
  return (
    <RadioGroup className={field.field} value={value} onChange={(next) => onChange(next as T)}>
      <Label className={field.label}>{label}</Label>
      <div className={css.list}>
        {options.map((option) => (
          <Radio key={option.value} value={option.value} className={css.option}>
            <span className={css.dot} aria-hidden />
            <span className={css.words}>
              <span>{option.label}</span>
              {option.more && <span className={css.more}>{option.more}</span>}
            </span>
          </Radio>
        ))}
      </div>
    </RadioGroup>
  )
}
