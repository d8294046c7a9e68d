/** Values to be copied into another program, one below the other. */
import { CopyButton } from '../ui/parts.tsx'
import css from './apps.module.css'

export function Values({ of }: { of: readonly { label: string; text: string }[] }) {
  return (
    <dl className={css.values}>
      {of.map(({ label, text }) => (
        <div key={label} className={css.value}>
          <dt>{label}</dt>
          <dd>
            <span className={css.copied}>{text}</span>
            <CopyButton text={text} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
