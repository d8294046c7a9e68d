/** What can be done to a machine, each with its visible end. */
import type { Controller, ControllerChange } from '@kalnet/contracts/controller'
import { call, ROUTES } from '../api.ts'
import { applyEvent } from '../apply-event.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { toast } from '../ui/toast.ts'

/** Our own answer reaches the screen at once; the event that follows says the same. */
export async function changeController({ id }: Controller, body: ControllerChange): Promise<Controller> {
  const changed = await call(ROUTES.controllers.change, { params: { id }, body })
  applyEvent(queryClient, 'controller.changed', changed)
  return changed
}

const setCordoned = (controller: Controller, cordoned: boolean, done: (changed: Controller) => void) =>
  void changeController(controller, { cordoned }).then(done, tellProblem)

/** Closes it, or opens it again; the notice takes it back. */
export function cordon(controller: Controller, cordoned: boolean): void {
  setCordoned(controller, cordoned, ({ name }) =>
    toast({
      tone: 'good',
      text: cordoned ? m.controllerCordonDone(name) : m.controllerUncordonDone(name),
      action: { label: m.undo, onPress: () => setCordoned(controller, !cordoned, () => undefined) },
    }),
  )
}
