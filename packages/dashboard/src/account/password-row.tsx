/** My password: whether there is one, and a new one. The server asks once more who it is. */

import { useMutation } from '@tanstack/react-query'
import { Lock } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { newPasswordProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { useMe } from '../queries.ts'
import css from '../settings/settings.module.css'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { askAnew } from './queries.ts'
import { Row } from './row.tsx'

function PasswordDialog({ has, onClose }: { has: boolean; onClose: () => void }) {
  const me = useMe()
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const change = useMutation({
    mutationFn: () => call(ROUTES.identity.setPassword, { body: has ? { password, current } : { password } }),
    onSuccess: () => {
      void askAnew()
      toast({ tone: 'good', text: m.mePasswordSaved })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!newPasswordProblem(password) && (!has || current !== '')) change.mutate()
  }
  return (
    <Dialog title={m.passwordDialog} onClose={onClose}>
      <DialogText>{m.passwordDialogText}</DialogText>
      <form className={css.form} onSubmit={submit} noValidate>
        {change.error && <ErrorBox problem={change.error} />}
        {/* Password managers keep the new one with its e-mail. */}
        <input type="email" autoComplete="username" value={me.email} readOnly hidden />
        {has && (
          <Field
            label={m.currentPassword}
            type="password"
            autoComplete="current-password"
            value={current}
            onChange={setCurrent}
            problem={tried && current === '' ? m.currentPasswordMissing : undefined}
            autoFocus
          />
        )}
        <Field
          label={m.newPassword}
          type="password"
          autoComplete="new-password"
          help={m.passwordHelp}
          value={password}
          onChange={setPassword}
          problem={tried ? newPasswordProblem(password) : undefined}
          autoFocus={!has}
        />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={change.isPending}>
            {m.save}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

export function PasswordRow({ has }: { has: boolean }) {
  const [open, setOpen] = useState(false)
  return (
    <Row
      icon={<Lock aria-hidden />}
      title={m.doorPassword}
      text={has ? m.doorPasswordSet : m.doorPasswordNone}
      actions={
        <Button onPress={() => setOpen(true)}>{has ? m.mePasswordChange : m.passwordSetAction}</Button>
      }
    >
      {open && <PasswordDialog has={has} onClose={() => setOpen(false)} />}
    </Row>
  )
}
