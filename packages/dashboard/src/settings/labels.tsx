/** The labels of a machine, one a line. */
import type { Controller } from '@kalnet/contracts/controller'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { changeController } from './controller-actions.ts'
import { labelsOf, labelsProblem, textOf } from './labels-text.ts'
import css from './settings.module.css'

export default function Labels({ controller, onClose }: { controller: Controller; onClose: () => void }) {
  const [text, setText] = useState(() => textOf(controller.labels))
  const [tried, setTried] = useState(false)
  const save = useMutation({
    mutationFn: () => changeController(controller, { labels: labelsOf(text) }),
    onSuccess: ({ name }) => {
      toast({ tone: 'good', text: m.controllerLabelsSaved(name) })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!labelsProblem(text)) save.mutate()
  }
  return (
    <Dialog title={m.controllerLabelsOf(controller.name)} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {save.error && <ErrorBox problem={save.error} />}
        <Field
          lines
          label={m.controllerLabels}
          help={m.controllerLabelsHelp}
          placeholder={m.controllerLabelsExample}
          value={text}
          onChange={setText}
          problem={tried ? labelsProblem(text) : undefined}
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
