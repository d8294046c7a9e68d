/** Who is in a group. */
import type { Group, Person } from '@kalnet/contracts/people'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Checks } from '../ui/checks.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { everybodyQuery, membersQuery, useRoleWords } from './queries.ts'

interface Props {
  group: Group
  onClose: () => void
}
function Chooser({ group, onClose, people, before }: Props & { people: Person[]; before: string[] }) {
  const words = useRoleWords()
  const [chosen, setChosen] = useState(before)
  const save = useMutation({
    mutationFn: () =>
      call(ROUTES.groups.change, {
        params: { id: group.id },
        body: {
          add: chosen.filter((id) => !before.includes(id)),
          remove: before.filter((id) => !chosen.includes(id)),
        },
      }),
    onSuccess: ({ name }) => {
      for (const key of ['groups', 'people', 'person'])
        void queryClient.invalidateQueries({ queryKey: [key] })
      toast({ tone: 'good', text: m.groupPeopleSaved(name) })
      onClose()
    },
  })
  return (
    <>
      {save.error && <ErrorBox problem={save.error} />}
      <Checks
        label={m.settingsPeople}
        value={chosen}
        options={people.map(({ id, name, role }) => ({ value: id, label: name, more: words[role] }))}
        onChange={setChosen}
      />
      <DialogActions>
        <Button onPress={onClose}>{m.cancel}</Button>
        <Button look="primary" isPending={save.isPending} onPress={() => save.mutate()}>
          {m.save}
        </Button>
      </DialogActions>
    </>
  )
}

export default function GroupPeople({ group, onClose }: Props) {
  const everybody = useQuery(everybodyQuery)
  const members = useQuery(membersQuery(group.id))
  const error = everybody.error ?? members.error
  // Fresh from the server: what was seen before may have changed meanwhile.
  const before = members.isFetchedAfterMount ? members.data?.items.map(({ id }) => id) : undefined
  return (
    <Dialog title={m.groupPeopleTitle(group.name)} onClose={onClose}>
      {error && <ErrorBox problem={error} />}
      {!error && !(everybody.data && before) && <Skeleton height="180px" />}
      {everybody.data && before && (
        <Chooser group={group} onClose={onClose} people={everybody.data.items} before={before} />
      )}
    </Dialog>
  )
}
