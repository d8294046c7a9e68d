/** Adds a service account: its name and what it is here. */
import type { AccountRole } from '@kalnet/contracts/key'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { useRoleWords } from '../people/queries.ts'
import { Button } from '../ui/button.tsx'
import { Pick } from '../ui/checks.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import css from './keys.module.css'
import { lookAgain } from './queries.ts'

const DOES: Record<AccountRole, string> = {
  member: m.programRoleMember,
  admin: m.programRoleAdmin,
  guest: m.programRoleGuest,
}

export default function AddProgram({ onClose }: { onClose: () => void }) {
  const words = useRoleWords()
  const [name, setName] = useState('')
  const [role, setRole] = useState<AccountRole>('member')
  const [tried, setTried] = useState(false)
  const make = useMutation({
    mutationFn: () => call(ROUTES.keys.makeAccount, { body: { name: name.trim(), role } }),
    onSuccess: async () => {
      await lookAgain()
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!nameProblem(name)) make.mutate()
  }
  return (
    <Dialog title={m.programAdd} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {make.error && <ErrorBox problem={make.error} />}
        <Field
          label={m.programName}
          placeholder={m.programNameExample}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={tried ? nameProblem(name) : undefined}
          autoFocus
        />
        <Pick
          label={m.programRole}
          value={role}
          options={(Object.keys(DOES) as AccountRole[]).map((value) => ({
            value,
            label: words[value],
            more: DOES[value],
          }))}
          onChange={setRole}
        />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={make.isPending}>
            {m.programMake}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
