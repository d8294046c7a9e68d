/** Ends every sign-in of a person. */
import type { Person } from '@kalnet/contracts/people'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Confirm } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.ts'

export default function SignOut({ person, onClose }: { person: Person; onClose: () => void }) {
  const end = useMutation({
    mutationFn: () => call(ROUTES.people.signOut, { params: { id: person.id } }),
    onSuccess: ({ ended }) => {
      void queryClient.invalidateQueries({ queryKey: ['person', person.id] })
      toast({ tone: 'good', text: m.signedOutEverywhere(person.name, ended) })
    },
    onError: tellProblem,
    onSettled: onClose,
  })
  return (
    <Confirm
      title={m.signOutEverywhereTitle(person.name)}
      text={m.signOutEverywhereText}
      action={m.signOutEverywhere}
      pending={end.isPending}
      onConfirm={() => end.mutate()}
      onClose={onClose}
    />
  )
}
