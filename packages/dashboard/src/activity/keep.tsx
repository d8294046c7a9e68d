/** How long the record is kept. */
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import css from './activity.module.css'
import { chainQuery } from './queries.ts'

const fits = (days: number) => Number.isInteger(days) && days >= 30 && days <= 3650

export default function Keep({ days, onClose }: { days: number; onClose: () => void }) {
  const [text, setText] = useState(String(days))
  const wanted = Number(text)
  const save = useMutation({
    mutationFn: () => call(ROUTES.audit.retention, { body: { days: wanted } }),
    onSuccess: (kept) => {
      toast({ tone: 'good', text: m.keepSaved(kept.days) })
      void queryClient.invalidateQueries({ queryKey: chainQuery.queryKey })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (fits(wanted)) save.mutate()
  }
  return (
    <Dialog title={m.keepTitle} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        <DialogText>{m.keepText}</DialogText>
        {save.error && <ErrorBox problem={save.error} />}
        <Field
          label={m.keepDays}
          inputMode="numeric"
          maxLength={4}
          value={text}
          onChange={setText}
          problem={fits(wanted) ? undefined : m.keepWrong}
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
