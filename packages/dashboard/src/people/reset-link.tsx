/** A link with which a person sets a new password, made only when it is asked for. */
import type { Person } from '@kalnet/contracts/people'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { Handed } from './handed-link.tsx'

export default function ResetLink({ person, onClose }: { person: Person; onClose: () => void }) {
  const make = useMutation({
    mutationFn: () => call(ROUTES.people.reset, { params: { id: person.id } }),
  })
  return (
    <Dialog title={m.resetLinkTitle(person.name)} onClose={onClose}>
      {make.error && <ErrorBox problem={make.error} />}
      <DialogText>{make.data ? m.resetLinkReady : m.resetLinkWarn(person.name)}</DialogText>
      {make.data && <Handed link={make.data.link} label={m.resetLinkLabel} />}
      <DialogActions>
        {make.data ? (
          <Button look="primary" onPress={onClose}>
            {m.close}
          </Button>
        ) : (
          <>
            <Button onPress={onClose}>{m.cancel}</Button>
            <Button look="primary" isPending={make.isPending} onPress={() => make.mutate()}>
              {m.resetLinkMake}
            </Button>
          </>
        )}
      </DialogActions>
    </Dialog>
  )
}
