/** Search as you type. */
import { Search as Glass } from 'lucide-react'
import { Input } from 'react-aria-components/Input'
import { SearchField } from 'react-aria-components/SearchField'
import css from './field.module.css'

interface SearchProps {
  label: string
  value: string
  onChange: (text: string) => void
  onSubmit?: () => void
  autoFocus?: boolean
}
export function Search({ label, value, onChange, onSubmit, autoFocus }: SearchProps) {
  return (
    <SearchField
      aria-label={label}
      value={value}
      onChange={onChange}
      onSubmit={onSubmit}
      autoFocus={autoFocus}
      className={css.search}
    >
      <Glass aria-hidden />
      <Input className={css.input} placeholder={label} />
    </SearchField>
  )
}
