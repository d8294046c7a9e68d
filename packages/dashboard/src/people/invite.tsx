/** Invites somebody: address and role, then the link, once. */
import type { Role } from '@kalnet/contracts/permission'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { emailProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { queryClient, useMe } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Checks, Pick } from '../ui/checks.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { Handed } from './handed-link.tsx'
import css from './people.module.css'
import { groupsQuery, useRoleWords } from './queries.ts'
import { ROLE_DOES, upTo } from './words.ts'

export default function Invite({ onClose }: { onClose: () => void }) {
  const me = useMe()
  const words = useRoleWords()
  const known = useQuery(groupsQuery)
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('member')
  const [groups, setGroups] = useState<string[]>([])
  const [tried, setTried] = useState(false)
  const invite = useMutation({
    mutationFn: () => call(ROUTES.invitations.invite, { body: { email: email.trim(), role, groups } }),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ['invitations'] }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!emailProblem(email)) invite.mutate()
  }
  if (invite.data) {
    const { link, mailed } = invite.data
    return (
      <Dialog title={m.inviteReady(email.trim())} onClose={onClose}>
        <DialogText>
          {m.inviteReadyText} {mailed && m.inviteMailed(email.trim())}
        </DialogText>
        <Handed link={link} label={m.inviteLink} />
        <DialogActions>
          <Button look="primary" onPress={onClose}>
            {m.close}
          </Button>
        </DialogActions>
      </Dialog>
    )
  }
  const choices = upTo(me.role).map((value) => ({ value, label: words[value], more: ROLE_DOES[value] }))
  const all = known.data?.items ?? []
  return (
    <Dialog title={m.inviteTitle} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {invite.error && <ErrorBox problem={invite.error} />}
        <Field
          label={m.email}
          type="email"
          help={m.inviteEmailHelp}
          placeholder={m.inviteEmailExample}
          autoComplete="off"
          value={email}
          onChange={setEmail}
          problem={tried ? emailProblem(email) : undefined}
          autoFocus
        />
        <Pick label={m.inviteRole} value={role} options={choices} onChange={setRole} />
        {all.length > 0 && (
          <Checks
            label={m.inviteGroups}
            value={groups}
            options={all.map(({ id, name }) => ({ value: id, label: name }))}
            onChange={setGroups}
          />
        )}
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={invite.isPending}>
            {m.inviteMake}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
