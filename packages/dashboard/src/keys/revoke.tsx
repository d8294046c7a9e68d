/** Ends a key for good. */
import type { ServiceKey } from '@kalnet/contracts/key'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Confirm } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.ts'
import { lookAgain } from './queries.ts'

export default function RevokeKey({ of, onClose }: { of: ServiceKey; onClose: () => void }) {
  const revoke = useMutation({
    mutationFn: () => {
      const route = of.userKind === 'service' ? ROUTES.keys.revoke : ROUTES.keys.revokeMine
      return call(route, { params: { id: of.id } })
    },
    onSuccess: async () => {
      await lookAgain()
      toast({ tone: 'good', text: m.keyRevoked(of.name) })
    },
    onError: tellProblem,
    onSettled: onClose,
  })
  return (
    <Confirm
      title={m.keyRevokeTitle(of.name)}
      text={m.keyRevokeText}
      action={m.keyRevokeAction}
      pending={revoke.isPending}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    />
  )
}
