/** One of many, as the device itself shows it: on a phone its own wheel. */
import { ChevronDown } from 'lucide-react'
import { useId } from 'react'
import css from './field.module.css'

interface SelectProps {
  label: string
  value: string
  options: readonly { value: string; label: string }[]
  onChange: (value: string) => void
}
export function Select({ label, value, options, onChange }: SelectProps) {
  const id = useId()
  return (
    <div className={css.field}>
      <label className={css.label} htmlFor={id}>
        {label}
      </label>
      <div className={css.select}>
        <select
          id={id}
          className={css.input}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
        <ChevronDown aria-hidden />
      </div>
    </div>
  )
}
