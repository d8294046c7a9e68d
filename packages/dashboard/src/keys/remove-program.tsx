/** Removes a service account and its keys. */
import type { ServiceAccount } from '@kalnet/contracts/key'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Confirm } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.ts'
import { lookAgain } from './queries.ts'

export default function RemoveProgram({
  account,
  onClose,
}: {
  account: ServiceAccount
  onClose: () => void
}) {
  const remove = useMutation({
    mutationFn: () => call(ROUTES.keys.removeAccount, { params: { id: account.id } }),
    onSuccess: async () => {
      await lookAgain()
      toast({ tone: 'good', text: m.programRemoved(account.name) })
    },
    onError: tellProblem,
    onSettled: onClose,
  })
  return (
    <Confirm
      title={m.programRemoveTitle(account.name)}
      text={m.programRemoveText(account.keys.length)}
      action={m.programRemoveAction}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  )
}
