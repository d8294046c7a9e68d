/** Takes a machine out of service: it takes nothing new, and what runs there ends. */
import type { Controller } from '@kalnet/contracts/controller'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import { applyEvent } from '../apply-event.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Confirm } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.ts'

export default function Drain({ controller, onClose }: { controller: Controller; onClose: () => void }) {
  const drain = useMutation({
    mutationFn: () => call(ROUTES.controllers.drain, { params: { id: controller.id } }),
    onSuccess: ({ stopping }) => {
      applyEvent(queryClient, 'controller.changed', { ...controller, cordoned: true })
      toast({ tone: 'good', text: m.controllerDrained(controller.name, stopping) })
    },
    onError: tellProblem,
    onSettled: onClose,
  })
  return (
    <Confirm
      title={m.controllerDrainTitle(controller.name)}
      text={m.controllerDrainText(controller.instances)}
      action={m.controllerDrainAction}
      pending={drain.isPending}
      onConfirm={() => drain.mutate()}
      onClose={onClose}
    />
  )
}
