/** Groups: people who belong together. */
import type { Group } from '@kalnet/contracts/people'
import { useQuery } from '@tanstack/react-query'
import { Ellipsis, PencilLine, Plus, Trash, Users, UsersRound } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { Frame } from '../settings/frame.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Menu } from '../ui/menu.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './people.module.css'
import { groupsQuery } from './queries.ts'

const GroupName = later(() => import('./group-name.tsx'))
const DIALOGS = {
  people: later(() => import('./group-people.tsx')),
  rename: GroupName,
  remove: later(() => import('./group-remove.tsx')),
}

function GroupCard({ group, manages }: { group: Group; manages: boolean }) {
  const [open, setOpen] = useState<keyof typeof DIALOGS | null>(null)
  const Opened = open && DIALOGS[open]
  return (
    <div className={css.group}>
      <span className={`${css.avatar} ${css.letter}`} aria-hidden>
        <UsersRound />
      </span>
      <div>
        <h2>{group.name}</h2>
        <p className={css.quiet}>{m.groupMembers(group.members)}</p>
      </div>
      {manages && (
        <Menu
          label={m.groupMenu(group.name)}
          trigger={
            <IconButton label={m.groupMenu(group.name)}>
              <Ellipsis aria-hidden />
            </IconButton>
          }
          actions={[
            {
              id: 'people',
              label: m.groupPeople,
              icon: <Users aria-hidden />,
              onAction: () => setOpen('people'),
            },
            {
              id: 'rename',
              label: m.groupRename,
              icon: <PencilLine aria-hidden />,
              onAction: () => setOpen('rename'),
            },
            {
              id: 'remove',
              label: m.groupRemove,
              icon: <Trash aria-hidden />,
              danger: true,
              onAction: () => setOpen('remove'),
            },
          ]}
        />
      )}
      {Opened && <Opened group={group} onClose={() => setOpen(null)} />}
    </div>
  )
}

export default function GroupsPage() {
  const me = useMe()
  const { data, error, isPending, refetch } = useQuery(groupsQuery)
  const [adding, setAdding] = useState(false)
  const manages = may(me, 'group.manage')
  const add = (
    <Button look="primary" icon={<Plus aria-hidden />} onPress={() => setAdding(true)}>
      {m.groupAdd}
    </Button>
  )
  return (
    <Frame here="groups" title={m.settingsGroups} text={m.groupsText} action={manages && add}>
      {isPending && (
        <div className={css.groups} aria-busy="true">
          <Skeleton height="76px" />
          <Skeleton height="76px" />
          <Skeleton height="76px" />
        </div>
      )}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && (
        <Empty
          icon={<UsersRound aria-hidden />}
          title={m.groupsEmpty}
          text={m.groupsEmptyText}
          next={manages && add}
        />
      )}
      {data && data.items.length > 0 && (
        <ul className={css.groups}>
          {data.items.map((group) => (
            <li key={group.id}>
              <GroupCard group={group} manages={manages} />
            </li>
          ))}
        </ul>
      )}
      {adding && <GroupName onClose={() => setAdding(false)} />}
    </Frame>
  )
}
