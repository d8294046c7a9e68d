/** The name of the household or team, and which of the two it is. */
import type { Organisation, OrganisationKind } from '@kalnet/contracts/invitation'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { applyEvent } from '../apply-event.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Choice } from '../ui/choice.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import css from './people.module.css'

interface Props {
  organisation: Organisation
  onClose: () => void
}
export default function OrganisationDialog({ organisation, onClose }: Props) {
  const [name, setName] = useState(organisation.name)
  const [kind, setKind] = useState<OrganisationKind>(organisation.kind)
  const save = useMutation({
    mutationFn: () => call(ROUTES.organisations.change, { body: { name, kind } }),
    onSuccess: (changed) => {
      applyEvent(queryClient, 'organisation.changed', changed)
      toast({ tone: 'good', text: m.organisationSaved(changed.name) })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!nameProblem(name)) save.mutate()
  }
  return (
    <Dialog title={m.organisationTitle} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {save.error && <ErrorBox problem={save.error} />}
        <Field
          label={m.organisationName}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={nameProblem(name)}
          autoFocus
        />
        <Choice
          label={m.organisationKind}
          help={m.organisationKindHelp}
          value={kind}
          options={[
            { value: 'household', label: m.kindHousehold },
            { value: 'team', label: m.kindTeam },
          ]}
          onChange={setKind}
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
