/** One of many, as the device itself shows it: on a phone its own wheel. */
import { useId } from 'react'
import css from './field.module.css'

interface SelectProps {
  label: string
  /** The label is read aloud only: what stands beside it says it to the eye. */
  quiet?: boolean
  value: string
  options: readonly { value: string; label: string }[]
  onChange: (value: string) => void
}
export function Select({ label, quiet, value, options, onChange }: SelectProps) {
  const id = useId()
  return (
    <div className={css.field}>
      {!quiet && (
        <label className={css.label} htmlFor={id}>
          {label}
        </label>
      )}
      <select
        id={id}
        className={css.input}
        aria-label={quiet ? label : undefined}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  )
}
