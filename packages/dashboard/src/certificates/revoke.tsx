/** Revoking cannot be taken back: said before it is done. */
import type { Certificate } from '@kalnet/contracts/certificate'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Confirm } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.ts'
import { nameOf } from './words.tsx'

export default function Revoke({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const revoke = useMutation({
    mutationFn: () => call(ROUTES.certificates.revoke, { params: { id: certificate.id } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['certificates'] })
      toast({ tone: 'good', text: m.certRevoked })
      onClose()
    },
    onError: tellProblem,
  })
  return (
    <Confirm
      title={m.certRevokeTitle}
      text={m.certRevokeText(nameOf(certificate))}
      action={m.certRevokeAction}
      pending={revoke.isPending}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    />
  )
}
