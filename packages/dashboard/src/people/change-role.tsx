/** Another role for a person, up to one's own. */
import type { Person } from '@kalnet/contracts/people'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { useMe } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Pick } from '../ui/checks.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { know } from './actions.ts'
import { useRoleWords } from './queries.ts'
import { ROLE_DOES, upTo } from './words.ts'

export default function ChangeRole({ person, onClose }: { person: Person; onClose: () => void }) {
  const me = useMe()
  const words = useRoleWords()
  const [role, setRole] = useState(person.role)
  const save = useMutation({
    mutationFn: () => call(ROUTES.people.role, { params: { id: person.id }, body: { role } }),
    onSuccess: (changed) => {
      toast({ tone: 'good', text: m.personRoleChanged(know(changed).name, words[changed.role]) })
      onClose()
    },
  })
  // The account of a program is never an owner: owners are people.
  const roles = upTo(me.role).filter((it) => person.kind === 'person' || (it !== 'owner' && it !== 'child'))
  return (
    <Dialog title={m.personChangeRole} onClose={onClose}>
      {save.error && <ErrorBox problem={save.error} />}
      <Pick
        label={m.inviteRole}
        value={role}
        options={roles.map((value) => ({ value, label: words[value], more: ROLE_DOES[value] }))}
        onChange={setRole}
      />
      <DialogText>{m.personChangeRoleText}</DialogText>
      <DialogActions>
        <Button onPress={onClose}>{m.cancel}</Button>
        <Button
          look="primary"
          isDisabled={role === person.role}
          isPending={save.isPending}
          onPress={() => save.mutate()}
        >
          {m.personChangeRole}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
