/** People: who belongs to the organisation, who is invited, and the way to invite somebody. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { PencilLine, Plus, SearchX, Users } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { Frame } from '../settings/frame.tsx'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { Search } from '../ui/search.tsx'
import { Invitations } from './invitations.tsx'
import css from './people.module.css'
import { invitationsQuery, organisationQuery, peopleQuery, useRoleWords } from './queries.ts'
import { Row } from './row.tsx'

const DIALOGS = {
  invite: later(() => import('./invite.tsx')),
  organisation: later(() => import('./organisation.tsx')),
}
/** Fewer are seen at a glance. */
const WANTS_SEARCH = 8

export default function PeoplePage() {
  const me = useMe()
  const words = useRoleWords()
  const [search, setSearch] = useState('')
  const wanted = useDeferredValue(search.trim())
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } =
    useInfiniteQuery(peopleQuery(wanted))
  const organisation = useQuery(organisationQuery)
  const [open, setOpen] = useState<keyof typeof DIALOGS | null>(null)
  const Opened = open && DIALOGS[open]
  const invites = may(me, 'invitation.manage')
  const people = data?.pages.flatMap((page) => page.items) ?? []
  const invited = useQuery({ ...invitationsQuery, enabled: invites })
  // Whoever has invited somebody is not told how to.
  const alone =
    !wanted && people.length === 1 && invited.data?.items.every(({ state }) => state !== 'open') === true
  const invite = (
    <Button look="primary" icon={<Plus aria-hidden />} onPress={() => setOpen('invite')}>
      {m.inviteAction}
    </Button>
  )
  const actions = (
    <div className={css.actions}>
      {may(me, 'organisation.manage') && (
        <Button icon={<PencilLine aria-hidden />} onPress={() => setOpen('organisation')}>
          {m.organisationChange}
        </Button>
      )}
      {invites && invite}
    </div>
  )
  return (
    <Frame here="people" title={m.settingsPeople} text={m.peopleText(me.organisationName)} action={actions}>
      {(people.length >= WANTS_SEARCH || search) && (
        <div className={css.search}>
          <Search label={m.peopleSearch} value={search} onChange={setSearch} />
        </div>
      )}
      {isPending && (
        <div className={css.card} aria-busy="true">
          {[0, 1, 2].map((at) => (
            <div key={at} className={css.row}>
              <Skeleton width="40px" height="40px" />
              <Skeleton width="min(220px, 60%)" height="20px" />
            </div>
          ))}
        </div>
      )}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data && people.length === 0 && (
        <Empty icon={<SearchX aria-hidden />} title={m.peopleNobody} text={m.peopleNobodyText(wanted)} />
      )}
      {people.length > 0 && (
        <ul className={css.card} aria-label={m.peopleList}>
          {people.map((person) => (
            <li key={person.id}>
              <Row person={person} role={words[person.role]} you={person.id === me.id} />
            </li>
          ))}
        </ul>
      )}
      {hasNextPage && (
        <div>
          <Button isPending={isFetchingNextPage} onPress={() => void fetchNextPage()}>
            {m.peopleMore}
          </Button>
        </div>
      )}
      {invites && <Invitations words={words} />}
      {alone && invites && (
        <Empty icon={<Users aria-hidden />} title={m.peopleAlone} text={m.peopleAloneText} next={invite} />
      )}
      {Opened && organisation.data && (
        <Opened organisation={organisation.data} onClose={() => setOpen(null)} />
      )}
    </Frame>
  )
}
