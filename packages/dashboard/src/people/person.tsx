/** One person: who it is, what they may do, and how to keep them out or let them in again. */
import type { PersonDetails } from '@kalnet/contracts/people'
import { useQuery } from '@tanstack/react-query'
import { Bot, ChevronLeft, CircleSlash, ShieldCheck } from 'lucide-react'
import { Link, useParams } from 'wouter'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { useTitle } from '../shell/use-title.ts'
import { Ago } from '../ui/ago.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { Avatar } from './avatar.tsx'
import css from './people.module.css'
import { PersonActs } from './person-acts.tsx'
import { personQuery, useRoleWords } from './queries.ts'
import { ROLE_DOES } from './words.ts'

function About({ person, role }: { person: PersonDetails; role: string }) {
  return (
    <Card label={m.personAbout}>
      <div className={css.stack}>
        <h2>{m.personAbout}</h2>
        <dl className={css.facts}>
          {person.email && (
            <>
              <dt>{m.personEmail}</dt>
              <dd>{person.email}</dd>
            </>
          )}
          <dt>{m.personRole}</dt>
          <dd>
            {role}
            <span className={css.quiet}>
              <br />
              {ROLE_DOES[person.role]}
            </span>
          </dd>
          <dt>{m.personGroups}</dt>
          <dd>{person.groups.map(({ name }) => name).join(', ') || m.personNoGroups}</dd>
          {person.kind === 'person' && (
            <>
              <dt>{m.personDevices}</dt>
              <dd>{m.personDevicesMany(person.devices)}</dd>
              <dt>{m.personSeen}</dt>
              <dd>{person.lastSeenAt ? <Ago at={person.lastSeenAt} /> : m.personNever}</dd>
            </>
          )}
          <dt>{m.personSessions}</dt>
          <dd>{m.personSessionsMany(person.sessions)}</dd>
          <dt>{m.personSince}</dt>
          <dd>
            <Ago at={person.createdAt} />
          </dd>
        </dl>
      </div>
    </Card>
  )
}

function Shown({ person }: { person: PersonDetails }) {
  const me = useMe()
  const role = useRoleWords()[person.role]
  useTitle(person.name)
  return (
    <>
      <header className={css.personHead}>
        <Avatar person={person} large />
        <div>
          <h1>{person.name}</h1>
          <div className={css.badges}>
            <Badge tone="quiet" icon={<ShieldCheck aria-hidden />}>
              {role}
            </Badge>
            {person.kind === 'service' && (
              <Badge tone="quiet" icon={<Bot aria-hidden />}>
                {m.personProgram}
              </Badge>
            )}
            {person.state === 'off' && (
              <Badge tone="warn" icon={<CircleSlash aria-hidden />}>
                {m.personOff}
              </Badge>
            )}
          </div>
        </div>
      </header>
      <div className={css.columns}>
        <About person={person} role={role} />
        {may(me, 'person.manage') && <PersonActs person={person} />}
      </div>
    </>
  )
}

export default function PersonPage() {
  const { id } = useParams<{ id: string }>()
  const { data, error, isPending, refetch } = useQuery(personQuery(id))
  useTitle(m.settingsPeople)
  return (
    <div className={css.person}>
      <Link href="/settings/people" className={css.back}>
        <ChevronLeft aria-hidden />
        {m.personBack}
      </Link>
      {isPending && (
        <div className={css.stack} aria-busy="true">
          <Skeleton width="min(320px, 80%)" height="72px" />
          <Skeleton height="260px" />
        </div>
      )}
      {error && !data && (
        <>
          <h1>{m.personGone}</h1>
          <ErrorBox problem={error} retry={() => void refetch()} />
        </>
      )}
      {data && <Shown person={data} />}
    </div>
  )
}
