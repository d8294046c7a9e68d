/** Whether whoever was given a word has used it: waiting, enrolled, connected, or too late. */
import { useQuery } from '@tanstack/react-query'
import { Clock, Plug } from 'lucide-react'
import { useEffect, useState } from 'react'
import { clock } from '../format.ts'
import * as m from '../messages/index.ts'
import { controllersQuery } from '../queries.ts'
import { Badge } from '../ui/badge.tsx'
import { Button, LinkButton } from '../ui/button.tsx'
import { joinedBy } from './joined-by.ts'
import css from './settings.module.css'

interface JoiningProps {
  name: string
  expiresAt: string
  /** Whoever was there before the word was made. */
  before: ReadonlySet<string>
  /** Another word, please. */
  again: () => void
}

export function Joining({ name, expiresAt, before, again }: JoiningProps) {
  const { data } = useQuery(controllersQuery)
  const [late, setLate] = useState(() => Date.parse(expiresAt) <= Date.now())
  useEffect(() => {
    if (late) return
    const timer = setTimeout(() => setLate(true), Math.max(0, Date.parse(expiresAt) - Date.now()))
    return () => clearTimeout(timer)
  }, [late, expiresAt])
  const joined = joinedBy(data?.items ?? [], name.trim(), before)
  return (
    <div className={css.joining} role="status">
      {joined?.state === 'online' ? (
        <Badge tone="good">{m.joinConnected}</Badge>
      ) : joined ? (
        <Badge tone="busy">{m.joinEnrolled}</Badge>
      ) : late ? (
        <>
          <Badge tone="warn" icon={<Clock aria-hidden />}>
            {m.joinLate}
          </Badge>
          <p className={css.quiet}>{m.joinLateText}</p>
          <Button onPress={again}>{m.joinAgain}</Button>
        </>
      ) : (
        <Badge tone="info" icon={<Plug aria-hidden />}>
          {m.joinWaiting(clock(expiresAt))}
        </Badge>
      )}
      {joined?.state === 'online' && joined.fingerprints.some((it) => it.platform === 'kubernetes') && (
        <LinkButton href={`/settings/controllers/${joined.id}`}>{m.joinShow}</LinkButton>
      )}
    </div>
  )
}
