/** A new secret for an app: asked first, because the old one ends; then shown, once. */
import type { App } from '@kalnet/contracts/app'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Confirm, Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { Values } from './values.tsx'

export function NewSecret({ app, onClose }: { app: App; onClose: () => void }) {
  const make = useMutation({
    mutationFn: () => call(ROUTES.apps.secret, { params: { id: app.id } }),
  })
  if (!make.data)
    return (
      <Confirm
        title={m.appNewSecretTitle}
        text={m.appNewSecretText}
        action={m.appNewSecretAction}
        pending={make.isPending}
        onConfirm={() => make.mutate()}
        onClose={onClose}
      >
        {make.error && <ErrorBox problem={make.error} />}
      </Confirm>
    )
  return (
    <Dialog title={app.name} onClose={onClose}>
      <DialogText>{m.appMadeText}</DialogText>
      <Values
        of={[
          { label: m.appClientId, text: app.clientId },
          { label: m.appSecret, text: make.data.secret },
        ]}
      />
      <DialogActions>
        <Button look="primary" onPress={onClose}>
          {m.close}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
