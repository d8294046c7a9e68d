/** Removes a group; its people stay. */
import type { Group } from '@kalnet/contracts/people'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Confirm } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.ts'

export default function GroupRemove({ group, onClose }: { group: Group; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: () => call(ROUTES.groups.remove, { params: { id: group.id } }),
    onSuccess: () => {
      for (const key of ['groups', 'people']) void queryClient.invalidateQueries({ queryKey: [key] })
      toast({ tone: 'good', text: m.groupRemoved(group.name) })
    },
    onError: tellProblem,
    onSettled: onClose,
  })
  return (
    <Confirm
      title={m.groupRemoveTitle(group.name)}
      text={m.groupRemoveText}
      action={m.groupRemove}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  )
}
