/** Another name for a person. */
import type { Person } from '@kalnet/contracts/people'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { know } from './actions.ts'
import css from './people.module.css'

export default function Rename({ person, onClose }: { person: Person; onClose: () => void }) {
  const [name, setName] = useState(person.name)
  const save = useMutation({
    mutationFn: () => call(ROUTES.people.change, { params: { id: person.id }, body: { name } }),
    onSuccess: (changed) => {
      toast({ tone: 'good', text: m.personRenamed(know(changed).name) })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!nameProblem(name)) save.mutate()
  }
  return (
    <Dialog title={m.personRename} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {save.error && <ErrorBox problem={save.error} />}
        <Field
          label={m.personName}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={nameProblem(name)}
          autoFocus
        />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={save.isPending}>
            {m.save}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
