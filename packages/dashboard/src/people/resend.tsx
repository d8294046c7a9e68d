/** A new link for an invitation: the old one stops working. */
import type { Invitation } from '@kalnet/contracts/invitation'
import { useMutation } from '@tanstack/react-query'
import { useEffect } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import { Handed } from './handed-link.tsx'

export default function Resend({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  const { mutate, data, error } = useMutation({
    mutationFn: () => call(ROUTES.invitations.resend, { params: { id: invitation.id } }),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ['invitations'] }),
  })
  useEffect(() => mutate(), [mutate])
  const name = invitation.email ?? m.invitationAnybody
  return (
    <Dialog title={m.inviteReady(name)} onClose={onClose}>
      {error && <ErrorBox problem={error} retry={() => mutate()} />}
      {!data && !error && <Skeleton height="220px" />}
      {data && (
        <>
          <DialogText>
            {m.inviteReadyText} {data.mailed && m.inviteMailed(name)}
          </DialogText>
          <Handed link={data.link} label={m.inviteLink} />
        </>
      )}
      <DialogActions>
        <Button look="primary" onPress={onClose}>
          {m.close}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
