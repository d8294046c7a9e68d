/** Back to an older release: says what comes back, and what does not. */
import type { Release, Service } from '@kalnet/contracts/service'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { useUpdate } from './actions.ts'

interface BackProps {
  service: Service
  release: Release
  onClose: () => void
}
export default function Back({ service, release, onClose }: BackProps) {
  const update = useUpdate()
  return (
    <Dialog title={m.releaseBackTitle(release.number)} onClose={onClose}>
      <DialogText>{m.releaseBackText(release.version)}</DialogText>
      <DialogActions>
        <Button onPress={onClose}>{m.cancel}</Button>
        <Button
          look="primary"
          isPending={update.isPending}
          onPress={() => update.mutate({ service, release: release.number }, { onSettled: onClose })}
          autoFocus
        >
          {m.releaseBack}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
