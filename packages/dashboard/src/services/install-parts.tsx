/** Where a new service will be, and which others it uses. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import type { Service } from '@kalnet/contracts/service'
import * as m from '../messages/index.ts'
import { Select } from '../ui/select.tsx'
import { shortAddress } from './open-link.tsx'
import css from './page.module.css'
import { addressFor } from './settings-text.ts'

interface DoorsProps {
  entry: CatalogEntry
  name: string
  services: Service[]
}
/** Told while the name is written. */
export function Doors({ entry, name, services }: DoorsProps) {
  const web = entry.doors.some(({ kind }) => kind === 'http')
  const address = addressFor(name, services)
  const places = [
    ...(web ? [address ? shortAddress(address) : m.installAtSome(name)] : []),
    ...entry.doors.flatMap(({ kind, listen }) =>
      kind === 'http' || listen === undefined ? [] : [m.installPort(kind.toUpperCase(), listen)],
    ),
  ]
  return (
    <p className={css.at}>
      {places.length === 0 ? (
        m.installNoDoor
      ) : (
        <>
          {m.installAt} <strong>{places.join(', ')}</strong>
        </>
      )}
    </p>
  )
}

interface UsesProps {
  entry: CatalogEntry
  services: Service[]
  value: Record<string, string>
  tried: boolean
  onChange: (value: Record<string, string>) => void
}
export const Uses = ({ entry, services, value, tried, onChange }: UsesProps) =>
  entry.dependencies.map(({ name, label, required }) => (
    <div key={name} className={css.uses}>
      <Select
        label={label}
        value={value[name] ?? ''}
        options={[
          { value: '', label: m.installUsesNone },
          ...services.map(({ id, title }) => ({ value: id, label: title })),
        ]}
        onChange={(id) => {
          const { [name]: _, ...rest } = value
          onChange(id ? { ...rest, [name]: id } : rest)
        }}
      />
      {tried && required && !value[name] && <p className={css.wrong}>{m.installUsesMissing}</p>}
    </div>
  ))
