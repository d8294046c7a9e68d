/** Adds a passkey: a name, then the device asks for a finger, a face or a PIN. */
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ApiProblem, call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import { Note } from '../identity/trouble.tsx'
import * as m from '../messages/index.ts'
import settings from '../settings/settings.module.css'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { askAnew, useChange } from './queries.ts'
import { systemOf } from './system.ts'

type Options = { challenge: string; [name: string]: unknown }

/** Asked before the dialog opens: browsers want no waiting between the press and their own question. */
export const useBeginPasskey = () =>
  useChange(async (): Promise<Options> => {
    const [asked] = await Promise.all([call(ROUTES.signIn.beginPasskey), import('../identity/passkey.ts')])
    if (asked.available) return asked.options
    throw new ApiProblem({
      code: 'passkey.unavailable',
      message: m.passkeysNotHere(asked.reason),
      next: m.passkeyBrokenNext,
      status: 409,
      requestId: '',
    })
  })

interface AddPasskeyProps {
  options: Options
  onClose: () => void
  /** With codes when it is the first second way. */
  onDone: (codes: string[] | null) => void
}
export function AddPasskey({ options, onClose, onDone }: AddPasskeyProps) {
  const [name, setName] = useState(() => m.passkeyDefault(systemOf(navigator.userAgent) ?? m.passkeyDevice))
  const add = useMutation({
    mutationFn: async () => {
      const { makePasskey } = await import('../identity/passkey.ts')
      const response = await makePasskey(options)
      return response && call(ROUTES.signIn.addPasskey, { body: { name, response } })
    },
    onSuccess: (answer) => {
      if (!answer) return
      void askAnew()
      // Recovery codes say it themselves, and nothing may cover them.
      if (!answer.recoveryCodes) toast({ tone: 'good', text: m.passkeyAdded(answer.passkey.name) })
      onDone(answer.recoveryCodes)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!nameProblem(name)) add.mutate()
  }
  return (
    <Dialog title={m.passkeyNameTitle} onClose={onClose}>
      <DialogText>{m.passkeyMakeText}</DialogText>
      <form className={settings.form} onSubmit={submit} noValidate>
        {add.error && <ErrorBox problem={add.error} />}
        {add.data === null && <Note title={m.passkeyDeclined} text={m.passkeyDeclinedNext} />}
        <Field
          label={m.passkeyName}
          help={m.passkeyNameHelp}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={nameProblem(name)}
          autoFocus
        />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={add.isPending}>
            {m.passkeyMake}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
