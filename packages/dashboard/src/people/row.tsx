/** One person in the list: who, in which role, in which groups. */
import type { Person } from '@kalnet/contracts/people'
import { Bot, ChevronRight, CircleSlash } from 'lucide-react'
import { Link } from 'wouter'
import * as m from '../messages/index.ts'
import { Badge } from '../ui/badge.tsx'
import { Avatar } from './avatar.tsx'
import css from './people.module.css'

interface RowProps {
  person: Person
  role: string
  you: boolean
}
export function Row({ person, role, you }: RowProps) {
  return (
    <Link
      href={`/settings/people/${person.id}`}
      className={css.row}
      data-off={person.state === 'off' || undefined}
    >
      <Avatar person={person} />
      <span className={css.who}>
        <span className={css.name}>
          {person.name}
          {you && <span className={css.you}>{m.personYou}</span>}
        </span>
        {person.email && <span className={css.quiet}>{person.email}</span>}
      </span>
      <span className={css.tags}>
        {person.state === 'off' && (
          <Badge tone="warn" icon={<CircleSlash aria-hidden />}>
            {m.personOff}
          </Badge>
        )}
        {person.kind === 'service' && (
          <Badge tone="quiet" icon={<Bot aria-hidden />}>
            {m.personProgram}
          </Badge>
        )}
        {person.groups.map((group) => (
          <span key={group.id} className={css.chip}>
            {group.name}
          </span>
        ))}
      </span>
      <span className={css.role}>{role}</span>
      <ChevronRight aria-hidden className={css.chevron} />
    </Link>
  )
}
