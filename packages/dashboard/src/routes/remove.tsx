/** Takes an address away: what it led to runs on. */
import type { GatewayRoute } from '@kalnet/contracts/gateway'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Confirm } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.ts'
import { addressOf } from './words.ts'

export default function Remove({ route, onClose }: { route: GatewayRoute; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: () => call(ROUTES.gateway.remove, { params: { id: route.id } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['routes'] })
      toast({ tone: 'good', text: m.routeRemoved })
      onClose()
    },
    onError: tellProblem,
  })
  return (
    <Confirm
      title={m.routeRemoveTitle}
      text={m.routeRemoveText(addressOf(route))}
      action={m.routeRemoveAction}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  )
}
