/** Takes a service off the list that runs elsewhere. */
import type { Service } from '@kalnet/contracts/service'
import * as m from '../messages/index.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Confirm } from '../ui/dialog.tsx'
import { useRemove } from './remove.tsx'

export default function Forget({ service, onClose }: { service: Service; onClose: () => void }) {
  const remove = useRemove(service, 'keep')
  return (
    <Confirm
      title={m.serviceRemoveTitle(service.title)}
      text={m.serviceForgetText}
      action={m.serviceForget}
      pending={remove.isPending}
      onConfirm={() => remove.mutate(undefined, { onError: tellProblem })}
      onClose={onClose}
    />
  )
}
