/** The groups of a person. */
import type { Person } from '@kalnet/contracts/people'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Checks } from '../ui/checks.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { know } from './actions.ts'
import { groupsQuery } from './queries.ts'

export default function ChangeGroups({ person, onClose }: { person: Person; onClose: () => void }) {
  const { data, error } = useQuery(groupsQuery)
  const [groups, setGroups] = useState(() => person.groups.map(({ id }) => id))
  const save = useMutation({
    mutationFn: () => call(ROUTES.people.change, { params: { id: person.id }, body: { groups } }),
    onSuccess: (changed) => {
      toast({ tone: 'good', text: m.personGroupsSaved(know(changed).name) })
      onClose()
    },
  })
  const all = data?.items ?? []
  return (
    <Dialog title={m.personChangeGroups} onClose={onClose}>
      {(save.error ?? error) && <ErrorBox problem={save.error ?? error} />}
      {!data && !error && <Skeleton height="120px" />}
      {data && all.length === 0 && <DialogText>{m.groupsEmptyText}</DialogText>}
      {all.length > 0 && (
        <Checks
          label={m.personGroups}
          value={groups}
          options={all.map(({ id, name, members }) => ({
            value: id,
            label: name,
            more: m.groupMembers(members),
          }))}
          onChange={setGroups}
        />
      )}
      <DialogActions>
        <Button onPress={onClose}>{m.cancel}</Button>
        {data && all.length === 0 ? (
          <LinkButton look="primary" href="/settings/groups">
            {m.groupAdd}
          </LinkButton>
        ) : (
          <Button look="primary" isPending={save.isPending} onPress={() => save.mutate()}>
            {m.save}
          </Button>
        )}
      </DialogActions>
    </Dialog>
  )
}
