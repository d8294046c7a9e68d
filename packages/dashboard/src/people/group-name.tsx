/** Makes a group, or gives one another name. */
import type { Group } from '@kalnet/contracts/people'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import css from './people.module.css'

export default function GroupName({ group, onClose }: { group?: Group; onClose: () => void }) {
  const [name, setName] = useState(group?.name ?? '')
  const [tried, setTried] = useState(false)
  const save = useMutation({
    mutationFn: () =>
      group
        ? call(ROUTES.groups.change, { params: { id: group.id }, body: { name } })
        : call(ROUTES.groups.add, { body: { name } }),
    onSuccess: (saved) => {
      void queryClient.invalidateQueries({ queryKey: ['groups'] })
      toast({ tone: 'good', text: group ? m.groupPeopleSaved(saved.name) : m.groupMade(saved.name) })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!nameProblem(name)) save.mutate()
  }
  return (
    <Dialog title={group ? m.groupRenameTitle(group.name) : m.groupAdd} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {save.error && <ErrorBox problem={save.error} />}
        <Field
          label={m.groupName}
          placeholder={m.groupNameExample}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={tried ? nameProblem(name) : undefined}
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
