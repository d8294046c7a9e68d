/** Adds a machine: a name, then the command to run there, once. */
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { CopyButton, ErrorBox } from '../ui/parts.tsx'
import css from './settings.module.css'

export default function Enrol({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('')
  const [tried, setTried] = useState(false)
  const make = useMutation({ mutationFn: () => call(ROUTES.controllers.token, { body: { name } }) })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!nameProblem(name)) make.mutate()
  }
  if (make.data) {
    return (
      <Dialog title={m.controllerCommand} onClose={onClose}>
        <pre className={css.command} data-command>
          {make.data.command}
        </pre>
        <DialogText>{m.controllerCommandText}</DialogText>
        <DialogActions>
          <CopyButton text={make.data.command} />
          <Button look="primary" onPress={onClose}>
            {m.close}
          </Button>
        </DialogActions>
      </Dialog>
    )
  }
  return (
    <Dialog title={m.controllerAdd} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {make.error && <ErrorBox problem={make.error} />}
        <Field
          label={m.controllerName}
          placeholder={m.controllerNameExample}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={tried ? nameProblem(name) : undefined}
          autoFocus
        />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={make.isPending}>
            {m.controllerMake}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
