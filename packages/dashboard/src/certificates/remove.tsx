/** Forgets a certificate with its key: says what serves its names then. */
import type { Certificate } from '@kalnet/contracts/certificate'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Confirm } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.ts'
import { nameOf } from './words.tsx'

export default function Remove({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: () => call(ROUTES.certificates.remove, { params: { id: certificate.id } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['certificates'] })
      toast({ tone: 'good', text: m.certRemoved })
      onClose()
    },
    onError: tellProblem,
  })
  return (
    <Confirm
      title={m.certRemoveTitle}
      text={m.certRemoveText(nameOf(certificate))}
      action={m.certRemoveAction}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  )
}
