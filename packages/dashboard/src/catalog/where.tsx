/** Where something new shall run: the best place, or one of those that there are. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import type { PlatformName } from '@kalnet/contracts/instance'
import { useQuery } from '@tanstack/react-query'
import * as m from '../messages/index.ts'
import { templatesQuery } from '../queries.ts'
import { Choice } from '../ui/choice.tsx'
import { PLATFORM_HELP, PLATFORM_WORDS } from './words.ts'

export type Place = PlatformName | 'auto'

interface WhereProps {
  entry: CatalogEntry
  value: Place
  onChange: (value: Place) => void
}
export function Where({ entry, value, onChange }: WhereProps) {
  // A machine that joins or goes while this is open changes what there is.
  const { data } = useQuery({ ...templatesQuery, staleTime: 0, refetchInterval: 5_000 })
  const places = entry.platforms.filter((it) => it !== 'fake' && data?.offered.includes(it))
  if (places.length === 0) return null
  return (
    <Choice
      label={m.platform}
      help={value === 'auto' ? m.platformAutoHelp : PLATFORM_HELP[value]}
      value={value}
      options={[
        { value: 'auto', label: m.platformAuto },
        ...places.map((it) => ({ value: it, label: PLATFORM_WORDS[it] })),
      ]}
      onChange={onChange}
    />
  )
}
