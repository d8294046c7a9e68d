/** Brings a certificate of one's own with its key. */
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
import css from './certificates.module.css'
import { certificateProblem, keyProblem } from './order-text.ts'

export default function Bring({ onClose }: { onClose: () => void }) {
  const [certificate, setCertificate] = useState('')
  const [key, setKey] = useState('')
  const [tried, setTried] = useState(false)
  const bring = useMutation({
    mutationFn: () => call(ROUTES.certificates.import, { body: { certificate, key } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['certificates'] })
      toast({ tone: 'good', text: m.importDone })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!certificateProblem(certificate) && !keyProblem(key)) bring.mutate()
  }
  return (
    <Dialog title={m.importTitle} onClose={onClose}>
      <DialogText>{m.importText}</DialogText>
      <form className={css.form} onSubmit={submit} noValidate>
        {bring.error && <ErrorBox problem={bring.error} />}
        <Field
          label={m.importCertificate}
          lines
          autoComplete="off"
          value={certificate}
          onChange={setCertificate}
          problem={tried ? certificateProblem(certificate) : undefined}
        />
        <Field
          label={m.importKey}
          help={m.importKeyHelp}
          lines
          autoComplete="off"
          value={key}
          onChange={setKey}
          problem={tried ? keyProblem(key) : undefined}
        />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={bring.isPending}>
            {m.importAction}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
