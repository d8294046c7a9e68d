/** The buttons of identity providers at the door, the one used last first; and what went wrong on the way back from one. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { ProviderIcon } from '../providers/icon.tsx'
import { Button } from '../ui/button.tsx'
import css from './door.module.css'
import { takeProblem } from './take-problem.ts'

const LAST = 'kalnet.provider'
const remembered = () => {
  try {
    return localStorage.getItem(LAST)
  } catch {
    // A browser that keeps nothing remembers nothing.
    return null
  }
}
const remember = (id: string) => {
  try {
    localStorage.setItem(LAST, id)
  } catch {
    // As above: it works all the same.
    return
  }
}

/** Only our own words for our own codes: whoever writes an address cannot put a sentence on this page. */
export function ProviderTrouble() {
  const [code] = useState(takeProblem)
  if (code === null) return null
  const [message, next] = m.providerProblems[code] ?? m.providerProblem
  return (
    <div className={css.slip} role="alert">
      <strong>{message}</strong> {next}
    </div>
  )
}

export const providersQuery = {
  queryKey: ['provider-buttons'],
  queryFn: ({ signal }: { signal: AbortSignal }) => call(ROUTES.providers.buttons, { signal }),
  staleTime: 60_000,
}

/** `divided`: the word between the ways stands above them. */
export function Providers({ divided = true }: { divided?: boolean }) {
  const { data } = useQuery(providersQuery)
  const [last] = useState(remembered)
  const [going, setGoing] = useState<string | null>(null)
  const items = data?.items ?? []
  if (items.length === 0) return null
  const sorted = [...items].sort((a, b) => Number(b.id === last) - Number(a.id === last))
  const go = (id: string) => {
    remember(id)
    setGoing(id)
    const { path } = ROUTES.providers.start
    const here = location.pathname + location.search
    location.assign(`${path.replace(':id', id)}?${new URLSearchParams({ back: here })}`)
  }
  return (
    <div className={css.others}>
      {divided && <p className={css.or}>{m.orElse}</p>}
      {sorted.map(({ id, name, icon }) => (
        <Button
          key={id}
          wide
          icon={<ProviderIcon icon={icon} />}
          isPending={going === id}
          aria-description={id === last ? m.providerLast : undefined}
          onPress={() => go(id)}
        >
          {m.providerSignIn(name)}
        </Button>
      ))}
    </div>
  )
}
