/** Removes a person for good: says what is lost, and asks for the name. */
import type { PersonDetails } from '@kalnet/contracts/people'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import css from './people.module.css'

export default function Remove({ person, onClose }: { person: PersonDetails; onClose: () => void }) {
  const [, go] = useLocation()
  const [word, setWord] = useState('')
  const remove = useMutation({
    mutationFn: () => call(ROUTES.people.remove, { params: { id: person.id } }),
    onSuccess: () => {
      toast({ tone: 'good', text: m.removedPerson(person.name) })
      go('/settings/people', { replace: true })
      queryClient.removeQueries({ queryKey: ['person', person.id] })
      void queryClient.invalidateQueries({ queryKey: ['people'] })
    },
  })
  const meant = word.trim() === person.name
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (meant) remove.mutate()
  }
  return (
    <Dialog title={m.removePersonTitle(person.name)} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {remove.error && <ErrorBox problem={remove.error} />}
        <DialogText>{m.removePersonLost(person.name, person.sessions)}</DialogText>
        <Field
          label={m.removePersonType(person.name)}
          autoComplete="off"
          value={word}
          onChange={setWord}
          autoFocus
        />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="danger" isDisabled={!meant} isPending={remove.isPending}>
            {m.removePerson}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
