/** Takes a machine's right away: its key stops working at once. */
import type { Controller } from '@kalnet/contracts/controller'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import { applyEvent } from '../apply-event.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Confirm } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.ts'

export default function Revoke({ controller, onClose }: { controller: Controller; onClose: () => void }) {
  const revoke = useMutation({
    mutationFn: () => call(ROUTES.controllers.revoke, { params: { id: controller.id } }),
    onSuccess: () => {
      applyEvent(queryClient, 'controller.removed', { id: controller.id })
      toast({ tone: 'good', text: m.controllerRevoked(controller.name) })
    },
    onError: tellProblem,
    onSettled: onClose,
  })
  return (
    <Confirm
      title={m.controllerRevokeTitle(controller.name)}
      text={m.controllerRevokeText(controller.instances)}
      action={m.controllerRevoke}
      pending={revoke.isPending}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    />
  )
}
