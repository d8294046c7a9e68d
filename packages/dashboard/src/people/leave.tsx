/** Leaving the household or team: the account goes, with everything in it. */
import type { Me } from '@kalnet/contracts/identity'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { leaveHere } from '../account/leave-here.ts'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { later } from '../ui/later.tsx'
import { Card, ErrorBox } from '../ui/parts.tsx'
import css from './people.module.css'

const Ask = later(async () => {
  const { Dialog, DialogActions, DialogText } = await import('../ui/dialog.tsx')
  return {
    default: function LeaveDialog({ me, onClose }: { me: Me; onClose: () => void }) {
      const [word, setWord] = useState('')
      const leave = useMutation({ mutationFn: () => call(ROUTES.people.leave), onSuccess: leaveHere })
      const meant = word.trim() === me.organisationName
      const submit = (event: FormEvent) => {
        event.preventDefault()
        if (meant) leave.mutate()
      }
      return (
        <Dialog title={m.goTitle(me.organisationName)} onClose={onClose}>
          <form className={css.form} onSubmit={submit} noValidate>
            {leave.error && <ErrorBox problem={leave.error} />}
            <DialogText>{m.goLost}</DialogText>
            <Field
              label={m.goType(me.organisationName)}
              autoComplete="off"
              value={word}
              onChange={setWord}
              autoFocus
            />
            <DialogActions>
              <Button onPress={onClose}>{m.cancel}</Button>
              <Button type="submit" look="danger" isDisabled={!meant} isPending={leave.isPending}>
                {m.goAction}
              </Button>
            </DialogActions>
          </form>
        </Dialog>
      )
    },
  }
})

export function Leave({ me }: { me: Me }) {
  const [asking, setAsking] = useState(false)
  return (
    <Card label={m.goTitle(me.organisationName)}>
      <div className={css.act}>
        <div>
          <h2>{m.goHead}</h2>
          <span className={css.quiet}>{m.goText(me.organisationName)}</span>
        </div>
        <Button onPress={() => setAsking(true)}>{m.goAction}</Button>
      </div>
      {asking && <Ask me={me} onClose={() => setAsking(false)} />}
    </Card>
  )
}
