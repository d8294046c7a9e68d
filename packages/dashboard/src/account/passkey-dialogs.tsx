/** Another name for a passkey, and taking it away. */
import type { Passkey } from '@kalnet/contracts/passkey'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import settings from '../settings/settings.module.css'
import { Button } from '../ui/button.tsx'
import { Confirm, Dialog, DialogActions } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { useChange } from './queries.ts'

interface PasskeyDialogProps {
  passkey: Passkey
  onClose: () => void
}
export function RenamePasskey({ passkey: { id, name: before }, onClose }: PasskeyDialogProps) {
  const [name, setName] = useState(before)
  const rename = useChange(() => call(ROUTES.signIn.renamePasskey, { params: { id }, body: { name } }), {
    said: () => m.passkeyRenamed,
    onDone: onClose,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!nameProblem(name)) rename.mutate()
  }
  return (
    <Dialog title={m.passkeyNameTitle} onClose={onClose}>
      <form className={settings.form} onSubmit={submit} noValidate>
        <Field
          label={m.passkeyName}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={nameProblem(name)}
          autoFocus
        />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={rename.isPending}>
            {m.save}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

export function RemovePasskey({ passkey: { id, name }, onClose }: PasskeyDialogProps) {
  const remove = useChange(() => call(ROUTES.signIn.removePasskey, { params: { id } }), {
    said: () => m.passkeyRemoved(name),
    onDone: onClose,
  })
  return (
    <Confirm
      title={m.passkeyRemoveTitle(name)}
      text={m.passkeyRemoveText}
      action={m.passkeyRemove}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  )
}
