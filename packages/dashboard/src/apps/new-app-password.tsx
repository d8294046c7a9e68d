/** An app password: for which address and which program; then the password, once. */
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Pick } from '../ui/checks.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import css from './apps.module.css'
import { Values } from './values.tsx'

interface Props {
  places: { id: string; name: string; host: string }[]
  onClose: () => void
}
export default function NewAppPassword({ places, onClose }: Props) {
  const [routeId, setRoute] = useState(places[0]?.id ?? '')
  const [name, setName] = useState('')
  const [tried, setTried] = useState(false)
  const make = useMutation({
    mutationFn: () => call(ROUTES.forwards.addPassword, { body: { routeId, name: name.trim() } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['app-passwords'] }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!nameProblem(name)) make.mutate()
  }
  if (make.data)
    return (
      <Dialog title={m.appPasswordMade} onClose={onClose}>
        <DialogText>{m.appPasswordMadeText}</DialogText>
        <Values
          of={[
            { label: m.appPasswordUser, text: make.data.username },
            { label: m.appPasswordWord, text: make.data.secret },
          ]}
        />
        <DialogActions>
          <Button look="primary" onPress={onClose}>
            {m.close}
          </Button>
        </DialogActions>
      </Dialog>
    )
  return (
    <Dialog title={m.appPasswordAdd} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {make.error && <ErrorBox problem={make.error} />}
        <Pick
          label={m.appPasswordFor}
          value={routeId}
          options={places.map(({ id, name: label, host }) => ({ value: id, label, more: host }))}
          onChange={setRoute}
        />
        <Field
          label={m.appPasswordName}
          placeholder={m.appPasswordNameExample}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={tried ? nameProblem(name) : undefined}
        />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={make.isPending}>
            {m.appPasswordMake}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
